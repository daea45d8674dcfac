"""What a run has come to, in lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

EXAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputCheck:
    """One output held against what it must be."""

    output: str
    compared: str
    """As what: multiset, sequences, final states, …"""
    expected: int
    """How many results, rows or updates there must be."""
    records: int
    """Committed records in the output topic."""
    lost: int
    doubled: int
    wrong: int
    """Results that should not be there at all, or are not what they should be."""
    examples: tuple[str, ...] = ()

    @property
    def exact(self) -> bool:
        return not (self.lost or self.doubled or self.wrong)


def multiset_check(output: str, found: Counter[Any], expected: Counter[Any]) -> OutputCheck:
    """Every result as often as it must be, in whatever order."""
    missing, surplus = expected - found, found - expected
    doubled = sum(count for each, count in surplus.items() if each in expected)
    examples = [f"missing {each}" for each in missing] + [
        f"{'doubled' if each in expected else 'wrong'} {each}" for each in surplus
    ]
    return OutputCheck(
        output=output,
        compared="multiset",
        expected=expected.total(),
        records=found.total(),
        lost=missing.total(),
        doubled=doubled,
        wrong=surplus.total() - doubled,
        examples=tuple(examples[:EXAMPLES]),
    )


def states_check(
    output: str, found: Mapping[Hashable, Any], expected: Mapping[Hashable, Any], *, records: int
) -> OutputCheck:
    """The last row of every key."""
    lost = [key for key in expected if key not in found]
    wrong = [key for key, row in found.items() if row != expected.get(key)]
    return OutputCheck(
        output=output,
        compared="final states",
        expected=len(expected),
        records=records,
        lost=len(lost),
        doubled=0,
        wrong=len(wrong),
        examples=tuple(f"{key}: {found.get(key)} instead of {expected.get(key)}" for key in [*lost, *wrong][:EXAMPLES]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    flow: str
    seed: int
    faults: Mapping[str, int]
    """By kind; `ended by itself` are workers that gave up because no broker was there, and were started again."""
    records_in: int
    outputs: tuple[OutputCheck, ...]
    workers_started: int
    silence_s: float
    """The longest time without a committed record in any output, while input came."""
    seconds: float
    findings: tuple[str, ...]
    """Stores that are not what their changelogs say, or not what was put out; what workers ended with by themselves,
    other than that no broker was there."""

    @property
    def nothing_lost(self) -> bool:
        return not any(check.lost for check in self.outputs)

    @property
    def exact(self) -> bool:
        return all(check.exact for check in self.outputs) and not self.findings

    def lines(self) -> list[str]:
        done = sum(count for kind, count in self.faults.items() if kind != "ended by itself")
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(self.faults.items(), key=lambda each: -each[1]))
        width = max(len(check.output) for check in self.outputs)
        told = [
            f"flow {self.flow}, seed {self.seed}: {done} faults in {self.seconds:.0f} s",
            f"faults          {kinds}",
            f"workers started {self.workers_started}",
            f"longest silence {self.silence_s:.1f} s",
            f"records in      {self.records_in:,}",
        ]
        for check in self.outputs:
            told.append(
                f"{check.output:{width}}  {check.records:>9,} records out, {check.expected:>9,} {check.compared}: "
                f"{check.lost} lost, {check.doubled} doubled, {check.wrong} wrong"
            )
            told += [f"{'':{width}}  {example}" for example in check.examples]
        told += [f"! {finding}" for finding in self.findings]
        told.append("exact" if self.exact else "nothing lost" if self.nothing_lost else "LOST RECORDS")
        return told

    def __str__(self) -> str:
        return "\n".join(self.lines())
