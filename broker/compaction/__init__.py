"""Log compaction: of each key only the latest record stays, in a process of its own, beside the broker's."""
