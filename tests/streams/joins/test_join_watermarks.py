"""Joins of streams behind repartition topics that several tasks write: a replay gives the live answer."""

from __future__ import annotations

from collections import Counter
from itertools import accumulate
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from streams import App, JoinWindows, Json, join_window
from streams.plan.plan import Plan
from tests.streams.examples import examples
from tests.streams.joins.two_streams import SIDES, Kind, join_of
from tests.streams.topology.test_compile import Bench, message
from tests.streams.windows.interrupted import MS

TOPICS = {side: f"app-{side}-repartition" for side in SIDES}
END = 10_000


def repartitioned(kind: Kind, windows: JoinWindows) -> App:
    app = App("app")
    left, right = (app.stream(side, key=str, value=Json()).repartition(name=side) for side in SIDES)
    join_of(left, right, kind, windows).to("out")
    return app


def joining_subtopology(plan: Plan) -> int:
    return next(sub.index for sub in plan.subtopologies if sub.stores)


class Behind(Bench):
    """The task that joins; the test says what comes and how far the watermark is."""

    def __init__(self, app: App) -> None:
        super().__init__(app, joining_subtopology(app.plan()), watermark=-1)

    def send(self, side: str, value: Any, key: str | None, ts: int) -> None:
        self.run(TOPICS[side], [message(value, key=key, ts=ts, topic=TOPICS[side])])

    def mark(self, value: int, side: str = "left") -> None:
        marked = message(None, key=None, topic=TOPICS[side], headers=[("mark", str(value).encode())])
        self.run(TOPICS[side], [marked])

    def results(self) -> list[tuple[Any, int]]:
        found = [(msgspec.json.decode(value), ts) for _, _, value, ts in self.sent]
        self.sent.clear()
        return found


def test_unmatched_record_waits_for_the_watermark_which_lets_it_out_by_itself() -> None:
    bench = Behind(repartitioned("left", join_window(10 * MS, grace=5 * MS)))
    bench.mark(0)
    bench.send("left", "A", "k", 100)
    bench.send("right", "z", "z", 5_000)
    assert bench.results() == [], "time ran ahead, but another task may be far behind"
    bench.mark(115)
    assert bench.results() == []
    bench.mark(116)
    assert bench.results() == [(["A", None], 100)]


def test_rows_are_kept_as_long_as_the_watermark_is_behind() -> None:
    bench = Behind(repartitioned("left", join_window(10 * MS, grace=0 * MS)))
    bench.mark(0)
    bench.send("left", "A", "k", 100)
    for ts in (1_000, 2_000):
        bench.send("left", "Z", "z", ts)
        bench.send("right", "z", "z", ts)
    bench.results()
    bench.send("right", "a", "k", 105)
    assert bench.results() == [(["A", "a"], 105)]
    assert bench.counters.snapshot()["dropped_late"] == 0
    bench.mark(1_500)
    bench.send("right", "b", "k", 106)
    assert bench.results() == [], "the watermark has passed A and its window"


def test_operator_that_has_something_waiting_holds_its_own_progress_back() -> None:
    bench = Behind(repartitioned("outer", join_window(10 * MS, grace=5 * MS)))
    (node,) = (node for node in bench_nodes("outer") if node.hold_back_ms)
    assert node.hold_back_ms == 16
    bench.mark(0)
    bench.send("left", "A", "k", 100)
    assert bench.program.holding() == {node.label: 0}
    bench.send("right", "a", "k", 100)
    assert bench.program.holding() == {}, "nothing waits any more"


def test_watermark_counts_for_a_join_once_the_table_above_has_told_what_it_held() -> None:
    """The left side is a table's changes, which come at the commit: a record of the right side that waits for one must
    not be given up before."""
    app = App("app", emit_updates="commit")
    left, right = (app.stream(side, key=str, value=Json()).repartition(name=side) for side in SIDES)
    newest = left.group_by_key().reduce(lambda a, v: v, store="newest").to_stream()
    join_of(newest, right, "outer", join_window(10 * MS, grace=5 * MS)).to("out")
    bench = Behind(app)
    bench.mark(0)
    bench.send("left", "A", "k", 100)
    bench.send("right", "a", "k", 100)
    bench.send("right", "b", "k", 150)
    bench.send("right", "z", "z", 5_000)
    bench.mark(200)
    assert bench.results() == []
    bench.program.flush()
    assert bench.results() == [(["A", "a"], 100), ([None, "b"], 150)]


