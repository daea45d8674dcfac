"""Consumer groups of KIP-848: the broker assigns, and each member comes to its assignment by heartbeats of its own.

`group` is the state; `heartbeat`, `leave` and `expiry` are its events, pure functions that mutate it and return
effects; `reconcile` is one member's way to its target, `target` makes targets by `uniform_assignor` or
`range_assignor`; `membership` carries out. Most of it is loaded when the first such group is met.
"""
