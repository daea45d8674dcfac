"""The worker: consumes, runs compiled tasks, keeps and restores their state, commits.

A record's way: `consumer` -> `buffers` (routed to its task) -> `task` (the compiled program) -> `producer`; `commit`
makes it last. `watermark` and `publisher` carry time across repartition topics. `worker` is the thread that does all
of it, told by `membership` which tasks are its own.
"""
