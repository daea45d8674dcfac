"""Notices that a program's source files were saved."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from streams.settings_file import FILE_NAME

if TYPE_CHECKING:
    from watchfiles import Change

STEP_MS = 50
"""Saves that come closer together than this are one change."""
SKIPPED = frozenset({"node_modules", "__pycache__", "site-packages", "build", "dist"})
TESTS = ("test_*.py", "*_test.py", "conftest.py")
"""What pytest takes for tests, which are saved often and change nothing."""


class SourceWatch:
    """Watches Python files and `headrace.toml` below a directory while the block runs. `take()` says whether any was
    saved, created or deleted since it was last asked.

    Tests do not count. Any other Python file does, whether the program has imported it or not: a worker may import it
    later, and a save that is missed is worse than a restart in vain.

    Hidden folders and environments are left out, and folders are watched one by one: a watch on the whole tree would
    wake up for each file that stores and the log write below it. Folders made later are not seen.
    """

    def __init__(self, directory: Path) -> None:
        self._folders = [directory, *source_folders(directory)]
        self._stop = threading.Event()
        self._changed = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="source-watch", daemon=True)

    def __enter__(self) -> SourceWatch:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def take(self) -> bool:
        if not self._changed.is_set():
            return False  # without a clear: it would lose a save noticed meanwhile
        self._changed.clear()
        return True

    def _watch(self) -> None:
        from watchfiles import watch

        for _ in watch(
            *self._folders,
            watch_filter=is_source,
            stop_event=self._stop,
            step=STEP_MS,
            rust_timeout=200,
            recursive=False,
            raise_interrupt=False,
        ):
            self._changed.set()


def source_folders(directory: Path) -> Iterator[Path]:
    """The folders below it that may hold a program's modules."""
    for path in sorted(directory.iterdir()):
        skipped = path.name.startswith(".") or path.name in SKIPPED or (path / "pyvenv.cfg").exists()
        if path.is_dir() and not path.is_symlink() and not skipped:
            yield path
            yield from source_folders(path)


def is_source(_change: Change, path: str) -> bool:
    """Whether a file makes the program what it is."""
    return path.endswith((".py", FILE_NAME)) and (not _is_test(Path(path).name) or _is_imported(path))


def _is_test(name: str) -> bool:
    return any(fnmatch(name, each) for each in TESTS)


def _is_imported(path: str) -> bool:
    """Whether the program is in this file, or imports it, as of when it was loaded into this process."""
    return any(getattr(module, "__file__", None) == path for module in list(sys.modules.values()))
