"""franz-go's own tests of its client `kgo` against the bundled broker.

    python -m tests.foreign.kgo                          all of them, with half a million records each way
    python -m tests.foreign.kgo --records 50000          with fewer records: two minutes instead of ten
    python -m tests.foreign.kgo --run TestTxnEtl         some of them, by Go's regular expression
    python -m tests.foreign.kgo --seeds 127.0.0.1:9092   against another broker

Needs Go, and the Go module proxy the first time. What fails is printed; its output is in target/kgo.log.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from contextlib import nullcontext
from pathlib import Path

from broker.security.sasl import Sasl
from broker.server.listener import Listener
from tests.foreign.bundled import bundled_broker

TARGET = Path(__file__).parent / "target"
VERSION = "v1.22.2"
MODULE = "github.com/twmb/franz-go"
USER, PASSWORD = "kgo", "a secret"
OUTCOME = re.compile(r"^(\s*)--- (PASS|FAIL|SKIP): (\S+)", re.MULTILINE)


def build() -> tuple[Path, Path]:
    """The test program and the directory of its sources, which one test reads."""
    go = shutil.which("go")
    if go is None:
        raise SystemExit("kgo's tests need Go (https://go.dev/dl)")
    work = TARGET / "kgo"
    program = work / f"kgo-{VERSION}.test"
    work.mkdir(parents=True, exist_ok=True)
    if not (work / "go.mod").exists():
        subprocess.run([go, "mod", "init", "kgotests"], cwd=work, check=True)
        subprocess.run([go, "get", "-t", f"{MODULE}/pkg/kgo@{VERSION}"], cwd=work, check=True)
    if not program.exists():
        subprocess.run([go, "test", "-c", "-o", str(program), f"{MODULE}/pkg/kgo"], cwd=work, check=True)
    where = [go, "list", "-f", "{{.Dir}}", f"{MODULE}/pkg/kgo"]
    sources = subprocess.run(where, cwd=work, check=True, capture_output=True, text=True).stdout.strip()
    return program, Path(sources)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tests.foreign.kgo", description="kgo's tests against the bundled broker.")
    parser.add_argument("--records", type=int, help="records of the long tests (default: kgo's 500000)")
    parser.add_argument("--run", default=".", help="regular expression of tests")
    parser.add_argument("--skip", default="^$", help="regular expression of tests to leave out")
    parser.add_argument("--seeds", help="address of another broker")
    parser.add_argument("--minutes", type=int, default=30, help="after which all fails")
    chosen = parser.parse_args(arguments)
    program, sources = build()
    log = TARGET / "kgo.log"
    listeners = (Listener(), Listener(protocol="SASL_PLAINTEXT"))
    sasl = Sasl(users={USER: PASSWORD})
    with nullcontext() if chosen.seeds else bundled_broker(listeners=listeners, sasl=sasl) as broker:
        environment = {
            **os.environ,
            "KGO_SEEDS": broker.bootstrap_servers if broker is not None else chosen.seeds,
            "KGO_TEST_RF": "1",
            "KGO_LOG_LEVEL": "none",
        }
        if broker is not None:
            environment["KGO_TEST_SCRAM"] = f"{USER}:{PASSWORD}"
            environment["KGO_TEST_SCRAM_SEEDS"] = broker.endpoints[1].address
        if chosen.records:
            environment["KGO_TEST_RECORDS"] = str(chosen.records)
        options = [f"-test.run={chosen.run}", f"-test.skip={chosen.skip}", f"-test.timeout={chosen.minutes}m"]
        with log.open("wb") as out:
            command = [str(program), "-test.v", *options]
            code = subprocess.run(command, cwd=sources, env=environment, stdout=out, stderr=out).returncode
    outcomes = OUTCOME.findall(log.read_text(errors="replace"))
    for wanted in ("FAIL", "SKIP"):
        for _, outcome, name in outcomes:
            if outcome == wanted:
                print(f"{outcome} {name}")
    for what, chosen_ones in (
        ("tests", [o for indent, o, _ in outcomes if not indent]),
        ("with their parts", [o for _, o, _ in outcomes]),
    ):
        counts = Counter(chosen_ones)
        print(f"{what}: {counts['PASS']} passed, {counts['FAIL']} failed, {counts['SKIP']} skipped")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
