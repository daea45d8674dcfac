"""The leader epoch of the broker's partitions: one number, raised whenever records may have been lost.

Kafka raises it at each election, so at each start of a single node. Here a clean start keeps it: nothing was lost, and
clients need not ask. After a crash it rises, and clients that know the old one are told (FENCED_LEADER_EPOCH), take the
new one and ask where the old one ended. All partitions have the same, new topics too: a topic that is made anew must
not have a lower one than clients remember of its name.
"""

from __future__ import annotations

import logging
from pathlib import Path

from broker.files import DamagedFileError, read_fields, write_fields

LOG = logging.getLogger("broker.log")
UNKNOWN = -1
MAX_EPOCH = 2**31 - 1


class LeaderEpoch:
    """The file `leader-epoch`, {"epoch": …}. Owned by the broker state."""

    def __init__(self, path: Path, *, durable: bool) -> None:
        self.path = path
        self.durable = durable
        self.value = 0

    def load(self) -> None:
        """Reads the file. One that is damaged leaves `value` UNKNOWN: `raise_above` what the logs know then.

        Raises OSError.
        """
        try:
            self.value = int(read_fields(self.path)["epoch"])
        except FileNotFoundError:
            self.value = 0
        except (DamagedFileError, KeyError, TypeError, ValueError) as error:
            LOG.error("%s: %s; the leader epoch goes on above those of the logs", self.path, error)
            self.value = UNKNOWN

    def raise_above(self, epoch: int) -> None:
        """The next epoch, above the present one and the given one. Raises OSError."""
        value = max(self.value, epoch) + 1
        write_fields(self.path, {"epoch": value}, durable=self.durable)
        self.value = value
