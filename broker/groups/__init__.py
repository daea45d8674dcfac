"""Classic consumer groups: who is a member, in which generation, with which assignment.

`state` shows the life of a group; `join`, `sync`, `heartbeat`, `leave` and `rebalance` are its events, pure functions
over `group.Group` that return `effects`; `coordinator` carries those out.
"""

from broker.groups.coordinator import GroupCoordinator as GroupCoordinator
from broker.groups.settings import GroupSettings as GroupSettings
