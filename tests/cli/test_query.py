"""`headrace query` on a running application."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest

from streams.cli.home import Home
from streams.cli.query_client import QueryClient
from tests.cli.command_directory import TIMEOUT_S, CommandDirectory, command_directory

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def counting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandDirectory]:
    """Word count in two workers, each with the words of one partition, four in all."""
    with command_directory(tmp_path_factory.mktemp("query")) as commands:
        shutil.copy(ROOT / "examples" / "word_count" / "app.py", commands.directory / "app.py")
        process = commands.start("dev", "app.py:app", "--processes", "2", "--partitions", "2")
        try:
            assert process.stderr is not None
            commands.wait_until(lambda: shared(endpoints(commands)), "the workers do not share the partitions")
            assert commands.run("produce", "sentences", "to be or not to be").returncode == 0
            commands.wait_until(lambda: counted(endpoints(commands)), "the words are not counted")
            yield commands
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=TIMEOUT_S)


def endpoints(commands: CommandDirectory) -> list[str]:
    return [worker.endpoint for worker in Home(commands.directory / ".headrace").workers()]


def shared(endpoints: Sequence[str]) -> bool:
    """Whether each of two workers has a partition, and both know who has which: from then on nothing moves."""
    answers = [QueryClient(endpoint, None).get(("stores",), {}) for endpoint in endpoints]
    if len(answers) < 2 or any(answer.status != 200 for answer in answers):
        return False
    stores = [store for answer in answers for store in answer.body]
    return all(len(store["partitions"]) == 1 and set(store["owners"].values()) == set(endpoints) for store in stores)


def counted(endpoints: Sequence[str]) -> bool:
    """Whether each of them has all four words to tell."""
    answers = [QueryClient(endpoint, None).get(("stores", "words"), {}) for endpoint in endpoints]
    return all(answer.status == 200 and len(answer.body["rows"]) == 4 for answer in answers)


def rows(commands: CommandDirectory, *words: str) -> list[dict[str, object]]:
    done = commands.ask(*words)
    assert done.returncode == 0, done.stderr
    return [msgspec.json.decode(line) for line in done.stdout.splitlines()]


def test_query_without_a_key_gives_all_rows_of_all_workers(counting: CommandDirectory) -> None:
    found = {row["key"]: row["value"] for row in rows(counting, "query", "words", "--json")}
    assert found == {"to": 2, "be": 2, "or": 1, "not": 1}
    limited = counting.ask("query", "words", "--limit", "3")
    assert len(limited.stdout.splitlines()) == 3
    assert "there are more than 3 rows" in limited.stderr
    assert [row["key"] for row in rows(counting, "query", "words", "--prefix", "no")] == ["not"]
    assert {row["key"] for row in rows(counting, "query", "words", "--first", "be", "--last", "not")} == {"be", "not"}


def test_query_of_a_key_gives_its_row_from_either_worker(counting: CommandDirectory) -> None:
    for endpoint in endpoints(counting):
        for word, count in {"to": 2, "be": 2, "or": 1, "not": 1}.items():
            (row,) = rows(counting, "query", "words", word, "--endpoint", endpoint)
            assert (row["key"], row["value"]) == (word, count)


def test_query_without_a_store_lists_them(counting: CommandDirectory) -> None:
    (store,) = rows(counting, "query", "--json")
    assert (store["name"], store["kind"]) == ("words", "key_value")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("words", "never"), 1, "store 'words' has nothing for the key 'never'"),
        (("word", "be"), 1, "did you mean 'words'?"),
        (("words", "be", "--as-of", "5"), 1, "store 'words' is not versioned"),
        (("words", "be", "--prefix", "b"), 2, "without KEY"),
        (("words", "be", "--endpoint", "127.0.0.1:1"), 3, "no answer from the worker at 127.0.0.1:1"),
        (("words", "be", "--position", "sentences:0:999999"), 3, "and not yet at sentences:0:999999"),
    ],
)
def test_query_that_fails_says_why_with_its_exit_code(
    counting: CommandDirectory, words: tuple[str, ...], code: int, said: str
) -> None:
    done = counting.ask("query", *words)
    assert (done.returncode, done.stdout) == (code, ""), done
    assert said in done.stderr


def test_query_watch_goes_on_with_the_changes(counting: CommandDirectory) -> None:
    watching = counting.start("query", "words", "or", "--watch")
    assert watching.stdout is not None
    before = msgspec.json.decode(watching.stdout.readline())
    assert before["key"] == "or"
    assert counting.run("produce", "sentences", "or or").returncode == 0
    after = before
    while after["value"] < before["value"] + 2:
        after = msgspec.json.decode(watching.stdout.readline())
        assert after["key"] == "or"
    watching.send_signal(signal.SIGINT)
    watching.communicate(timeout=TIMEOUT_S)
    assert watching.returncode == 130
