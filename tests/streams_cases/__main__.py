"""Random cases on Apache Kafka Streams and on headrace: what comes out of one has to come out of the other.

    python -m tests.streams_cases                                   a minute, from a seed that it prints
    python -m tests.streams_cases --seed 7 --seconds 600            from case 7 of each family on
    python -m tests.streams_cases --family composed --family table  only these
    python -m tests.streams_cases --case FILE                       one case, a JSON object; both answers are printed

A difference is shrunk and printed, with the case as JSON for `--case` and the options that bring it out again. The
last line says how many there are; documented ones are counted by name. Needs Java 17 and what `make streams-cases`
builds.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from collections import Counter
from pathlib import Path

from tests.conformance.adapter import run_case
from tests.streams_cases.case import Case, shown
from tests.streams_cases.explained import Explained, explanation
from tests.streams_cases.generator import NAMES, generated
from tests.streams_cases.kafka_streams import KafkaStreams, kafka_streams
from tests.streams_cases.shrinking import shrunk
from tests.streams_cases.verdict import Verdict, judged


class Comparison:
    """Counts verdicts, and prints those that are findings."""

    def __init__(self, original: KafkaStreams) -> None:
        self.original = original
        self.verdicts: Counter[str] = Counter()
        self.findings = 0

    def verdict(self, case: Case) -> tuple[Verdict, Explained | None]:
        answer = self.original.answer(case)
        verdict = judged(case, answer)
        return verdict, None if verdict.agrees else explanation(case, answer, verdict)

    def compare(self, family: str, seed: int) -> None:
        case = generated(family, seed)
        first, maybe = self.verdict(case)
        if first.agrees:
            self.verdicts[first.kind.value] += 1
            return

        def shows(candidate: Case) -> bool:
            """A finding is not shrunk to what is explained; whether that is all there is, is told by what is left."""
            verdict, explained = self.verdict(candidate)
            return verdict.like(first) and (explained is None or maybe is not None)

        small = shrunk(case, shows)
        verdict, explained = self.verdict(small)
        if explained is not None:
            self.verdicts[f"differs, as explained: {explained.name}"] += 1
            return
        self.verdicts[verdict.kind.value] += 1
        self.findings += 1
        print(f"\n{verdict.kind.value} (--family {family} --seed {seed} --cases 1)\n{shown(small)}")
        print(f"    {json.dumps(small)}\n    {verdict.why}", flush=True)


def once(original: KafkaStreams, case: Case) -> bool:
    """Prints both answers to a case; whether they agree."""
    answer = original.answer(case)
    verdict = judged(case, answer)
    print(f"{shown(case)}\nKafka Streams:\n{json.dumps(answer, indent=1)}\n{verdict.kind.value}: {verdict.why}")
    if "expected" in answer:
        print(f"headrace:\n{json.dumps(run_case(case), indent=1)}")
    return verdict.agrees


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tests.streams_cases", description="Random cases, compared.")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the first case (default: a new one)")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long (default: %(default)s)")
    parser.add_argument("--cases", type=int, help="how many of each family at most")
    parser.add_argument("--family", action="append", choices=NAMES, help="only these (default: all)")
    parser.add_argument("--findings", type=int, default=5, help="end after so many (default: %(default)s)")
    parser.add_argument("--case", type=Path, help="a file with one case, which is compared alone")
    chosen = parser.parse_args(arguments)
    families = chosen.family or NAMES
    with kafka_streams() as original:
        if chosen.case:
            return 0 if once(original, json.loads(chosen.case.read_text())) else 1
        print(f"from seed {chosen.seed}", flush=True)
        comparison = Comparison(original)
        ends = time.monotonic() + chosen.seconds
        seed = chosen.seed
        for number in itertools.count() if chosen.cases is None else range(chosen.cases * len(families)):
            if time.monotonic() >= ends or comparison.findings >= chosen.findings:
                break
            seed = chosen.seed + number // len(families)
            comparison.compare(families[number % len(families)], seed)
    for what, times in comparison.verdicts.most_common():
        print(f"{times:7} {what}")
    print(f"{comparison.verdicts.total()} cases up to seed {seed}, {comparison.findings} differences not explained")
    return 1 if comparison.findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
