"""`headrace dev`, `headrace worker` and `headrace broker` as people run them."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import psutil
import pytest

from broker import Broker
from tests.cli.command_directory import TIMEOUT_S, CommandDirectory

ROOT = Path(__file__).parents[2]
COUNTS = ("consume", "counts", "--until-end", "--value-type", "int")


@pytest.fixture
def word_count(commands: CommandDirectory) -> CommandDirectory:
    """The directory with the word-count example in it."""
    shutil.copy(ROOT / "examples" / "word_count" / "app.py", commands.directory / "app.py")
    return commands


@contextmanager
def running(commands: CommandDirectory, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A command that runs until the block ends, with Ctrl-C; what it said is in `said.txt`."""
    said = commands.directory / "said.txt"
    with said.open("w") as file:
        process = commands.start(*words, stderr=file)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=TIMEOUT_S)


def wait_for_text(commands: CommandDirectory, text: str, times: int = 1) -> None:
    said = commands.directory / "said.txt"
    try:
        commands.wait_until(lambda: said.read_text().count(text) >= times, f"{text!r} never came")
    except AssertionError as error:
        raise AssertionError(f"{error}; what came: {said.read_text()}") from error


def told(commands: CommandDirectory, pattern: str) -> str:
    """What the command said there."""
    found = re.search(pattern, (commands.directory / "said.txt").read_text())
    assert found is not None, f"{pattern!r} never came"
    return found[1]


def newest_counts(commands: CommandDirectory, *options: str) -> dict[str, int]:
    lines = commands.ask(*COUNTS, *options).stdout.splitlines()
    return {key: int(value) for _, key, value in (line.split("\t") for line in lines)}


def members(commands: CommandDirectory, *options: str) -> int:
    """How many workers are in the word-count group."""
    done = commands.ask("groups", "describe", "word-count", "--json", *options)
    return len(msgspec.json.decode(done.stdout)["members"]) if done.returncode == 0 else 0


def test_dev_runs_an_application_and_goes_on_with_its_state(word_count: CommandDirectory) -> None:
    """Produce, consume and query find the broker by themselves; after a restart counting goes on."""
    commands = word_count
    with running(commands, "dev", "app.py:app") as process:
        wait_for_text(commands, "running 0_0, 1_0")
        assert commands.run("produce", "sentences", "to be or not to be").returncode == 0
        commands.wait_until(lambda: newest_counts(commands).get("be") == 2, "the words are not counted")
        commands.wait_until(lambda: commands.ask("query", "words", "be").returncode == 0, "the store does not answer")
        row = msgspec.json.decode(commands.run("query", "words", "be").stdout)
        assert (row["key"], row["value"]) == ("be", 2)
        with urllib.request.urlopen(told(commands, r"dashboard at (\S+)"), timeout=TIMEOUT_S) as page:
            assert b"<title>headrace</title>" in page.read()
        unknown = commands.run("query", "words", "never")
        assert (unknown.returncode, unknown.stdout) == (1, "")
    assert process.returncode == 130
    assert commands.processes() == []
    assert sorted(path.name for path in (commands.directory / ".headrace").iterdir()) == ["broker", "state"]
    with running(commands, "dev", "app.py:app"):
        wait_for_text(commands, "running 0_0, 1_0")
        commands.run("produce", "sentences", "be")
        commands.wait_until(lambda: newest_counts(commands).get("be") == 3, "the count does not go on")


def test_dev_runs_what_was_saved_and_keeps_its_state(word_count: CommandDirectory) -> None:
    """A good save is run; one that does not load leaves the workers alone, and says where it fails."""
    commands = word_count
    program = commands.directory / "app.py"
    with running(commands, "dev", "app.py:app"):
        wait_for_text(commands, "running 0_0, 1_0")
        commands.run("produce", "sentences", "be")
        commands.wait_until(lambda: newest_counts(commands).get("be") == 1, "the word is not counted")
        good = program.read_text()
        program.write_text(good + "\napp.oops(\n")
        wait_for_text(commands, "the workers go on with what they have")
        wait_for_text(commands, "'(' was never closed")
        program.write_text(good.replace("sentence.lower()", "sentence.replace('it', 'be')"))
        wait_for_text(commands, "saved: running it")
        wait_for_text(commands, "running 0_0, 1_0", times=2)
        commands.run("produce", "sentences", "it")
        commands.wait_until(lambda: newest_counts(commands).get("be") == 2, "the count does not go on")


def test_dev_uses_a_broker_that_runs_here(word_count: CommandDirectory) -> None:
    """Two applications in one directory share one log."""
    commands = word_count
    with Broker(commands.directory / ".headrace" / "broker") as broker:
        (commands.directory / ".headrace" / "broker.json").write_text(
            f'{{"bootstrap_servers": "{broker.bootstrap_servers}", "pid": 1, "data_dir": "x"}}'
        )
        with running(commands, "dev", "app.py:app"):
            wait_for_text(commands, "running 0_0, 1_0")
        assert f"using the broker at {broker.bootstrap_servers}" in (commands.directory / "said.txt").read_text()


@pytest.mark.parametrize(
    ("program", "code", "said"),
    [
        ("from streams import App\napp = App('x')\napp.stream([])\n", 1, r"app\.py:3: stream needs at least one topic"),
        ("app = 3\n", 2, "'app' in app.py is a int, not an App"),
        ("import nothing_of_that_name\n", 1, "No module named 'nothing_of_that_name'"),
    ],
)
def test_dev_wrong_program_is_said_before_anything_starts(
    commands: CommandDirectory, program: str, code: int, said: str
) -> None:
    """The user's line; nothing is left."""
    (commands.directory / "app.py").write_text(program)
    done = commands.run("dev", "app.py:app")
    assert done.returncode == code
    assert re.search(said, done.stderr), done.stderr
    assert not (commands.directory / ".headrace").exists()


