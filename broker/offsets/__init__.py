"""Committed offsets: in memory (`store`), and as records of `__consumer_offsets` (`record_key`, `committed_offset`,
`group_metadata`)."""

from broker.offsets.committed_offset import CommittedOffset as CommittedOffset
from broker.offsets.store import OffsetStore as OffsetStore
