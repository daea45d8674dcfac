"""How many examples oracles and models are tried on: the same few in `make test`, many new ones in `make soak`."""

from __future__ import annotations

import os

from hypothesis import settings

EXAMPLES = "ORACLE_EXAMPLES"
"""Environment variable: how many examples each test makes up."""

wanted = os.environ.get(EXAMPLES)


def examples(few: int) -> settings:
    """So many that are the same each time, unless more are asked for, which are new."""
    return settings(max_examples=int(wanted or few), deadline=None, derandomize=wanted is None)
