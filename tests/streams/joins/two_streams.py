"""Records of two streams, a topology that joins them, and the rules of such joins said plainly."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby
from typing import Any, Literal, NamedTuple

from hypothesis import strategies as st

from streams import App, JoinWindows, Json, KStream, String, join_window
from streams.compile.program import NO_LIMIT
from streams.testing.message import DriverMessage
from tests.streams.windows.interrupted import MS, Event, Interrupted, Result

Kind = Literal["inner", "left", "outer", "self"]
SIDES = ("left", "right")


class Sent(NamedTuple):
    """One input; its value is its place among all inputs, or null."""

    side: str
    key: str | None
    ts: int
    null: bool = False


Shown = tuple[str | None, Any, int]
"""(key, [left place, right place], timestamp) of a result."""


def joining(kind: Kind, windows: JoinWindows, **options: Any) -> App:
    """A topology whose results are the places of the records that met."""
    app = App("app")
    left, right = (app.stream(side, key=str, value=Json()) for side in SIDES)
    join_of(left, right, kind, windows, **options).to("out")
    return app


def join_of(
    left: KStream[Any, Any], right: KStream[Any, Any], kind: Kind, windows: JoinWindows, **options: Any
) -> KStream[Any, Any]:
    other = left if kind == "self" else right
    join: Any = {"left": left.left_join, "outer": left.outer_join}.get(kind, left.join)
    return join(other, lambda mine, theirs: [mine, theirs], windows=windows, value=Json(), **options)


class InterruptedJoin(Interrupted):
    """One task that joins `left` and `right` into `out`."""

    def __init__(self, app: App) -> None:
        super().__init__(app, String())

    def _produce(self, topic: str, value: Any, key: Any, partition: int, *rest: Any) -> None:
        decoded = None if key is None else key.decode()
        self._unsure.append((topic, Result(decoded, None if value is None else json.loads(value), rest[-2])))

    def join(self, records: Sequence[Sent], events: Sequence[Event] = ()) -> list[Shown]:
        """What came out; `events[i]` happens when record i is done for the first time."""
        messages = messages_of(records)
        start, done = 0, 0
        for place, event in enumerate(events[: len(messages)]):
            self._pass(messages, start, place + 1)
            start = place + 1
            if event == "commit":
                self.commit()
                done = start
            elif event != "batch":
                self.crash(keep_disk=event == "crash")
                self._pass(messages, done, start)
        self._pass(messages, start, len(messages))
        self.commit()
        return [(result.key, result.value, result.ts) for _, result in self.committed]

    def _pass(self, messages: Sequence[DriverMessage], start: int, end: int) -> None:
        """One batch for each run of records of one topic."""
        for topic, batch in groupby(messages[start:end], key=DriverMessage.topic):
            several = list(batch)
            source = self._program.sources.get(topic)
            if source is not None:
                assert source.run(several, 0, len(several), NO_LIMIT) == len(several)


def messages_of(records: Sequence[Sent]) -> list[DriverMessage]:
    return [
        DriverMessage(
            record.side,
            place,
            None if record.key is None else record.key.encode(),
            None if record.null else json.dumps(place).encode(),
            record.ts,
            None,
        )
        for place, record in enumerate(records)
    ]


def oracle(kind: Kind, windows: JoinWindows, records: Sequence[Sent]) -> list[Shown]:
    """All results in order, from the rules and nothing else."""
    if kind == "self":
        return self_oracle(windows, records)
    before, after, grace = windows.before_ms, windows.after_ms, windows.grace_ms
    wait = {"left": after + grace, "right": before + grace}
    missing = {"inner": "", "left": "left", "outer": "left right"}[kind].split()  # sides whose records may meet none
    kept: dict[tuple[str, str], list[tuple[int, int]]] = {}
    newest = {"left": -1, "right": -1}
    waiting: dict[tuple[int, str, str], list[int]] = {}
    now, out = -1, list[Shown]()

    def alone(side: str, place: int) -> list[int | None]:
        return [place, None] if side == "left" else [None, place]

    for place, (side, key, ts, null) in enumerate(records):
        now = max(now, ts)
        if null:
            continue
        if key is None:
            if side in missing:
                out.append((None, alone(side, place), ts))
            continue
        if ts == now:
            for time, first, name in sorted((t, s == "left", k) for t, s, k in waiting):
                which = "left" if first else "right"
                if time + wait[which] < now:
                    out += [(name, alone(which, each), time) for each in waiting.pop((time, which, name))]
        kept.setdefault((side, key), []).append((ts, place))
        newest[side] = max(newest[side], ts)
        other = "right" if side == "left" else "left"
        back, ahead = (before, after) if side == "left" else (after, before)
        met = sorted(
            (time, each)
            for time, each in kept.get((other, key), ())
            if ts - back <= time <= max(0, ts + ahead) and time > newest[other] - windows.retention_ms
        )
        for time, each in met:
            waiting.pop((time, other, key), None)
            out.append((key, [place, each] if side == "left" else [each, place], max(ts, time)))
        if not met and side in missing:
            if ts + wait[side] < now:
                out.append((key, alone(side, place), ts))
            else:
                waiting.setdefault((ts, side, key), []).append(place)
    return out


def self_oracle(windows: JoinWindows, records: Sequence[Sent]) -> list[Shown]:
    """Each record of `left` as a left one against those before it, then as a right one against all."""
    kept, newest, out = list[tuple[int, str, int]](), -1, list[Shown]()
    for place, (side, key, ts, null) in enumerate(records):
        if side != "left" or null or key is None:
            continue
        for is_right in (False, True):
            back, ahead = windows.before_ms, windows.after_ms
            if is_right:
                back, ahead = ahead, back
                kept.append((ts, key, place))
                newest = max(newest, ts)
            for time, name, each in sorted(kept, key=lambda row: (row[0], row[2])):
                if name == key and ts - back <= time <= max(0, ts + ahead) and time > newest - windows.retention_ms:
                    out.append((key, [each, place] if is_right else [place, each], max(ts, time)))
    return out


@st.composite
def join_windows(draw: st.DrawFn) -> JoinWindows:
    """Symmetric and not, one end negative now and then."""
    before, size = draw(st.integers(-4, 8)), draw(st.integers(0, 12))
    return join_window(before * MS, (size - before) * MS, grace=draw(st.integers(0, 8)) * MS)


@st.composite
def sent(draw: st.DrawFn, longest: int = 50) -> list[Sent]:
    """Records of few keys, some without key or value. Their times move on and jump back; how fast and how far differs
    from one list to the next, so that some are crowded and others have gaps in which all windows close."""
    forth, back = draw(st.sampled_from([1, 2, 8])), draw(st.sampled_from([0, 3, 12, 40]))
    keys: list[str | None] = [*draw(st.sampled_from(["a", "aab", "abc"])), *draw(st.sampled_from([[], [None]]))]
    steps = st.tuples(
        st.sampled_from(SIDES),
        st.sampled_from(keys),
        st.integers(0, forth),
        st.integers(0, back) | st.just(0),
        st.integers(0, 9),
    )
    now, made = 0, list[Sent]()
    for side, key, on, off, chance in draw(st.lists(steps, min_size=1, max_size=longest)):
        now += on
        made.append(Sent(side, key, max(now - off, 0), chance == 0))
    return made
