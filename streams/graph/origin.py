"""Where in the user's program an operator was declared, so that every problem can name its line."""

from __future__ import annotations

import sys
from pathlib import Path

from streams.errors import SourceLine

PACKAGE = Path(__file__).resolve().parent.parent
DECLARING = (str(PACKAGE / "app.py"), str(PACKAGE / "dsl") + "/", str(PACKAGE / "graph") + "/")
"""Where calls of the DSL go through; an application may well live elsewhere in the package, as the demo's does."""


def caller_origin() -> SourceLine | None:
    """The nearest frame outside the DSL: the user's line that called it (None if there is none)."""
    frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    while frame is not None:
        filename = frame.f_code.co_filename
        if not filename.startswith(DECLARING):
            return SourceLine(file=filename, line=frame.f_lineno)
        frame = frame.f_back
    return None