def bench_nodes(kind: Kind) -> list[Any]:
    plan = repartitioned(kind, join_window(10 * MS, grace=5 * MS)).plan()
    return list(plan.subtopologies[joining_subtopology(plan)].nodes)


def test_hold_back_is_the_reach_of_the_sides_whose_records_may_meet_none() -> None:
    windows = join_window(30 * MS, 10 * MS, grace=5 * MS)
    expected: dict[Kind, int] = {"inner": 0, "left": 16, "outer": 36}
    for kind, held in expected.items():
        plan = repartitioned(kind, windows).plan()
        assert max(node.hold_back_ms for sub in plan.subtopologies for node in sub.nodes) == held


Upstream = list[list[tuple[str, int]]]
"""What the upstream tasks of one side send: (key, timestamp), each task in order of time."""


def upstream() -> st.SearchStrategy[Upstream]:
    steps = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 15)), max_size=12)

    def timed(task: list[tuple[str, int]]) -> list[tuple[str, int]]:
        return list(zip([key for key, _ in task], accumulate(step for _, step in task), strict=True))

    return st.lists(steps.map(timed), min_size=2, max_size=2)


def roomy_windows() -> st.SearchStrategy[JoinWindows]:
    """Those that keep a record as long as another may meet it. The others lose records at their very edge, in order or
    not: as in Kafka Streams a record is kept for before + after + grace ms behind the newest of its side, less one."""
    reach = st.integers(0, 10)
    return st.builds(JoinWindows, before_ms=reach, after_ms=reach, grace_ms=st.integers(1, 8))


@examples(60)
@given(
    windows=roomy_windows(),
    kind=st.sampled_from(["inner", "left", "outer"]),
    left=upstream(),
    right=upstream(),
    order=st.lists(st.integers(0, 3), max_size=48),
    marks=st.lists(st.booleans(), max_size=48),
)
def test_a_replay_of_tasks_that_run_apart_gives_the_batch_answer(
    windows: JoinWindows, kind: Kind, left: Upstream, right: Upstream, order: list[int], marks: list[bool]
) -> None:
    """Whatever the order in which the upstream tasks write, and however seldom they say how far they are."""
    waiting = [list(task) for task in (*left, *right)]
    reached = [0 if task else END for task in waiting]
    sent: dict[str, list[tuple[str, int, int]]] = {"left": [], "right": []}
    bench, place = Behind(repartitioned(kind, windows)), 0
    turns = [*order, *(task for task, records in enumerate(waiting) for _ in records)]
    for turn, task in enumerate(turns):
        if waiting[task]:
            key, ts = waiting[task].pop(0)
            side = SIDES[task // 2]
            bench.send(side, place, key, ts)
            sent[side].append((key, ts, place))
            place += 1
            reached[task] = ts if waiting[task] else END
        if marks[turn % len(marks)] if marks else False:
            bench.mark(min(*reached, END - 1), SIDES[turn % 2])
    for side in SIDES:
        bench.send(side, -1, "end", END)
    bench.mark(2**63 - 1)
    results = [result for result in bench.results() if -1 not in result[0]]
    assert Counter(map(str, results)) == Counter(map(str, batch_answer(kind, windows, sent)))


def batch_answer(
    kind: Kind, windows: JoinWindows, sent: dict[str, list[tuple[str, int, int]]]
) -> list[tuple[list[Any], int]]:
    """All pairs that lie close enough, and what is in none of them."""
    pairs = [
        (mine, theirs)
        for mine in sent["left"]
        for theirs in sent["right"]
        if mine[0] == theirs[0] and mine[1] - windows.before_ms <= theirs[1] <= mine[1] + windows.after_ms
    ]
    found: list[tuple[list[Any], int]] = [([mine[2], theirs[2]], max(mine[1], theirs[1])) for mine, theirs in pairs]
    met = {each[2] for pair in pairs for each in pair}
    if kind != "inner":
        found += [([place, None], ts) for _, ts, place in sent["left"] if place not in met]
    if kind == "outer":
        found += [([None, place], ts) for _, ts, place in sent["right"] if place not in met]
    return found
