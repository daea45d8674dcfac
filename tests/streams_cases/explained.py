"""Differences that are meant: docs/differs.md says why. Everything else that differs is a finding.

Only those are here that the generator cannot keep clear of; `operators.py` and `composed.py` say what it does not make.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.streams_cases.case import Case, Op
from tests.streams_cases.verdict import Kind, Verdict


@dataclass(frozen=True)
class Explained:
    name: str
    row: str
    """How the first column of its row in docs/differs.md begins."""
    applies: Callable[[Case, dict[str, Any], Verdict], bool]
    """To a case, what Kafka Streams answers to it, and the verdict."""


def _left_join_with_grace_without_key(case: Case, answer: dict[str, Any], verdict: Verdict) -> bool:
    errors = [record["error"] for step in answer.get("expected", ()) for record in step if "error" in record]
    grace = any(op["op"] == "left_join" and "grace" in op for op in case["topology"])
    return verdict.kind is Kind.DIFFERENT and grace and any("key cannot be null" in error for error in errors)


def _cogroup_of_groups_without_names(case: Case, answer: dict[str, Any], verdict: Verdict) -> bool:
    cogroup = any(op["op"] == "cogroup" for op in case["topology"])
    return verdict.kind is Kind.ONLY_KAFKA_STREAMS_REFUSES and cogroup and "is already added" in verdict.why


def _get_in_store_with_duplicates(case: Case, answer: dict[str, Any], verdict: Verdict) -> bool:
    duplicates = any(op.get("store_type", "").endswith(":duplicates") for op in case["topology"])
    return verdict.kind is Kind.DIFFERENT and duplicates and "'value': 'get " in verdict.why


def _stream_joined_with_itself_in_one_store(case: Case, answer: dict[str, Any], verdict: Verdict) -> bool:
    ops: dict[str, Op] = {op["id"]: op for op in case["topology"] if "id" in op}

    def source(identity: str) -> str:
        """Streams of one topic are one where topologies are optimized."""
        op = ops.get(identity, {})
        return f"topic {op['topic']}" if op.get("op") == "stream" else identity

    joins = [op for op in ops.values() if op["op"] == "join" and "key_fn" not in op]
    itself = any(source(op["left"]) == source(op["right"]) for op in joins)
    return verdict.kind is Kind.DIFFERENT and itself and "optimization" in case.get("config", {})


EXPLAINED = (
    Explained(
        "null key in a left join with grace",
        "Left stream-table join with grace, record without a key",
        _left_join_with_grace_without_key,
    ),
    Explained(
        "cogroup of groups without names",
        "`cogroup` of streams that need repartition topics and have no names",
        _cogroup_of_groups_without_names,
    ),
    Explained(
        "get in a window store with duplicates",
        "`get` of a window store that keeps duplicates",
        _get_in_store_with_duplicates,
    ),
    Explained(
        "self-join in one store",
        "A stream joined with itself, in one store",
        _stream_joined_with_itself_in_one_store,
    ),
)


def explanation(case: Case, answer: dict[str, Any], verdict: Verdict) -> Explained | None:
    return next((each for each in EXPLAINED if each.applies(case, answer, verdict)), None)
