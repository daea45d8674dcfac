"""The Java program in original/: Apache Kafka Streams' test driver, in one JVM for as many cases as are asked."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from tests.streams_cases.case import Case

TARGET = Path(__file__).parent / "original" / "target"
"""Where `make streams-cases` puts the program's classes and its libraries."""
OPTIONS = (
    "-Xmx1g",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",  # thousands of short topologies: what the other compiler makes never pays
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=off",
)


class KafkaStreams:
    """The running program, of which `kafka_streams` makes one."""

    def __init__(self, process: subprocess.Popen[str], errors: IO[str]) -> None:
        self._process = process
        self._errors = errors

    def answer(self, case: Case) -> dict[str, Any]:
        """`expected` and `stores`, or `expected_error`, as recorded cases have them; or `unsupported`: why the program
        cannot be asked that. Raises RuntimeError, with what the program had to say, where it ends instead."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        asked = {name: case[name] for name in ("topology", "inputs", "config") if name in case}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            self._errors.seek(0)
            raise RuntimeError(f"the Java program has ended on {json.dumps(asked)}\n{self._errors.read()}")
        return json.loads(line)


@contextmanager
def kafka_streams() -> Iterator[KafkaStreams]:
    """Until the end of the block. Raises SystemExit where the program is not built."""
    if not (TARGET / "lib").is_dir():
        raise SystemExit("the program is not built: make streams-cases")
    directory = tempfile.gettempdir()  # where stores are opened for each case: best in memory
    classpath = f"{TARGET / 'classes'}{os.pathsep}{TARGET / 'lib' / '*'}"
    command = ["java", *OPTIONS, f"-Djava.io.tmpdir={directory}", "-cp", classpath, "cases.Main"]
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as errors,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, encoding="utf-8"
        ) as process,
    ):
        yield KafkaStreams(process, errors)
