"""The recorded cases through the Java program: it has to answer what was recorded, so that its new answers count.

    python -m tests.streams_cases.prove                  all of tests/conformance/vectors
    python -m tests.streams_cases.prove suppress table   some families

The last line says how many are not as recorded. Needs Java 17 and what `make streams-cases` builds.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from typing import Any

from tests.conformance.comparison import difference
from tests.conformance.test_vectors import VECTORS
from tests.streams_cases.case import Case
from tests.streams_cases.kafka_streams import kafka_streams

FAMILIES = tuple(sorted(file.name.removesuffix(".jsonl.gz") for file in VECTORS.glob("*.jsonl.gz")))


def unlike(case: Case, answer: dict[str, Any]) -> str | None:
    """None, or how the answer is not what was recorded; what else would be accepted of headrace does not count."""
    if "unsupported" in answer:
        return f"cannot be translated: {answer['unsupported']}"
    if "expected_error" in case or "expected_error" in answer:
        wanted, got = case.get("expected_error"), answer.get("expected_error")
        return None if (wanted is None) == (got is None) else f"expected {wanted}, got {got}"
    recorded = {"inputs": case["inputs"], "expected": case["expected"], "stores": case.get("stores")}
    return difference(recorded, answer["expected"], answer["stores"])


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tests.streams_cases.prove", description="Recorded cases, recorded again.")
    parser.add_argument("families", nargs="*", default=FAMILIES, help=", ".join(FAMILIES))
    chosen = parser.parse_args(arguments)
    ran = failures = 0
    with kafka_streams() as original:
        for family in chosen.families:
            with gzip.open(VECTORS / f"{family}.jsonl.gz", "rt", encoding="utf-8") as lines:
                for line in lines:
                    case: Case = json.loads(line)
                    ran += 1
                    why = unlike(case, original.answer(case))
                    if why is not None:
                        failures += 1
                        print(f"{case['name']}: {why}", flush=True)
    print(f"{ran} recorded cases, {failures} not as recorded")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
