"""A small JSON file with something the broker is told while it runs and has to know after a restart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from broker.errors import DataDirectoryError
from broker.files import write_atomically


class StateFile:
    """`what` names its content, for messages."""

    def __init__(self, path: Path, *, what: str, durable: bool) -> None:
        self.path = path
        self.what = what
        self.durable = durable

    def load(self) -> dict[str, Any]:
        """The content; empty where nothing was stored yet. Raises DataDirectoryError, OSError."""
        if not self.path.exists():
            return {}
        try:
            content = json.loads(self.path.read_bytes())
        except ValueError as error:
            raise self.damaged(error) from error
        if not isinstance(content, dict):
            raise self.damaged("it is no JSON object")
        return cast("dict[str, Any]", content)

    def damaged(self, why: object) -> DataDirectoryError:
        return DataDirectoryError(
            f"{self.path} does not hold {self.what} ({why}): restore it from a backup, or remove it to start without"
        )

    def store(self, content: dict[str, Any]) -> None:
        """Replaces the content whole. Raises OSError."""
        write_atomically(self.path, json.dumps(content, indent=1, sort_keys=True).encode(), durable=self.durable)
