"""The operations guide: its manifests start what exists, its alerts ask for what is measured, its rights are enough."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi import FastAPI

from broker.metrics import METRICS as BROKER_METRICS
from streams.observe.metrics import METRICS
from streams.observe.routes import health_routes
from streams.settings import application_settings, unknown_variables
from tests.docs.markdown import BLOCK, DOCS
from tests.docs.typed_command import parsed

OPERATIONS = DOCS / "operations"
METRIC = re.compile(r"\b(?:kafka|headrace)_\w+")
LABEL = re.compile(r"\$labels\.(\w+)")
DECLARED = {metric.name: metric for metric in METRICS}


def titled(page: str, title: str) -> str:
    (text,) = (b["text"] for b in BLOCK.finditer((OPERATIONS / page).read_text()) if b["title"] == title)
    return text


def manifest(title: str) -> dict[str, Any]:
    """By kind."""
    return {each["kind"]: each for each in yaml.safe_load_all(titled("kubernetes.md", title))}


def container(kinds: Mapping[str, Any]) -> dict[str, Any]:
    (only,) = kinds["StatefulSet"]["spec"]["template"]["spec"]["containers"]
    return only


def environment(of: Mapping[str, Any]) -> dict[str, str]:
    """Secrets and names of pods stand for something."""
    return {each["name"]: each.get("value", "something") for each in of["env"]}


@pytest.mark.parametrize("title", ["worker.yaml", "broker.yaml"])
def test_manifest_is_consistent_with_itself(title: str) -> None:
    """What names or selects something in it means what is there."""
    kinds = manifest(title)
    service, stateful = kinds["Service"], kinds["StatefulSet"]["spec"]
    labels = stateful["template"]["metadata"]["labels"]
    assert stateful["serviceName"] == service["metadata"]["name"]
    assert stateful["selector"]["matchLabels"] == service["spec"]["selector"] == labels
    if "PodDisruptionBudget" in kinds:
        assert kinds["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels
    only = container(kinds)
    ports = {port["name"]: port["containerPort"] for port in only["ports"]}
    assert all(port["port"] == ports[port["name"]] for port in service["spec"]["ports"])
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert probe not in only or only[probe]["httpGet"]["port"] in ports
    (mount,), (claim,) = only["volumeMounts"], stateful["volumeClaimTemplates"]
    assert mount["name"] == claim["metadata"]["name"]


def test_manifest_of_workers_says_what_the_command_and_the_settings_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Command, variables, port, state directory; a port beyond loopback comes with a token."""
    only = container(manifest("worker.yaml"))
    name, _ = parsed(only["args"])
    assert name == "worker"
    monkeypatch.chdir(tmp_path)
    variables = {name: value for name, value in environment(only).items() if name.startswith("HEADRACE_")}
    assert unknown_variables(variables) == {}
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    settings = application_settings("shop", {})
    assert [settings.query_port] == [port["containerPort"] for port in only["ports"]]
    assert settings.query_host == "0.0.0.0"
    assert settings.query_token is not None
    assert str(settings.state_dir).startswith(only["volumeMounts"][0]["mountPath"] + "/")
    assert settings.client_config["security.protocol"] == "sasl_ssl"


def test_manifest_of_the_broker_says_what_the_command_knows() -> None:
    """Its options and its ports."""
    only = container(manifest("broker.yaml"))
    name, given = parsed(only["args"])
    assert name == "broker"
    assert {str(given["metrics_port"]), "9092"} == {str(port["containerPort"]) for port in only["ports"]}
    assert str(given["data"]).startswith(only["volumeMounts"][0]["mountPath"] + "/")


def test_probes_ask_for_what_a_worker_answers() -> None:
    """The paths are routes."""
    app = FastAPI()
    health_routes(app, object())  # type: ignore[arg-type]
    paths = {getattr(route, "path", "") for route in app.routes}
    only = container(manifest("worker.yaml"))
    probes = [only[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")]
    assert probes == ["/health/live", "/health/live", "/health/ready"]
    assert set(probes) <= paths


def test_termination_leaves_a_worker_time_to_commit() -> None:
    """More than a transaction may take."""
    stateful = manifest("worker.yaml")["StatefulSet"]["spec"]["template"]["spec"]
    options = application_settings("shop", {}).worker_options()
    assert stateful["terminationGracePeriodSeconds"] * 1_000 > options["transaction_timeout_ms"]


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(titled("monitoring.md", "alerts.yaml"))["groups"]
    return group["rules"]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_alert_asks_for_a_metric_and_labels_that_exist(rule: dict[str, Any]) -> None:
    """Counters by their increase or rate, gauges as they are."""
    (name,) = METRIC.findall(rule["expr"])
    metric = DECLARED[name]
    counts = re.search(r"\b(rate|increase)\(", rule["expr"]) is not None
    assert counts == (metric.kind == "counter")
    labels = {"instance", "job", "application_id", *metric.labels}
    grouped = re.search(r"by \((\w+)\)", rule["expr"])
    kept = {grouped[1]} if grouped else labels
    assert set(LABEL.findall(rule["annotations"]["summary"])) <= kept <= labels


@pytest.mark.parametrize("page", sorted(OPERATIONS.glob("*.md")), ids=lambda page: page.name)
def test_metrics_named_in_the_guide_exist(page: Path) -> None:
    """In tables and prose; `headrace_task_dropped_…` stands for several."""
    ours = DECLARED.keys() | {metric.name for group in BROKER_METRICS.values() for metric in group}
    named = set(re.findall(r"`((?:kafka|headrace)_[a-z_]+)(?:`|…)", page.read_text()))
    assert [name for name in named if not any(each == name or each.startswith(name) for each in ours)] == []


@pytest.mark.parametrize("page", sorted(OPERATIONS.glob("*.md")), ids=lambda page: page.name)
def test_variables_named_in_the_guide_are_settings(page: Path) -> None:
    """Misspelt ones would set nothing."""
    named = set(re.findall(r"HEADRACE_[A-Z_]*[A-Z]", page.read_text())) - {"HEADRACE_CLIENT", "HEADRACE_LOG_FORMAT"}
    assert unknown_variables(dict.fromkeys(named, "")) == {}
