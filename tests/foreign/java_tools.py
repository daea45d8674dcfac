"""Apache Kafka's command line tools against the bundled broker, their outputs compared with those on Apache Kafka.

    python -m tests.foreign.java_tools                 on the bundled broker, compared with what was recorded
    python -m tests.foreign.java_tools --record        on Apache Kafka, to record anew
    python -m tests.foreign.java_tools --only groups   steps whose names have that in them; others count for nothing

Needs Java 17 and what `make apache-kafka` fetches.
"""

from __future__ import annotations

import argparse
import difflib
import json
import re
import subprocess
import sys
import tempfile
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from bench.apache_kafka.server import ApacheKafka
from broker import Broker
from tests.foreign.apache_kafka import LOGGING, VERSION, apache_kafka, java
from tests.foreign.bundled import bundled_broker
from tests.foreign.java_differences import DIFFERENCES
from tests.foreign.java_steps import GROUPS, STEPS, Step

RECORDED = Path(__file__).parent / "recorded" / "java_tools.json"
TIMEOUT_S = 60
CLASSES = Path(__file__).parent / "target" / "tools.jsa"
"""Of the JVM that runs here; another one takes no notice of it."""

NORMAL: tuple[tuple[str, str], ...] = (
    (r"console-consumer-\d+", "GROUP"),
    (r"\b[A-Za-z0-9_-]{22}\b(?=[\s,:']|$)", "ID"),
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "UUID"),
    (r"\b1[6-9]\d{11}\b", "TIME"),
    (r"\b20\d\d-\d\d-\d\d[ T]\d\d:\d\d:\d\d[.,:]\d{3}\S*", "TIME"),
    (r"\b\d+\.\d+\b", "DECIMAL"),
    (r"/tmp/[\w-]+/(data/)?logs?\b", "LOGS"),
    (r"(?<=CONTROLLER://)[^\"]+", "CONTROLLER"),
    (r'(?<="size":)\d+', "SIZE"),
    (r"(?<=Configs: )min\.insync\.replicas=1,?", ""),
    (r"(?<=__consumer_offsets:0:)\d+", "N"),
    (r"(?<=only supports operations )\[.*\]", "OPERATIONS"),
    (r"Epoch:\s+\d+", "Epoch: N"),
    (r"\s+$", ""),
    (r"\t", " "),
    (r"(?<=\S) {2,}", " "),
)
"""What differs from run to run."""
FIGURES = re.compile(r"\b\d+\b(?! records| partitions)")
UNORDERED = (
    "ACLs",
    "topics",
    "configs: describe",
    "console: consume",
    "groups",
    "offsets: all",
    "features",
    "versions",
    "streams",
)
"""Steps whose lines come in no certain order."""
ENDLESS = {"replicas": 4}
"""Tools that go on until they are stopped, and after how many seconds."""


def normal(step: Step, text: str, servers: str, directory: str) -> list[str]:
    """Output as lines that are the same from run to run."""
    text = (
        text.replace(servers, "SERVERS").replace(servers.replace(":", " "), "SERVERS").replace(directory, "DIRECTORY")
    )
    text = text.replace(servers.rsplit(":", 1)[1], "PORT")
    lines: list[str] = []
    for line in text.splitlines():
        for pattern, replacement in NORMAL:
            line = re.sub(pattern, replacement, line)
        if step.name.startswith(("performance", "quorum")) or step.name == "transactions: describe":
            line = FIGURES.sub("N", line)
        if line.startswith('{"timestamp"'):  # Java's maps of a few entries have another order in each process
            line = ",".join(sorted(line.strip("{}").split(",")))
        lines.append(line)
    if step.name in ENDLESS:
        lines = list(dict.fromkeys(lines))  # one a round, as many as there was time for
    if step.name.startswith(UNORDERED):
        lines.sort()
    return [line for line in lines if line]


def run(step: Step, servers: str) -> list[str]:
    """The output of a tool, its exit code in the last line."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        logging = directory / "log4j2.properties"
        logging.write_text(LOGGING)
        for file, content in step.files.items():
            (directory / file).write_text(content)
        words = [word.replace("SERVERS", servers).replace("DIRECTORY", name) for word in step.arguments.split()]
        command = java(step.tool, *words, logging=logging, options=(f"-XX:SharedArchiveFile={CLASSES}",))
        try:
            ended = subprocess.run(
                command,
                input=step.stdin,
                capture_output=True,
                text=True,
                timeout=ENDLESS.get(step.name, TIMEOUT_S),
            )
            output, code = ended.stdout + ended.stderr, str(ended.returncode)
        except subprocess.TimeoutExpired as late:
            output, code = (late.stdout or b"").decode(), "none, it was stopped"
        return [*normal(step, output, servers, name), f"exit code {code}"]


def gather_classes(servers: str) -> None:
    """Keeps the classes that tools load in a file that the next ones map: they start in half the time."""
    logging = CLASSES.with_suffix(".properties")
    logging.write_text(LOGGING)
    words = ("--bootstrap-server", servers, "--list")
    options = (f"-XX:ArchiveClassesAtExit={CLASSES}",)
    subprocess.run(java(GROUPS, *words, logging=logging, options=options), capture_output=True, check=True)


def start(*, kafka: bool) -> ApacheKafka | AbstractContextManager[Broker]:
    """With ACLs, where everybody may do everything: all clients are anonymous here."""
    everybody = "User:ANONYMOUS"
    if kafka:
        authorizer = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
        return apache_kafka(**{"authorizer.class.name": authorizer, "super.users": everybody})
    return bundled_broker(authorizer=True, super_users=(everybody,))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tests.foreign.java_tools", description="Kafka's tools, compared.")
    parser.add_argument("--record", action="store_true", help="run on Apache Kafka and keep the outputs")
    parser.add_argument("--only", default="", help="only steps with that in their name")
    parser.add_argument("--servers", help="run on the broker at this address")
    chosen = parser.parse_args(arguments)
    steps = [step for step in STEPS if chosen.only in step.name]
    expected: dict[str, list[str]] = json.loads(RECORDED.read_text())["outputs"] if RECORDED.exists() else {}
    outputs: dict[str, list[str]] = {}
    failures = 0
    with nullcontext() if chosen.servers else start(kafka=chosen.record) as broker:
        servers = chosen.servers or broker.bootstrap_servers
        if not CLASSES.exists():
            gather_classes(servers)
        for step in steps:
            outputs[step.name] = run(step, servers)
            same = chosen.record or outputs[step.name] == expected.get(step.name)
            if step.name in DIFFERENCES and not chosen.record:
                print(f"{'differs no longer' if same else 'differs, as explained'}: {step.name}", flush=True)
            else:
                print(f"{'ok' if same else 'DIFFERS'}: {step.name}", flush=True)
                failures += not same
            if not same:
                for line in difflib.unified_diff(
                    expected.get(step.name, []), outputs[step.name], "Apache Kafka", "bundled", n=0, lineterm=""
                ):
                    print(f"    {line[:200]}")
    if chosen.record:
        RECORDED.parent.mkdir(exist_ok=True)
        text = {
            "origin": f"the tools of Apache Kafka {VERSION} on Apache Kafka {VERSION}",
            "outputs": {**expected, **outputs},
        }
        RECORDED.write_text(json.dumps(text, indent=1) + "\n")
    print(f"{len(steps)} calls, {failures} with differences that are not explained")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
