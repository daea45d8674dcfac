"""State stores: key-value, window, session and versioned stores and time buffers, on RocksDB or in memory, with a
write-back cache, changelog records and restore. What a task commits is one atomic batch (see `stores.task_state`).
"""

from stores.buffer_reader import BufferReader as BufferReader
from stores.buffer_reader import Waiting as Waiting
from stores.changelog import ChangelogRecord as ChangelogRecord
from stores.codec import ValueCodec as ValueCodec
from stores.custom import CommittedRows as CommittedRows
from stores.custom import CustomKeyValueStore as CustomKeyValueStore
from stores.custom import CustomStore as CustomStore
from stores.errors import ChangelogRecordError as ChangelogRecordError
from stores.errors import RowDecodeError as RowDecodeError
from stores.errors import RowEncodeError as RowEncodeError
from stores.errors import StateFullError as StateFullError
from stores.errors import StateLockedError as StateLockedError
from stores.errors import StateMismatchError as StateMismatchError
from stores.errors import StateVersionError as StateVersionError
from stores.errors import StoreClosedError as StoreClosedError
from stores.errors import StoreCorruptError as StoreCorruptError
from stores.errors import StoreError as StoreError
from stores.errors import UnknownStoreError as UnknownStoreError
from stores.expiring_key_value import ExpiringKeyValueStore as ExpiringKeyValueStore
from stores.hosted import HostedKeyValueStore as HostedKeyValueStore
from stores.hosted import HostedStore as HostedStore
from stores.key_value import KeyValueStore as KeyValueStore
from stores.key_value_reader import KeyValueReader as KeyValueReader
from stores.keyed_time_buffer import KeyedTimeBuffer as KeyedTimeBuffer
from stores.keyed_window import KeyedWindowStore as KeyedWindowStore
from stores.lru_key_value import LruKeyValueStore as LruKeyValueStore
from stores.memory import MemoryDisk as MemoryDisk
from stores.memory import MemoryTaskState as MemoryTaskState
from stores.opening import Store as Store
from stores.opening import StoreReader as StoreReader
from stores.rocksdb import RocksDbResources as RocksDbResources
from stores.rocksdb import RocksDbTaskState as RocksDbTaskState
from stores.row import MISSING as MISSING
from stores.row import Row as Row
from stores.scan import Scan as Scan
from stores.session import SessionStore as SessionStore
from stores.session_reader import SessionReader as SessionReader
from stores.specs import BufferSpec as BufferSpec
from stores.specs import CustomSpec as CustomSpec
from stores.specs import KeyValueSpec as KeyValueSpec
from stores.specs import SessionSpec as SessionSpec
from stores.specs import StoreSpec as StoreSpec
from stores.specs import VersionedSpec as VersionedSpec
from stores.specs import WindowSpec as WindowSpec
from stores.task_state import TaskState as TaskState
from stores.time_buffer import TimeBuffer as TimeBuffer
from stores.versioned import REJECTED as REJECTED
from stores.versioned import VersionedStore as VersionedStore
from stores.versioned_reader import Version as Version
from stores.versioned_reader import VersionedReader as VersionedReader
from stores.window import WindowStore as WindowStore
from stores.window_reader import WindowReader as WindowReader

__all__ = [
    "MISSING",
    "REJECTED",
    "BufferReader",
    "BufferSpec",
    "ChangelogRecord",
    "ChangelogRecordError",
    "CommittedRows",
    "CustomKeyValueStore",
    "CustomSpec",
    "CustomStore",
    "ExpiringKeyValueStore",
    "HostedKeyValueStore",
    "HostedStore",
    "KeyValueReader",
    "KeyValueSpec",
    "KeyValueStore",
    "KeyedTimeBuffer",
    "KeyedWindowStore",
    "LruKeyValueStore",
    "MemoryDisk",
    "MemoryTaskState",
    "RocksDbResources",
    "RocksDbTaskState",
    "Row",
    "RowDecodeError",
    "RowEncodeError",
    "Scan",
    "SessionReader",
    "SessionSpec",
    "SessionStore",
    "StateFullError",
    "StateLockedError",
    "StateMismatchError",
    "StateVersionError",
    "Store",
    "StoreClosedError",
    "StoreCorruptError",
    "StoreError",
    "StoreReader",
    "StoreSpec",
    "TaskState",
    "TimeBuffer",
    "UnknownStoreError",
    "ValueCodec",
    "Version",
    "VersionedReader",
    "VersionedSpec",
    "VersionedStore",
    "Waiting",
    "WindowReader",
    "WindowSpec",
    "WindowStore",
]
