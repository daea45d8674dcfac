"""`headrace reset`: begins again from where it is told, and refuses while somebody works."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from broker import Broker
from streams import App
from streams.cli.home import Home
from streams.testing.kafka_broker import KafkaBroker
from streams.testing.worker_run import WorkerRun
from tests.cli.conftest import Headrace

APP = """
from streams import App

app = App("visits", state_dir="state")
pages = app.stream("pages", key=str, value=str)
pages.group_by(lambda _key, page: page).count(store="by-page").to_stream().to("counts")
"""
YES = ("reset", "app.py:app", "--yes", "--json")


@pytest.fixture
def visits(
    headrace: Headrace,
    project: Path,
    kafka_broker: KafkaBroker,
    worker: Callable[..., WorkerRun],
    monkeypatch: pytest.MonkeyPatch,
) -> WorkerRun:
    """An application that has counted three pages, and still runs."""
    from streams.cli.application import load_app

    (project / "app.py").write_text(APP)
    monkeypatch.setenv("HEADRACE_BOOTSTRAP_SERVERS", kafka_broker.bootstrap_servers)
    app: App = load_app("app.py:app")
    run = worker(app, partitions=2)  # its state is in project / "state"
    pages = run.input_topic("pages")
    for number, page in enumerate(("home", "shop", "home")):
        pages.pipe(page, key="ann", timestamp=1_000 * (number + 1))
    counted = run.output_topic("counts")
    assert {counted.read().key for _ in range(3)} == {"home", "shop"}
    return run


def report(headrace: Headrace, *words: str) -> dict[str, object]:
    done = headrace(*words)
    assert done.exit_code == 0, done.output
    return msgspec.json.decode(done.stdout)


def beginnings(body: dict[str, object]) -> dict[str, int]:
    """Topic -> the sum of its partitions' new offsets."""
    sums: dict[str, int] = {}
    for row in body["offsets"]:  # type: ignore[attr-defined]
        sums[row["topic"]] = sums.get(row["topic"], 0) + row["offset"]
    return sums


def test_reset_counts_everything_again_from_empty_stores(headrace: Headrace, visits: WorkerRun, project: Path) -> None:
    """Offsets, internal topics and local state are gone; the same counts come once more, not higher ones."""
    visits.stop()
    body = report(headrace, *YES)
    assert beginnings(body) == {"pages": 0}
    assert body["deleted_topics"] == [
        "visits-by-page-repartition",
        "visits-by-page-changelog",
        "visits-task-metadata-changelog",
    ]
    assert not (project / "state" / "visits").exists()
    assert set(visits.broker.topics()) >= {"pages", "counts"}
    assert not any(topic.startswith("visits-") for topic in visits.broker.topics())
    visits.restart()
    counted = visits.output_topic("counts")
    again = [counted.read() for _ in range(3)]
    assert sorted((each.key, each.value) for each in again) == [("home", 1), ("home", 2), ("shop", 1)]


def test_reset_while_a_worker_runs_is_refused(headrace: Headrace, visits: WorkerRun) -> None:
    """Nothing is touched."""
    done = headrace(*YES)
    assert done.exit_code == 1
    assert "a worker is running" in done.stderr
    assert "visits-by-page-changelog" in visits.broker.topics()


def test_reset_dry_run_says_what_it_would_do_and_does_nothing(
    headrace: Headrace, visits: WorkerRun, project: Path
) -> None:
    """Topics, directory and offsets are as before; a topic of another application is not even mentioned."""
    visits.broker.create_topics("visits-eu", "visits-old-store-changelog")
    visits.stop()
    done = headrace("reset", "app.py:app", "--dry-run")
    assert done.exit_code == 0
    assert "delete topic visits-by-page-changelog" in done.stderr
    assert "leave topic visits-old-store-changelog: it is not of this topology" in done.stderr
    assert "visits-eu" not in done.output
    assert (project / "state" / "visits").exists()
    assert "visits-by-page-changelog" in visits.broker.topics()
    row = next(line for line in done.stdout.splitlines() if line.startswith("pages") and not line.endswith("-\t0"))
    assert row.split("\t")[2:] == ["3", "0"]


def test_reset_with_a_directory_takes_broker_and_stores_of_it(
    headrace: Headrace, running_broker: Broker, project: Path
) -> None:
    """What `headrace dev --dir DIRECTORY` has made, whatever state directory the application names."""
    (project / "app.py").write_text(APP.replace("visits", "visits-elsewhere"))
    home = Home(project / "elsewhere")
    (home.state_dir / "visits-elsewhere").mkdir(parents=True)
    with home.announce_broker(running_broker.bootstrap_servers, home.broker_dir):
        body = report(headrace, *YES, "--dir", "elsewhere", "--dry-run")
    assert body["deleted_directory"] == str(Path("elsewhere/state/visits-elsewhere"))


def test_reset_to_a_time_begins_with_its_first_record(headrace: Headrace, visits: WorkerRun) -> None:
    """The third page has 3,000 ms; what is behind the end begins at the end."""
    visits.stop()
    assert beginnings(report(headrace, *YES, "--to", "1970-01-01T00:00:03", "--dry-run")) == {"pages": 2}
    assert beginnings(report(headrace, *YES, "--to", "2030-01-01", "--dry-run")) == {"pages": 3}
    assert beginnings(report(headrace, *YES, "--to", "latest", "--dry-run")) == {"pages": 3}
    assert beginnings(report(headrace, *YES, "--to-offset", "1", "--dry-run")) == {"pages": 1}


def test_reset_of_an_unknown_topic_names_the_inputs(headrace: Headrace, visits: WorkerRun) -> None:
    """Wrong usage: exit code 2."""
    visits.stop()
    done = headrace(*YES, "--topic", "page")
    assert (done.exit_code, "'page' is no input of visits; its inputs: pages" in done.stderr) == (2, True)


def test_reset_without_yes_asks_first(headrace: Headrace, visits: WorkerRun, project: Path) -> None:
    """No is an answer."""
    visits.stop()
    assert headrace("reset", "app.py:app", stdin="n\n").exit_code == 1
    assert (project / "state" / "visits").exists()
