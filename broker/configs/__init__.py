"""Settings that change while the broker runs: its own, and those of client metrics subscriptions."""
