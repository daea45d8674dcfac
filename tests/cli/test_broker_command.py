"""`headrace broker`: its settings, and what it says."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import msgspec
import pytest

from broker import Broker
from broker.settings import settings
from streams.cli.broker_settings import COMMON
from tests.cli.command_directory import CommandDirectory
from tests.cli.conftest import Headrace

ROOT = Path(__file__).parents[2]
FILE = """
commit_interval = 0.5

[broker]
port = 19092
data = "log"
log.retention.hours = 24
topic_defaults = { "segment.bytes" = 1000000 }
"""


def test_start_of_the_broker_has_the_process_to_itself_and_imports_nothing_for_help_messages_and_tests() -> None:
    """It is waited for. By the installed script: hypothesis, which kio imports where it is there, takes 0.3 s alone."""
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    module, _, function = scripts["headrace"].partition(":")
    program = (
        "import json, sys\n"
        f"from {module} import {function} as headrace\n"
        "def run(self, **how):\n"
        "    import broker.server.server\n"
        "    loaded = [name for name, module in sys.modules.items() if module is not None]\n"
        "    print(json.dumps([how, field_docs.cache_info().currsize, loaded]))\n"
        "    raise SystemExit\n"
        "from broker.serving import Running\n"
        "from broker.settings.setting import field_docs\n"
        "Running.run = run\n"
        "sys.argv = ['headrace', 'broker', '--port', '0', '--fsync', 'never']\n"
        "headrace()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    how, documented, loaded = json.loads(done.stdout)
    assert how["alone"], "the process is the broker's own, and its limit of open files is to be raised"
    assert documented == 0
    heavy = ("msgspec", "difflib", "rich", "pydantic", "confluent_kafka", "hypothesis")
    assert [name for name in heavy if name in loaded] == []


def shown(headrace: Headrace, *words: str) -> dict[str, tuple[str, str]]:
    done = headrace("broker", "--show-settings", "--json", *words)
    assert done.exit_code == 0, done.stderr
    rows = [msgspec.json.decode(line) for line in done.stdout.splitlines()]
    return {row["setting"]: (row["value"], row["origin"]) for row in rows}


def test_settings_of_all_places_are_shown_with_their_origins(
    headrace: Headrace, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "headrace.toml").write_text(FILE)
    (project / "server.properties").write_text("num.partitions=3\nport=1\n")
    monkeypatch.setenv("HEADRACE_BROKER_PORT", "2")
    monkeypatch.setenv("HEADRACE_BROKER_FSYNC", "never")
    rows = shown(headrace, "--fsync", "always", "--set", "group.max.size=7", "--properties", "server.properties",
                 "--fault", "Fetch:close", "--no-auto-create-topics")  # fmt: skip
    file = str(project / "headrace.toml")
    assert rows["fsync"] == ("always", "--fsync")
    assert rows["port"] == ("2", "HEADRACE_BROKER_PORT")
    assert rows["default_partitions"] == ("3", "server.properties:1")
    assert rows["data"] == (str(project / "log"), file)
    assert rows["topic_defaults.retention.ms"] == ("86400000", file)
    assert rows["topic_defaults.segment.bytes"] == ("1000000", file)
    assert rows["group_max_size"] == ("7", "--set")
    assert rows["faults"] == ("Fetch:close", "--fault")
    assert rows["auto_create_topics"] == ("false", "--auto-create-topics")
    assert rows["host"] == ("127.0.0.1", "default")


def test_settings_file_that_is_named_counts_instead_of_the_one_here(headrace: Headrace, project: Path) -> None:
    (project / "headrace.toml").write_text(FILE)
    (project / "other.toml").write_text("[broker]\nnum.partitions = 5\n")
    rows = shown(headrace, "--config", "other.toml")
    assert (rows["default_partitions"][0], rows["port"]) == ("5", ("9092", "default"))


def test_every_setting_is_an_option_and_the_common_ones_are_in_the_help(headrace: Headrace) -> None:
    text = headrace("broker", "--help").stdout
    flags = {name.replace(".", "_"): setting.flag for name, setting in settings().items()}
    assert [name for name in COMMON if name != "faults" and flags[name] not in text] == []
    rows = shown(headrace, "--cleaner-backoff-ms", "5")
    assert rows["cleaner_backoff_ms"] == ("5", "--cleaner-backoff-ms")


def test_applications_pass_over_the_brokers_table(headrace: Headrace, project: Path) -> None:
    (project / "headrace.toml").write_text(FILE)
    done = headrace("config", "show", "--json")
    assert done.exit_code == 0, done.stderr
    assert "19092" not in done.stdout


def test_variables_of_the_broker_are_no_strangers_to_applications(
    headrace: Headrace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_BROKER_PORT", "2")
    assert "HEADRACE_BROKER_PORT" not in headrace("config", "show").stderr


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--port", "x"), "--port: 'x' does not fit"),
        (("--set", "num.partitons=3"), "did you mean num.partitions?"),
        (("--properties", "none"), "cannot read none"),
        (("--fault", "Fetsh:close"), "did you mean 'Fetch'?"),
    ],
)
def test_setting_that_is_none_ends_the_command_with_one_line(
    headrace: Headrace, words: tuple[str, ...], problem: str
) -> None:
    done = headrace("broker", *words)
    assert done.exit_code == 1
    assert problem in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_property_that_does_nothing_is_taken_with_a_note(headrace: Headrace) -> None:
    done = headrace("broker", "--show-settings", "--set", "num.io.threads=8")
    assert done.exit_code == 0
    assert "num.io.threads (--set) does nothing here: one process with one event loop serves all" in done.stderr


# -- what it says ------------------------------------------------------------------------------------------------------
def said(commands: CommandDirectory, *words: str) -> tuple[str, str]:
    """What it says on stderr at the start and at the end."""
    process = commands.start("broker", "--port", "0", *words)
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline()
    begin = ""
    while "Ctrl-C ends" not in begin:
        begin += process.stderr.readline()
    process.terminate()
    _, end = process.communicate(timeout=60)
    assert process.returncode == 0
    return begin, end


def test_broker_says_what_it_promises_and_what_it_did(commands: CommandDirectory) -> None:
    begin, end = said(commands)
    assert "broker at 127.0.0.1:" in begin
    assert "log in .headrace/broker: 0 topics, 0 partitions, 0 bytes\n" in begin
    assert "fsync=always: what was acknowledged survives the loss of power" in begin
    assert "no passwords and no encryption: for programs on this machine" in begin
    assert "stopped cleanly after" in end


def test_broker_that_is_open_to_the_network_says_that_it_is_not_safe(commands: CommandDirectory) -> None:
    begin, _ = said(commands, "--host", "0.0.0.0", "--fsync", "never", "--metrics-port", "0", "--fault", "Fetch:close")
    assert "is open to the network without authentication: whoever reaches it can read and change" in begin
    assert "for programs on this machine" not in begin
    assert "not the loss of power" in begin
    assert "metrics at http://127.0.0.1:" in begin
    assert "faults on purpose: Fetch:close" in begin


def test_second_broker_on_the_same_directory_is_told_who_has_it(commands: CommandDirectory) -> None:
    with Broker(commands.directory / ".headrace" / "broker") as broker:
        done = commands.run("broker", "--port", "0")
        assert broker.process is not None
        assert f"in use by another broker (process {broker.process.pid}); stop it, or choose another" in done.stderr
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
