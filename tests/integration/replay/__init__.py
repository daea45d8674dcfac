"""History replayed from topics of four partitions: the jobs, what runs them, and what may happen on the way."""
