"""What can be wrong with the records of an internal topic."""

from __future__ import annotations


class JournalRecordError(Exception):
    """A record of an internal topic does not have the form its version promises.

    Only the broker writes these topics, so the log was damaged or written by a newer broker: start with that one, or
    delete the topic's directory. (Without `__consumer_offsets` all groups begin again by their `auto.offset.reset`;
    without `__transaction_state` open transactions are aborted and transactional ids begin anew.)
    """
