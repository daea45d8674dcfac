"""The topology as JSON, for programs."""

from __future__ import annotations

import json
from typing import Any

from streams.plan.plan import Plan, StorePlan, Subtopology
from streams.render.sketch import steps
from streams.render.store import limits


def document(plan: Plan) -> str:
    """JSON with the keys below; lists in the order of declaration, keys in this one.

    application_id
    subtopologies[]   index, sources[] (topic, role: stream, table or repartition), sinks[] (topics), steps[], stores[]
      steps[]         name, role (source, processor, sink), operator, topics[], stores[], successors[], predecessors[],
                      declared ("file:line" or null)
      stores[]        name, kind (key_value, window, …), changelog (topic or null), key_serde, persistent, custom,
                      filled_by (topic or null), caching, changelog_settings{}, limits{} (ttl_ms, max_entries,
                      retention_ms, history_ms, where there are any)
    global_stores[]   as stores[]
    copartitioned[]   lists of topics that need equal partition counts
    """
    return json.dumps(description(plan), indent=2, ensure_ascii=False) + "\n"


def description(plan: Plan) -> dict[str, Any]:
    """The same before it is text."""
    return {
        "application_id": plan.application_id,
        "subtopologies": [_subtopology(subtopology) for subtopology in plan.subtopologies],
        "global_stores": [_store(store) for store in plan.global_stores],
        "copartitioned": [list(group.topics) for group in plan.copartitioned],
    }


def _subtopology(subtopology: Subtopology) -> dict[str, Any]:
    return {
        "index": subtopology.index,
        "sources": [{"topic": source.topic, "role": source.role} for source in subtopology.sources],
        "sinks": list(subtopology.sinks),
        "steps": [
            {
                "name": step.name,
                "role": step.role,
                "operator": step.operator,
                "topics": list(step.topics),
                "stores": list(step.stores),
                "successors": list(step.successors),
                "predecessors": list(step.predecessors),
                "declared": str(step.origin) if step.origin is not None else None,
            }
            for step in steps(subtopology)
        ],
        "stores": [_store(store) for store in subtopology.stores],
    }


def _store(store: StorePlan) -> dict[str, Any]:
    return {
        "name": store.name,
        "kind": store.kind,
        "changelog": store.changelog,
        "key_serde": store.key_serde.name,
        "persistent": store.spec.persistent,
        "custom": store.spec.kind == "custom" or getattr(store.spec, "custom", None) is not None,
        "filled_by": store.source,
        "caching": store.caching,
        "changelog_settings": dict(store.changelog_settings),
        "limits": limits(store),
    }
