"""Segment files, indexes, recovery, producer state: one partition is one log."""
