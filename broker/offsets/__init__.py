"""Committed offsets: in memory (`store`), on disk in `__consumer_offsets` (`journal`, `topic_log`), as records
(`record_key`, `committed_offset`, `group_metadata`)."""

from broker.offsets.committed_offset import CommittedOffset as CommittedOffset
from broker.offsets.store import OffsetStore as OffsetStore
