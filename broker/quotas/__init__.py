"""Quotas of clients: kept and shown, not enforced."""
