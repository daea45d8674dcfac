"""Imports kio's types without hypothesis, which kio loads where it is installed, for a test tool of its own: 0.3 s of a
worker's start, and a directory left behind. To be imported before anything of kio."""

from __future__ import annotations

import importlib
import sys

if "hypothesis" not in sys.modules:
    sys.modules["hypothesis"] = None  # pyright: ignore[reportArgumentType]  # an import of it fails meanwhile
    try:
        importlib.import_module("kio.static.primitive")
    finally:
        del sys.modules["hypothesis"]
