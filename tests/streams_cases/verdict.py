"""Whether headrace does with a case what Kafka Streams does."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from tests.conformance.adapter import BUILD_ERRORS, run_case
from tests.conformance.comparison import difference
from tests.streams_cases.case import Case


class Kind(Enum):
    SAME = "the same comes out"
    BOTH_REFUSE = "both refuse the topology"
    DIFFERENT = "something else comes out"
    ONLY_KAFKA_STREAMS_REFUSES = "only Kafka Streams refuses the topology"
    ONLY_HEADRACE_REFUSES = "only headrace refuses the topology"
    FAILED = "headrace fails"
    NOT_TRANSLATED = "the case cannot be translated"


@dataclass(frozen=True)
class Verdict:
    kind: Kind
    why: str = ""
    error: str = ""
    """The type of what was raised."""

    @property
    def agrees(self) -> bool:
        return self.kind in (Kind.SAME, Kind.BOTH_REFUSE)

    def like(self, other: Verdict) -> bool:
        """Whether both are about the same kind of difference."""
        return (self.kind, self.error) == (other.kind, other.error)


def judged(case: Case, answer: dict[str, Any]) -> Verdict:
    """`answer` is what Kafka Streams does."""
    if "unsupported" in answer:
        return Verdict(Kind.NOT_TRANSLATED, answer["unsupported"])
    refused = answer.get("expected_error")
    try:
        outputs, stores = run_case(case)
    except BUILD_ERRORS as error:
        return Verdict(Kind.BOTH_REFUSE) if refused else Verdict(Kind.ONLY_HEADRACE_REFUSES, str(error))
    except NotImplementedError as error:
        return Verdict(Kind.NOT_TRANSLATED, str(error))
    except Exception as error:  # whatever it is, it is a finding
        return Verdict(Kind.FAILED, f"{type(error).__name__}: {error}", type(error).__name__)
    if refused:
        return Verdict(Kind.ONLY_KAFKA_STREAMS_REFUSES, f"{refused['kind']}: {refused['message']}")
    expected = {"expected": _without_half_steps(answer["expected"]), "stores": answer["stores"]}
    fails = any("error" in record for step in answer["expected"] for record in step)
    if fails or "cache_bytes" in case.get("config", {}):
        expected[
            "stores"
        ] = {}  # of a task that failed nothing is certain, and of a cached store the cache is not shown
    why = difference({"inputs": case["inputs"], **expected}, _without_half_steps(outputs), stores)
    return Verdict(Kind.DIFFERENT, why) if why else Verdict(Kind.SAME)


def _without_half_steps(outputs: list[list[dict[str, Any]]]) -> list[list[dict[str, Any]]]:
    """A step that fails has its error alone: the original's driver takes outputs when a record is done."""
    return [[record for record in step if "error" in record] or step for step in outputs]
