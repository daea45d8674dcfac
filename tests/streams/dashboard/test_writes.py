"""Who may write through the dashboard."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from fastapi import Request

from streams.dashboard.writes import LONGEST_BODY, json_body, read_only_because
from streams.query.problem import Problem
from streams.runtime.options import WorkerOptions
from tests.streams.dashboard.on_cluster import Site
from tests.streams.query.shop import Group

OTHERS = {"query_host": "0.0.0.0"}


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({}, None),
        ({"web_read_only": True}, "web_read_only"),
        ({"web_read_only": True, "query_token": "t"}, "web_read_only"),
        (OTHERS | {"query_token": "t"}, None),
        (OTHERS | {"query_open": True}, "query_token"),
        (OTHERS | {"query_open": True, "web_read_only": False}, None),
    ],
)
def test_writing_is_for_this_host_or_those_with_the_token_unless_settings_say_it(
    options: dict[str, Any], reason: str | None
) -> None:
    told = read_only_because(
        WorkerOptions(application_id="a", bootstrap_servers="127.0.0.1:1", state_dir=Path(), web=True, **options)
    )
    assert told is None if reason is None else reason in (told or "")


def test_body_that_is_too_long_is_not_read_to_its_end() -> None:
    """It would be kept in the worker's memory, however long it is."""
    taken: list[int] = []

    async def receive() -> dict[str, Any]:
        taken.append(LONGEST_BODY // 2)
        return {"type": "http.request", "body": bytes(taken[-1]), "more_body": len(taken) < 99}

    headers = [(b"content-type", b"application/json")]
    with pytest.raises(Problem, match="a body may have"):
        asyncio.run(json_body(Request({"type": "http", "method": "POST", "headers": headers}, receive), dict))
    assert len(taken) == 3


def test_read_only_dashboard_refuses_to_produce_and_to_resubmit(group: Group) -> None:
    """Before it asks the cluster, which is not there."""
    site = Site(group, "127.0.0.1:1", web_read_only=True)
    for path in ("topics/orders/records", "dead-letters/dead/resubmit"):
        answer = site.post(path, {})
        assert (answer.status, answer.body["reason"]) == (403, "read-only")
        assert "web_read_only" in answer.body["detail"]


def test_writing_needs_the_token_where_there_is_one(group: Group) -> None:
    site = Site(group, "127.0.0.1:1", query_token="secret")
    assert site.post("topics/orders/records", {"value": None}).status == 401


def test_dead_letters_without_a_topic_are_said_to_have_none(group: Group) -> None:
    told = Site(group, "127.0.0.1:1").get("dead-letters").body
    assert (told["topic"], told["configured"], told["letters"]) == (None, None, [])
