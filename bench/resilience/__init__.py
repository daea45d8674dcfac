"""What failures and changes cost: latency, a worker that joins, one that comes back, state restored from the log."""
