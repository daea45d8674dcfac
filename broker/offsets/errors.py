"""What can be wrong with the records of `__consumer_offsets`."""

from __future__ import annotations


class OffsetsRecordError(Exception):
    """A record of the internal offsets topic does not have the form its version promises.

    Only the broker writes this topic, so the log was damaged or written by a newer broker: start with that one, or
    delete the topic's directory (all groups then begin again by their `auto.offset.reset`).
    """
