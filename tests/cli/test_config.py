"""`headrace config show`: values, origins, secrets."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.cli.conftest import Headrace

FILE = """
commit_interval = 0.5
state_dir = "state"

[client_config]
security.protocol = "sasl_ssl"
sasl.mechanism = "PLAIN"
sasl.password = "from-the-file"
"""
APP = """
from streams import App
app = App("orders", session_timeout=30, client_config={"sasl.mechanism": "SCRAM-SHA-256"})
app.stream("a", key=str, value=str).to("b")
"""


def shown(headrace: Headrace, *words: str) -> dict[str, tuple[object, str]]:
    done = headrace("config", "show", "--json", *words)
    assert done.exit_code == 0, done.stderr
    rows = [msgspec.json.decode(line) for line in done.stdout.splitlines()]
    return {row["setting"]: (row["value"], row["origin"]) for row in rows}


def test_config_show_with_all_kinds_of_origin_names_the_strongest(
    headrace: Headrace, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Arguments, environment, file, defaults; a client's property counts one by one."""
    (project / "headrace.toml").write_text(FILE)
    (project / "app.py").write_text(APP)
    monkeypatch.setenv("HEADRACE_COMMIT_INTERVAL", "2")
    monkeypatch.setenv("HEADRACE_CLIENT_SASL_USERNAME", "ann")
    rows = shown(headrace, "app.py:app")
    file = str(project / "headrace.toml")
    assert rows["application_id"] == ("orders", "App(…)")
    assert rows["session_timeout"] == (30.0, "App(…)")
    assert rows["commit_interval"] == (2.0, "HEADRACE_COMMIT_INTERVAL")
    assert rows["state_dir"] == (str(project / "state"), file)
    assert rows["validate_values"] == ("all", "default")
    assert rows["client_config.sasl.mechanism"] == ("SCRAM-SHA-256", "App(…)")
    assert rows["client_config.sasl.username"] == ("ann", "HEADRACE_CLIENT_SASL_USERNAME")
    assert rows["client_config.security.protocol"] == ("sasl_ssl", file)


def test_config_show_of_a_secret_masks_it(headrace: Headrace, project: Path) -> None:
    """Also in tables for people."""
    (project / "headrace.toml").write_text(FILE)
    assert shown(headrace)["client_config.sasl.password"][0] == "***"
    assert "from-the-file" not in headrace("config", "show").output


def test_config_show_with_an_unknown_variable_says_what_was_meant(
    headrace: Headrace, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A misspelt variable sets nothing, and nobody else would say so."""
    monkeypatch.setenv("HEADRACE_COMMIT_INTERVALL", "2")
    assert "did you mean HEADRACE_COMMIT_INTERVAL?" in headrace("config", "show").stderr


def test_config_show_with_a_broken_file_names_it(headrace: Headrace, project: Path) -> None:
    """The path and the place in it."""
    (project / "headrace.toml").write_text("commit_interval = \n")
    done = headrace("config", "show")
    assert done.exit_code == 1
    assert "headrace.toml is not TOML" in done.stderr
    assert "line 1" in done.stderr


def test_command_misspelt_is_answered_with_the_one_meant(headrace: Headrace) -> None:
    """At the top and within groups; wrong usage is exit code 2."""
    done = headrace("confg", "show")
    assert (done.exit_code, "did you mean 'config'?" in done.stderr) == (2, True)
    done = headrace("topics", "lst")
    assert (done.exit_code, "did you mean 'list'?" in done.stderr) == (2, True)
