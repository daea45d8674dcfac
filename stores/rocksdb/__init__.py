"""State on RocksDB, through rocksdict."""

from stores.rocksdb.resources import RocksDbResources as RocksDbResources
from stores.rocksdb.task_state import RocksDbTaskState as RocksDbTaskState
