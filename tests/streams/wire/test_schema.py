"""Which classes of kio requests and answers are."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import Any

import pytest
from kio.index import load_request_schema, load_response_schema

from streams.wire import requests, schema
from streams.wire.request import Api

APIS = {
    member.api
    for found in pkgutil.iter_modules(requests.__path__)
    for member in vars(import_module(f"{requests.__name__}.{found.name}")).values()
    if isinstance(getattr(member, "api", None), Api)
}


@pytest.mark.parametrize("api", sorted(APIS, key=lambda api: api.key), ids=lambda api: api.name)
def test_classes_of_an_api_are_found_by_its_name(api: Api) -> None:
    """In each version that is spoken they are those of its key."""
    for version in range(api.lowest, api.highest + 1):
        found: Any = schema.request_schema(api.name, version), schema.response_schema(api.name, version)
        assert found == (load_request_schema(api.key, version), load_response_schema(api.key, version))


def test_all_requests_are_known() -> None:
    assert len(APIS) >= 17
