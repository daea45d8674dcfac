"""Tables and aims, out of figures that are made up."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.aims import Aim, aims, judged
from bench.peers import PEERS
from bench.report import BEGIN, END, put_between_marks, ratios, shares_table, spread, table, workload_table
from bench.results import Entry, Results, read
from bench.workloads import WORKLOADS

ABOUT = {
    "date": "2026-11-22 00:00 UTC",
    "machine": {"cpu": "a CPU", "cores": 2, "memory_gb": 8, "kernel": "Linux"},
    "versions": {"python": "3.11"},
    "settings": {"brokers": ["kafka", "bundled"], "partitions": 4},
}


def entry(peer: str, number: int, rate: float, broker: str = "kafka", **figures: object) -> Entry:
    told = {"app_cpu_us": 2.0, "broker_cpu_us": 1.0, "memory_mb": 50.0, "first_output_s": 0.5}
    told |= {"records": 100, "counted": 100, "left_out": False}
    return {"workload": "flights", "peer": peer, "broker": broker, "round": number, "rate": rate} | told | figures


def results(*entries: Entry) -> Results:
    return Results(dict(ABOUT), {"runs": list(entries)})


def test_ratios_are_of_runs_in_the_same_round() -> None:
    """A round in which one of both failed has none."""
    failed = {"workload": "flights", "peer": "quix", "broker": "kafka", "round": 2, "error": "wrong"}
    entries = [entry("headrace", 0, 300), entry("quix", 0, 100), entry("quix", 1, 50), entry("headrace", 1, 200)]
    assert ratios([*entries, entry("headrace", 2, 1), failed], "quix", "kafka") == [3.0, 4.0]


def test_ratio_of_headrace_on_the_second_broker_is_to_headrace_on_the_first() -> None:
    entries = [entry("headrace", 0, 300), entry("headrace", 0, 150, "bundled")]
    assert ratios(entries, "headrace", "bundled") == [2.0]
    assert ratios(entries, "headrace", "kafka") == []


def test_ratio_is_to_the_run_with_the_same_guarantee() -> None:
    entries = [entry("headrace", 0, 900), entry("headrace-exactly-once", 0, 300)]
    entries.append(entry("kafka-streams-exactly-once", 0, 100))
    assert ratios(entries, "kafka-streams-exactly-once", "kafka") == [3.0]


def test_spread_has_the_median_and_both_ends() -> None:
    assert spread([3.0, 1.0, 2.0], ".1f", "×") == "2.0× (1.0–3.0)"
    assert spread([3.0], ".1f") == "3.0"
    assert spread([], ".1f") == ""


def test_workload_table_tells_what_was_dropped_and_what_failed() -> None:
    failed = {"workload": "flights", "peer": "bytewax", "broker": "kafka", "round": 0, "error": "wrong"}
    dropping = entry("kafka-streams", 0, 100, counted=18, left_out=True)
    lines = workload_table([entry("headrace", 0, 400), dropping, failed]).splitlines()
    assert lines[2] == "| headrace | 400 | – | 2.00 | 1.00 | 50 | 0.50 |"
    assert lines[3] == "| Kafka Streams (counted 18% of the records) | 100 | 4.00× | 2.00 | 1.00 | 50 | 0.50 |"
    assert lines[4].startswith("| Bytewax | failed |")


def test_table_of_several_files_takes_a_workload_from_the_last_that_has_it(tmp_path: Path) -> None:
    results(entry("headrace", 0, 111)).write(tmp_path / "a.json")
    results(entry("headrace", 0, 222)).write(tmp_path / "b.json")
    text = table(read([tmp_path / "a.json", tmp_path / "b.json"]))
    assert "222" in text
    assert "111" not in text
    assert "a CPU, 2 cores" in text


def test_table_goes_between_the_marks_of_a_page() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert put_between_marks(page, "new\n") == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"
    with pytest.raises(ValueError, match="no place for figures"):
        put_between_marks("a page without", "new")


def test_page_on_performance_has_a_place_for_the_table() -> None:
    put_between_marks((Path(__file__).parents[2] / "docs" / "performance.md").read_text(), "")


@pytest.mark.parametrize(("theirs", "verdict"), [(100, "| ≥ 4 |  |"), (101, "| ≥ 4 | **no** |")])
def test_aim_is_judged_by_the_median_of_ratios(theirs: int, verdict: str) -> None:
    entries = [entry("headrace", number, 400) for number in range(3)]
    entries += [entry("kafka-streams", number, rate) for number, rate in enumerate((theirs, 50, 500))]
    lines = [line for line in judged(results(*entries)).splitlines() if "rate beside Kafka Streams" in line]
    assert lines[0].endswith(verdict)


def test_aim_at_most_holds_up_to_its_bound() -> None:
    aim = Aim("memory", "flights", 50.0, "memory_mb", at_most=True)
    assert aim.holds(aim.values([entry("headrace", 0, 1, memory_mb=50.0)]))
    assert not aim.holds(aim.values([entry("headrace", 0, 1, memory_mb=50.1)]))


def test_aims_name_workloads_and_peers_that_take_part() -> None:
    """None is unknown because somebody was renamed or does not do the workload."""
    for aim in aims():
        workload = WORKLOADS[aim.workload]
        for who in (aim.who, aim.beside):
            peer = PEERS[who.partition("@")[0]] if who else None
            if peer and not (aim.workload == "flights" and peer.name == "faust"):
                assert peer.does(workload, named=False), (aim, who)


def test_shares_table_has_the_median_of_each_step_and_their_sum() -> None:
    """Programs of a workload stand below each other."""
    told = [("headrace", 0, 1.0), ("floor", 0, 0.5), ("headrace", 1, 3.0), ("headrace", 2, 2.0)]
    entries = [
        {"workload": "filter_map", "peer": peer, "round": number, "steps": {"decode": decode, "encode": 0.25}}
        for peer, number, decode in told
    ]
    assert shares_table(entries).splitlines() == [
        "| workload | program | all | decode | encode |",
        "|---|---|---|---|---|",
        "| W1 filter and map | headrace | 2.25 | 2.00 | 0.25 |",
        "| W1 filter and map | floor program | 0.75 | 0.50 | 0.25 |",
    ]
