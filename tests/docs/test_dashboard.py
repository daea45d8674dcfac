"""The Grafana dashboard asks for metrics and labels that exist."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streams.observe.metrics import METRICS

DASHBOARD = json.loads((Path(__file__).parents[2] / "docs" / "grafana" / "headrace.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
METRIC = re.compile(r"\b(?:kafka|headrace|process)_\w+")
GROUPED = re.compile(r"\bby \(([^)]*)\)")
LEGEND = re.compile(r"{{(\w+)}}")
OF_THE_PROCESS = {"process_cpu_seconds_total", "process_resident_memory_bytes"}
"""What prometheus_client gives of itself, on Linux."""
OF_PROMETHEUS = {"instance", "job"}
DECLARED = {metric.name: metric for metric in METRICS}


def targets() -> Iterator[Any]:
    for panel in PANELS:
        for target in panel["targets"]:
            yield pytest.param(target, id=f"{panel['title']} {target['refId']}")


@pytest.mark.parametrize("target", [*targets()])
def test_query_names_metrics_and_labels_that_exist(target: dict[str, Any]) -> None:
    """Labels in the grouping and in the legend are among the metric's; counters are asked for their rate."""
    (name,) = set(METRIC.findall(target["expr"]))
    shown = LEGEND.findall(target["legendFormat"])
    if name in OF_THE_PROCESS:
        assert set(shown) <= OF_PROMETHEUS
        return
    assert name in DECLARED, name
    labels = set(DECLARED[name].labels) | OF_PROMETHEUS
    grouping = GROUPED.search(target["expr"])
    kept = {label.strip() for label in grouping[1].split(",")} if grouping else labels
    assert kept <= labels
    assert set(shown) <= kept
    counts = DECLARED[name].kind == "counter"
    assert counts == bool(re.search(r"rate\(|increase\(", target["expr"]))


def test_every_query_is_of_the_chosen_application() -> None:
    for panel in PANELS:
        for target in panel["targets"]:
            assert 'instance=~"$instance"' in target["expr"]
            assert 'application_id=~"$application"' in target["expr"] or "process_" in target["expr"]


def test_variables_read_a_metric_that_exists() -> None:
    queries = [each["query"]["query"] for each in DASHBOARD["templating"]["list"] if each["type"] == "query"]
    assert len(queries) == 2
    for query in queries:
        assert METRIC.findall(query)[0] in DECLARED


def test_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + dx, at["y"] + dy) for dx in range(at["w"]) for dy in range(at["h"])}
        assert not taken & cells, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
