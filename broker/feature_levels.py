"""The levels of the features that clients go by, as `kafka-features` sets them; durable in `<data>/features.json`.

    {"epoch": 3, "levels": {"transaction.version": 1}}

Source: `FeatureControlManager` of Apache Kafka; KIP-584, KIP-1022.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from broker.state_file import StateFile

UPGRADE, SAFE_DOWNGRADE, UNSAFE_DOWNGRADE = 1, 2, 3


class FeatureUpdate(NamedTuple):
    name: str
    level: int
    kind: int
    """One of the three above."""


class Supported(NamedTuple):
    """What this broker can do: levels `low` to `high`; `initial` counts until another is set."""

    low: int
    high: int
    initial: int


SUPPORTED: Final[Mapping[str, Supported]] = MappingProxyType(
    {
        "group.version": Supported(0, 1, 1),
        "metadata.version": Supported(7, 29, 29),
        "transaction.version": Supported(0, 2, 2),
    }
)
"""By feature. `group.version` 1 is the consumer group protocol (KIP-848).
`metadata.version` is that of Kafka 4.2; `transaction.version` 2 is transactions v2 (KIP-890)."""


class FeatureLevels:
    """Owned by the broker state."""

    def __init__(self, file: StateFile) -> None:
        self.file = file
        self.epoch = 0
        """Rises with every change; clients keep the newest."""
        self.changed: dict[str, int] = {}

    def load(self) -> None:
        """Raises DataDirectoryError, OSError."""
        content = self.file.load()
        try:
            self.epoch = int(content.get("epoch", 0))
            self.changed = {str(name): int(level) for name, level in content.get("levels", {}).items()}
        except (AttributeError, TypeError, ValueError) as error:
            raise self.file.damaged(error) from error

    def level(self, name: str) -> int:
        """The level that counts; 0: the feature is off."""
        return min(self.changed.get(name, SUPPORTED[name].initial), SUPPORTED[name].high)

    def problem(self, update: FeatureUpdate) -> str | None:
        """Why a level cannot be set, or None."""
        said = f"Invalid update version {update.level} for feature {update.name}."
        known = SUPPORTED.get(update.name)
        if known is None:
            return f"{said} Local controller 1 does not support this feature."
        if update.kind not in (UPGRADE, SAFE_DOWNGRADE, UNSAFE_DOWNGRADE):
            return f"{said} The controller does not support the given upgrade type."
        if update.level < 0:
            return f"{said} A feature version cannot be less than 0."
        if not known.low <= update.level <= known.high:
            return f"{said} Local controller 1 only supports versions {known.low}-{known.high}"
        if update.level < self.level(update.name) and update.kind == UPGRADE:
            return (
                f"{said} Can't downgrade the version of this feature without setting the upgrade type to either safe "
                "or unsafe downgrade."
            )
        return None

    def apply(self, updates: list[FeatureUpdate]) -> None:
        """Sets levels without a `problem`; durable first, true then. Raises OSError."""
        wanted = {update.name: update.level for update in updates}
        if all(self.level(name) == level for name, level in wanted.items()):
            return
        following, epoch = self.changed | wanted, self.epoch + 1
        self.file.store({"epoch": epoch, "levels": following})
        self.changed, self.epoch = following, epoch
