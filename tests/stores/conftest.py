"""The two implementations that every contract test runs on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stores import RocksDbResources
from tests.stores.backends import Backend, MemoryBackend, RocksDbBackend


@pytest.fixture(scope="session")
def resources() -> RocksDbResources:
    return RocksDbResources(block_cache_bytes=8 * 2**20, write_buffer_bytes=8 * 2**20, clean_bytes=8 * 2**20)


@pytest.fixture(params=["rocksdb", "memory"])
def backend(request: pytest.FixtureRequest, tmp_path: Path, resources: RocksDbResources) -> Iterator[Backend]:
    made: Backend = MemoryBackend() if request.param == "memory" else RocksDbBackend(tmp_path / "task", resources)
    yield made
    made.close()
