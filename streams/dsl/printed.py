"""What `print` writes of a record."""

from __future__ import annotations

import sys
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any, TextIO

from msgspec import Struct


class Printed(Struct, frozen=True, kw_only=True):
    """Writes one line for each record. Source: `org.apache.kafka.streams.kstream.Printed`.

    `file` is looked up with each record, so that standard output may be redirected meanwhile, and a file by its path
    is closed after each line: print is for looking at streams, not for exporting them.
    """

    label: str
    file: TextIO | str | PathLike[str] | None = None
    mapper: Callable[[Any, Any], Any] | None = None

    def __call__(self, key: Any, value: Any) -> None:
        shown = f"{key}, {value}" if self.mapper is None else str(self.mapper(key, value))
        line = f"[{self.label}]: {shown}\n"
        if isinstance(self.file, str | PathLike):
            with Path(self.file).open("a", encoding="utf-8") as file:
                file.write(line)
        else:
            (self.file or sys.stdout).write(line)
