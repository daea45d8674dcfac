from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.streams.query.shop import COUNTS, Group, shop


@pytest.fixture
def group() -> Iterator[Group]:
    with Group(shop(), COUNTS) as group:
        yield group
