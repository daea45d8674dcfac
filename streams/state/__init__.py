"""State stores as processors use them: typed keys and values over the stores of the task."""

from streams.state.declaration import StoreDeclaration as StoreDeclaration
from streams.state.entries import Entries as Entries
from streams.state.key_value import KeyValueStore as KeyValueStore
from streams.state.key_value import ReadOnlyKeyValueStore as ReadOnlyKeyValueStore
from streams.state.key_value import TimestampedKeyValueStore as TimestampedKeyValueStore
from streams.state.key_value import ValueAndTimestamp as ValueAndTimestamp
from streams.state.materialized import Materialized as Materialized
from streams.state.materialized import StoreName as StoreName
from streams.state.read_only import global_store as global_store
from streams.state.session import ReadOnlySessionStore as ReadOnlySessionStore
from streams.state.session import SessionStore as SessionStore
from streams.state.stores import Stores as Stores
from streams.state.table import table_store as table_store
from streams.state.versioned import ReadOnlyVersionedStore as ReadOnlyVersionedStore
from streams.state.versioned import VersionedKeyValueStore as VersionedKeyValueStore
from streams.state.versioned import VersionedRecord as VersionedRecord
from streams.state.window import ReadOnlyWindowStore as ReadOnlyWindowStore
from streams.state.window import TimestampedWindowStore as TimestampedWindowStore
from streams.state.window import WindowStore as WindowStore
