"""How wide the replays are run: `make test` has each job live through one, `make replay` through everything.

The environment variable `REPLAY` names what happens, with commas, or `all`.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.integration.replay.happenings import HAPPENINGS

SHORT = "workers_of_all_kinds"
IS_WIDE = "REPLAY" in os.environ
DEADLINE_S = 600.0 if IS_WIDE else 60.0
"""For each thing that is waited for."""
TIMEOUT_S = 1800 if IS_WIDE else 300


def happenings() -> list[Any]:
    chosen = os.environ.get("REPLAY", SHORT)
    names = list(HAPPENINGS) if chosen == "all" else chosen.split(",")
    return [pytest.param(HAPPENINGS[name], id=name) for name in names]
