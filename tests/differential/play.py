"""Plays scripts against a broker, and keeps what Apache Kafka answered.

    python -m tests.differential.play                   records Apache Kafka's answers anew (after `make apache-kafka`)
python -m tests.differential.play topics fetch      of these scripts only
python -m tests.differential.play --compare         only compares the bundled broker's answers, and lists what differs
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from broker import Broker
from tests.differential.answer import Tree
from tests.differential.comparison import differences
from tests.differential.explained import MEANT
from tests.differential.session import Session

HERE = Path(__file__).parent
SCRIPTS = tuple(sorted(path.stem for path in (HERE / "scripts").glob("[a-z]*.py")))
RECORDED = HERE / "recorded"
AS_KAFKA = {"group_heartbeat_hold_ms": 0}
"""How the bundled broker is started: a script waits for each answer, so held heartbeats would only take time."""


def play(script: str, bootstrap_servers: str) -> Mapping[str, Tree]:
    """The answers to a script's steps."""
    with Session(bootstrap_servers) as session:
        import_module(f"tests.differential.scripts.{script}").play(session)
        return session.answers


def recorded(script: str) -> Mapping[str, Tree]:
    """Apache Kafka's answers."""
    return json.loads((RECORDED / f"{script}.json").read_text())["answers"]


def record(scripts: tuple[str, ...]) -> None:
    from tests.foreign.apache_kafka import VERSION, apache_kafka

    for script in scripts:
        with apache_kafka() as kafka:
            answers = play(script, kafka.bootstrap_servers)
        origin = f"Apache Kafka {VERSION}, one node, played on {datetime.now(UTC):%Y-%m-%d}"
        steps = ",\n".join(f"{json.dumps(step)}: {json.dumps(answer)}" for step, answer in answers.items())
        text = f'{{"origin": {json.dumps(origin)},\n"answers": {{\n{steps}\n}}}}\n'
        RECORDED.mkdir(exist_ok=True)
        (RECORDED / f"{script}.json").write_text(text)
        print(f"{script}: {len(answers)} steps recorded")


def compare(script: str) -> int:
    """Prints what differs without an explanation; how many that are."""
    with Broker(config=AS_KAFKA) as broker:
        ours = play(script, broker.bootstrap_servers)
    found = list(differences(recorded(script), ours))
    open_ones = [one for one in found if not any(known.covers(script, one) for known in MEANT)]
    print(f"{script}: {len(ours)} steps, {len(found)} differences, {len(open_ones)} of them not explained")
    for one in open_ones:
        print(f"  {one}")
    return len(open_ones)


def main(arguments: list[str]) -> int:
    scripts = tuple(name for name in arguments if not name.startswith("-")) or SCRIPTS
    if "--compare" not in arguments:
        record(scripts)
    return 1 if sum([compare(script) for script in scripts]) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
