"""State in memory: the twin of `stores.rocksdb`."""

from stores.memory.database import MemoryDisk as MemoryDisk
from stores.memory.task_state import MemoryTaskState as MemoryTaskState
