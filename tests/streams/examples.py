"""How many examples oracles are tried on: a fixed handful in `make test`, many new ones in `make soak`."""

from __future__ import annotations

import os

from hypothesis import settings

EXAMPLES = "ORACLE_EXAMPLES"
"""Environment variable: how many examples each test makes up."""

wanted = os.environ.get(EXAMPLES)
oracle = settings(max_examples=int(wanted or 25), deadline=None, derandomize=wanted is None)