def test_worker_sigterm_leaves_the_group(word_count: CommandDirectory) -> None:
    """Exit code 0, and no member stays behind for others to wait for."""
    commands = word_count
    with Broker() as broker:
        address = ("--bootstrap-servers", broker.bootstrap_servers)
        commands.run("topics", "create", "sentences", *address)
        with running(commands, "worker", "app.py:app", *address) as process:
            wait_for_text(commands, "running 0_0, 1_0")
            assert members(commands, *address) == 1
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=TIMEOUT_S)
            assert process.returncode == 0
        assert members(commands, *address) == 0


def test_worker_processes_restart_after_a_crash_and_end_on_sigterm(word_count: CommandDirectory) -> None:
    """kill -9 of one of two: it is started again and nothing is missing; SIGTERM ends all with exit code 0."""
    commands = word_count
    with Broker() as broker:
        address = ("--bootstrap-servers", broker.bootstrap_servers)
        commands.run("topics", "create", "sentences", "--partitions", "2", *address)
        with running(commands, "worker", "app.py:app", "--processes", "2", *address) as process:
            commands.wait_until(lambda: members(commands, *address) == 2, "they are not two")
            commands.run("produce", "sentences", *["a"] * 10, *address)
            commands.wait_until(lambda: newest_counts(commands, *address).get("a") == 10, "not counted")
            child = psutil.Process(process.pid).children()[0]
            child.kill()
            wait_for_text(commands, "was killed by signal 9; starting it again in 0.5 s")
            commands.run("produce", "sentences", *["a"] * 10, *address)
            commands.wait_until(lambda: newest_counts(commands, *address).get("a", 0) >= 20, "not counted")
            process.send_signal(signal.SIGUSR1)
            wait_for_text(commands, "stream_thread.py")
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=TIMEOUT_S)
            assert process.returncode == 0


def test_worker_that_cannot_decode_names_the_record_and_gives_up(word_count: CommandDirectory) -> None:
    """A poison record is not retried for ever: one clear line, exit code 1."""
    commands = word_count
    (commands.directory / "app.py").write_text(
        "from streams import App\napp = App('x')\napp.stream('numbers', key=str, value=dict).to('out')\n"
    )
    with Broker() as broker:
        address = ("--bootstrap-servers", broker.bootstrap_servers)
        commands.run("produce", "numbers", "not json", *address)
        done = commands.run("worker", "app.py:app", *address)
        assert done.returncode == 1
        assert re.search(r"^Error: the value of numbers\[0\] at offset 0 is no valid ", done.stderr, re.MULTILINE), (
            done.stderr
        )
        assert "without tasks" not in done.stderr, "nobody else has them"


def test_worker_without_a_broker_says_where_it_looked(word_count: CommandDirectory) -> None:
    """At once, in one line."""
    done = word_count.run("worker", "app.py:app", "--bootstrap-servers", "127.0.0.1:1")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: no broker answers at 127.0.0.1:1 (as given)")
    assert done.stderr.count("\n") == 1


def test_worker_without_its_topics_says_how_to_make_them(word_count: CommandDirectory) -> None:
    """A worker does not invent source topics."""
    with Broker() as broker:
        done = word_count.run("worker", "app.py:app", "--bootstrap-servers", broker.bootstrap_servers)
    assert done.returncode == 1
    assert "source topic 'sentences' does not exist: create it (headrace topics create sentences)" in done.stderr


def test_broker_command_prints_its_address_and_ends_on_signals(commands: CommandDirectory) -> None:
    """Ready when the address is printed; found by other commands; 130 after Ctrl-C, 0 after SIGTERM."""
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 0)):
        process = commands.start("broker", "--port", "0")
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address.startswith("127.0.0.1:")
        listed = commands.run("topics", "list", "--json")
        assert listed.returncode == 0, listed.stderr
        process.send_signal(number)
        process.communicate(timeout=TIMEOUT_S)
        assert process.returncode == code
        assert not (commands.directory / ".headrace" / "broker.json").exists()


def test_broker_command_port_in_use_is_one_line(commands: CommandDirectory) -> None:
    """Which port, exit code 1."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = commands.run("broker", "--port", str(port))
    assert done.returncode == 1
    assert str(port) in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_query_runs_a_worker_for_one_question(word_count: CommandDirectory) -> None:
    """With --app nothing has to run: broker and worker come and go with the command."""
    commands = word_count
    with running(commands, "dev", "app.py:app"):
        wait_for_text(commands, "running 0_0, 1_0")
        commands.run("produce", "sentences", "hello")
        commands.wait_until(lambda: newest_counts(commands).get("hello") == 1, "not counted")
    none = commands.run("query", "words", "hello")
    assert none.returncode == 1
    assert "no worker is running" in none.stderr
    found = commands.run("query", "words", "hello", "--app", "app.py:app")
    assert found.returncode == 0, found.stderr
    assert msgspec.json.decode(found.stdout)["value"] == 1
    assert found.stderr == ""


def test_broker_with_a_schema_registry_says_where_it_is(commands: CommandDirectory) -> None:
    with running(commands, "broker", "--port", "0", "--schema-registry-port", "0"):
        wait_for_text(commands, "schema registry at http://127.0.0.1:")
        wait_for_text(commands, "Ctrl-C ends")
        (url,) = re.findall(r"schema registry at (\S+)", (commands.directory / "said.txt").read_text())
        with urllib.request.urlopen(f"{url}/subjects", timeout=TIMEOUT_S) as answer:
            assert json.load(answer) == []
