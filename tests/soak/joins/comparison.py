"""The outputs of the joins flow held against what must come of its input.

- Joins of streams, and final results (suppressed, emitted on close): as multisets, each result once. In which order the
  results of different records come depends on how fast the partitions are read.
- Sessions with every update: the sessions there are in the end.
- Outputs of single partitions: as sequences, record by record, times included.
- Joins of tables: the rows in the end, and whether what was told of each key takes up every row of both tables once and
  in order; the sides may be read in any way between each other.
- Joins by a foreign key: the rows in the end, and that no key went back to a row it had left behind. Which of the rows
  in between are told depends on when an answer comes.
- Groups of tables: the rows in the end.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from tests.soak.joins import answer
from tests.soak.joins.events import END, PARTITIONS, Input
from tests.soak.joins.topology import ADVANCE_MS, SIZE_MS
from tests.soak.verdict import EXAMPLES, OutputCheck, multiset_check, states_check

Shown = tuple[str, Any, int]
"""Key, value and timestamp of an output record."""
ShownByPlace = Mapping[tuple[str, int], Sequence[Shown]]
"""By topic and partition."""
Windows = dict[tuple[str, int, int], list[Any]]

KINDS: tuple[Any, ...] = ("inner", "left", "outer")
LOCAL: Mapping[str, Callable[[Sequence[Input]], list[Any]]] = {
    "local-outer": answer.local_outer,
    "local-windows": answer.local_windows,
    "local-sessions": answer.local_sessions,
}
FINALS: Mapping[str, Callable[[Sequence[Input]], Windows]] = {
    "regions": answer.region_windows,
    "suppressed": lambda records: answer.click_windows(records, SIZE_MS),
    "hopping": lambda records: answer.click_windows(records, ADVANCE_MS),
    "sessions-close": answer.click_sessions,
}
TABLE_KINDS: Mapping[str, Any] = {"tables-inner": "inner", "tables-outer": "outer"}
FOREIGN_KINDS: Mapping[str, Any] = {"fk-inner": "inner", "fk-left": "left"}
GROUPS = ("tables-groups", "fk-groups")
OUTPUTS = (*KINDS, *FINALS, "sessions-update", *LOCAL, *TABLE_KINDS, *FOREIGN_KINDS, *GROUPS)


class Comparison:
    """Of one input; what must come of it is worked out once."""

    def __init__(self, records: Sequence[Input]) -> None:
        self._records = records

    def checks(self, shown: ShownByPlace) -> list[OutputCheck]:
        made = [self._meetings(kind, told(shown, kind)) for kind in KINDS]
        made += [self._final(topic, told(shown, topic)) for topic in FINALS]
        made.append(self._sessions(told(shown, "sessions-update")))
        made += [self._local(topic, shown) for topic in LOCAL]
        made += [self._tables(topic, told(shown, topic)) for topic in TABLE_KINDS]
        made += [self._foreign(topic, told(shown, topic)) for topic in FOREIGN_KINDS]
        return made + [self._groups(topic, told(shown, topic)) for topic in GROUPS]

    # -- what must come ----------------------------------------------------------------------------------------------
    @cached_property
    def _expected(self) -> Mapping[str, Any]:
        records = self._records
        expected: dict[str, Any] = {kind: answer.meetings(records, kind) for kind in KINDS}
        expected |= {topic: answer_of(records) for topic, answer_of in FINALS.items()}
        expected["sessions-update"] = expected["sessions-close"]
        readings = [record for record in records if record.topic == "readings"]
        for topic, answer_of in LOCAL.items():
            expected[topic] = [
                answer_of([reading for reading in readings if reading.partition == partition])
                for partition in range(PARTITIONS)
            ]
        expected |= {topic: answer.tables_joined(records, kind) for topic, kind in TABLE_KINDS.items()}
        expected |= {topic: answer.foreign_key_joined(records, kind) for topic, kind in FOREIGN_KINDS.items()}
        for topic, joined in zip(GROUPS, ("tables-inner", "fk-left")):
            expected[topic] = answer.groups(expected[joined])
        return expected

    @cached_property
    def _histories(self) -> tuple[Mapping[str, list[Any]], Mapping[str, list[Any]]]:
        return answer.history(self._records, "profiles"), answer.history(self._records, "accounts")

    # -- each kind of outputs ----------------------------------------------------------------------------------------
    def _meetings(self, topic: str, shown: Sequence[Shown]) -> OutputCheck:
        found = Counter((key, met["left"], met["right"], met["region"], ts) for key, met, ts in shown)
        return multiset_check(topic, found, self._expected[topic])

    def _final(self, topic: str, shown: Sequence[Shown]) -> OutputCheck:
        found = Counter((key, start, end, in_order(members)) for key, (start, end, members), _ in shown)
        expected = Counter((*window, in_order(members)) for window, members in self._expected[topic].items())
        return multiset_check(topic, found, expected)

    def _sessions(self, shown: Sequence[Shown]) -> OutputCheck:
        found: Windows = {}
        for key, (start, end, members), _ in shown:
            if members is None:
                found.pop((key, start, end), None)
            else:
                found[key, start, end] = sorted(members, key=str)
        return states_check("sessions-update", found, self._expected["sessions-update"], records=len(shown))

    def _local(self, topic: str, shown: ShownByPlace) -> OutputCheck:
        found, expected, astray = Counter[str](), Counter[str](), 0
        for partition, right in enumerate(map(lines, self._expected[topic])):
            mine = lines(shown.get((topic, partition), ()))
            found.update(mine)
            expected.update(right)
            if Counter(mine) == Counter(right):
                astray += sum(one != other for one, other in zip(mine, right))
        check = multiset_check(topic, found, expected)
        return replace(check, compared="in sequence", wrong=check.wrong + astray)

    def _tables(self, topic: str, shown: Sequence[Shown]) -> OutputCheck:
        by_key = defaultdict[str, list[Any]](list)
        for key, met, _ in shown:
            by_key[key].append(met and [met["left"], met["right"], met["region"]])
        left, right = self._histories
        nothing = [None]
        astray = [
            key
            for key in left.keys() | right.keys() | by_key.keys()
            if not answer.is_a_way(
                by_key.get(key, []), left.get(key, nothing), right.get(key, nothing), TABLE_KINDS[topic]
            )
        ]
        return self._rows(topic, shown, astray, "final states and ways there")

    def _foreign(self, topic: str, shown: Sequence[Shown]) -> OutputCheck:
        reached: dict[str, tuple[int, int]] = {}
        astray = set[str]()
        for key, met, _ in shown:
            if met is None:
                continue
            before = reached.get(key, (-1, -1))
            numbers = (
                met["left"],
                before[1] if met["right"] is None and met["left"] == before[0] else met["right"] or -1,
            )
            if numbers < before:
                astray.add(key)
            reached[key] = numbers
        return self._rows(topic, shown, astray, "final states, none taken back")

    def _rows(self, topic: str, shown: Sequence[Shown], astray: Iterable[str], compared: str) -> OutputCheck:
        rows = {key: [met["left"], met["right"], met["region"]] for key, met in last(shown).items()}
        check = states_check(topic, rows, self._expected[topic], records=len(shown))
        astray = sorted(astray)
        examples = (*check.examples, *(f"{key}: updates that cannot be" for key in astray))[:EXAMPLES]
        return replace(check, compared=compared, wrong=check.wrong + len(astray), examples=examples)

    def _groups(self, topic: str, shown: Sequence[Shown]) -> OutputCheck:
        """Which groups have come and gone on the way depends on how fast the tables are read."""
        rows = {region: sums for region, sums in last(shown).items() if sums != [0, 0, 0]}
        return states_check(topic, rows, self._expected[topic], records=len(shown))


def told(shown: ShownByPlace, topic: str) -> list[Shown]:
    """All records of a topic, those of a key in order, without what the closing records made."""
    return [each for p in range(PARTITIONS) for each in shown.get((topic, p), ()) if not each[0].startswith(END)]


def last(shown: Iterable[Shown]) -> dict[str, Any]:
    rows = {key: value for key, value, _ in shown}
    return {key: value for key, value in rows.items() if value is not None}


def in_order(members: Iterable[Any]) -> str:
    return str(sorted(members, key=str))


def lines(shown: Iterable[Shown]) -> list[str]:
    """As text; a result of a join as the list of its parts."""
    return [
        str((key, list(value.values()) if isinstance(value, dict) else value, ts)) for key, value, ts in list(shown)
    ]
