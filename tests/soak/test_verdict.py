"""What a run says at its end."""

from __future__ import annotations

from collections import Counter

from tests.soak.verdict import OutputCheck, Verdict, multiset_check, states_check


def verdict(*checks: OutputCheck, findings: tuple[str, ...] = ()) -> Verdict:
    return Verdict(
        flow="joins",
        seed=7,
        faults={"kill": 2, "wipe": 1, "ended by itself": 4},
        records_in=1_234,
        outputs=checks,
        workers_started=5,
        silence_s=2.25,
        seconds=61.0,
        findings=findings,
    )


def test_verdict_of_exact_outputs_says_so_in_lines() -> None:
    told = verdict(multiset_check("inner", Counter("aab"), Counter("aab"))).lines()
    assert told == [
        "flow joins, seed 7: 3 faults in 61 s",
        "faults          ended by itself 4, kill 2, wipe 1",
        "workers started 5",
        "longest silence 2.2 s",
        "records in      1,234",
        "inner          3 records out,         3 multiset: 0 lost, 0 doubled, 0 wrong",
        "exact",
    ]


def test_multiset_check_tells_lost_doubled_and_wrong_apart() -> None:
    check = multiset_check("inner", Counter("aaax"), Counter("aabb"))
    assert (check.lost, check.doubled, check.wrong) == (2, 1, 1)
    assert check.examples == ("missing b", "doubled a", "wrong x")
    assert verdict(check).lines()[-1] == "LOST RECORDS"


def test_states_check_counts_missing_rows_and_those_that_differ_or_should_not_be() -> None:
    check = states_check("rows", {"a": 1, "b": 3, "c": 4}, {"a": 1, "b": 2, "d": 5}, records=9)
    assert (check.lost, check.wrong, check.records) == (1, 2, 9)


def test_verdict_with_a_finding_is_not_exact() -> None:
    found = verdict(multiset_check("inner", Counter("a"), Counter("a")), findings=("0_1 store differs",))
    assert not found.exact
    assert found.lines()[-2:] == ["! 0_1 store differs", "nothing lost"]
