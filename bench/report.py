"""Tables, in Markdown, of what was measured."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

from bench.peers import PEERS
from bench.results import Entry, Results
from bench.workloads import WORKLOADS

BEGIN, END = "<!-- figures: python -m bench table RESULTS --into this page -->", "<!-- end of figures -->"
BROKERS = {"kafka": "Apache Kafka", "bundled": "the bundled broker"}


def table(results: Results) -> str:
    """All tables, under a line that says when and where."""
    parts = [heading(results)]
    names = dict.fromkeys(entry["workload"] for entry in results.of("runs"))
    for name in sorted(names, key=order):
        parts.append(
            f"### {title(name)}\n\n" + workload_table([e for e in results.of("runs") if e["workload"] == name])
        )
    if latencies := results.of("latency"):
        parts.append("### W9 latency from end to end\n\n" + latency_table(latencies))
    if restores := results.of("restore"):
        parts.append("### W8 restoration of state\n\n" + restore_table(restores))
    if shares := results.of("shares"):
        parts.append("### Where the time of a record goes\n\n" + shares_table(shares))
    parts.append(versions(results))
    return "\n\n".join(part for part in parts if part) + "\n"


def put_between_marks(page: str, text: str) -> str:
    """The page with the text in the place of what is between its marks. Raises ValueError where it has none."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no place for figures: put {BEGIN} and {END} there, each on a line of its own")
    return f"{before}{begin}\n\n{text}\n{end}{after}"


def order(workload: str) -> int:
    """As they are listed; others behind."""
    return list(WORKLOADS).index(workload) if workload in WORKLOADS else len(WORKLOADS)


def title(workload: str) -> str:
    return WORKLOADS[workload].title if workload in WORKLOADS else workload


def heading(results: Results) -> str:
    machine = results.about["machine"]
    brokers = " and ".join(BROKERS.get(name, name) for name in results.about["settings"]["brokers"])
    return (
        f"Measured {results.about['date']} on {machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB, "
        f"{machine['kernel']}; {results.about['settings']['partitions']} partitions, on {brokers}. Medians, with the "
        "least and the greatest of all rounds in brackets; ratios are those of two runs in one round."
    )


def versions(results: Results) -> str:
    return "Versions: " + ", ".join(f"{name} {told}" for name, told in results.about["versions"].items()) + "."


def workload_table(entries: Sequence[Entry]) -> str:
    """A row for each program and broker."""
    lines = [
        "| program | records/s | headrace is | CPU, µs/record | CPU of the broker | memory, MB | first output, s |",
        "|---|---|---|---|---|---|---|",
    ]
    for (peer, broker), held in by_turn(entries).items():
        good = [entry for entry in held if "error" not in entry]
        name = PEERS[peer].title if peer in PEERS else peer
        if broker != entries[0]["broker"]:
            name += f", on {BROKERS.get(broker, broker)}"
        if any(entry["left_out"] for entry in good):
            share = statistics.median(entry["counted"] / most(entries, entry["records"]) for entry in good)
            name += f" (counted {share:.0%} of the records)"
        if not good:
            lines.append(f"| {name} | failed | – | – | – | – | – |")
            continue
        failed = f", {len(held) - len(good)} of {len(held)} failed" if len(good) < len(held) else ""
        lines.append(
            f"| {name} | {spread([e['rate'] for e in good], ',.0f')}{failed} | "
            f"{spread(ratios(entries, peer, broker), '.2f', '×') or '–'} | "
            + " | ".join(
                f"{statistics.median(entry[figure] for entry in good):{form}}"
                for figure, form in (
                    ("app_cpu_us", ".2f"),
                    ("broker_cpu_us", ".2f"),
                    ("memory_mb", ",.0f"),
                    ("first_output_s", ".2f"),
                )
            )
            + " |"
        )
    return "\n".join(lines)


def most(entries: Iterable[Entry], records: int) -> int:
    """What the results add up to where nothing was left out of so many records; as many, if nobody did that."""
    whole = [e["counted"] for e in entries if e.get("records") == records and not e.get("left_out", True)]
    return max(whole, default=records)


def by_turn(entries: Iterable[Entry]) -> dict[tuple[str, str], list[Entry]]:
    found: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        found.setdefault((entry["peer"], entry["broker"]), []).append(entry)
    return found


def ratios(entries: Sequence[Entry], peer: str, broker: str, figure: str = "rate") -> list[float]:
    """headrace's figure as a multiple of theirs, round by round: on their broker, or on the first one, where they are
    headrace themselves on another."""
    against = PEERS[peer].against if peer in PEERS else "headrace"
    on = broker
    if against == peer or (peer.startswith("headrace") and broker != entries[0]["broker"]):
        against, on = peer, entries[0]["broker"]
    if (against, on) == (peer, broker):
        return []
    ours = {e["round"]: e[figure] for e in entries if (e["peer"], e["broker"]) == (against, on) and figure in e}
    theirs = {e["round"]: e[figure] for e in entries if (e["peer"], e["broker"]) == (peer, broker) and figure in e}
    return [ours[number] / theirs[number] for number in sorted(ours.keys() & theirs.keys())]


def spread(values: Sequence[float], form: str, unit: str = "") -> str:
    """The median, with the least and the greatest; nothing of nothing."""
    if not values:
        return ""
    middle = f"{statistics.median(values):{form}}{unit}"
    return middle if len(values) == 1 else f"{middle} ({min(values):{form}}–{max(values):{form}})"


def latency_table(entries: Sequence[Entry]) -> str:
    lines = ["| program | records/s | p50, ms | p99, ms |", "|---|---|---|---|"]
    groups: dict[tuple[str, int], list[Entry]] = {}
    for entry in entries:
        groups.setdefault((entry["peer"], entry["rate"]), []).append(entry)
    for (peer, rate), held in sorted(groups.items(), key=lambda group: group[0][1]):
        good = [entry for entry in held if "error" not in entry]
        cells = [spread([entry[q] for entry in good], ".1f") or "failed" for q in ("p50_ms", "p99_ms")]
        lines.append(f"| {PEERS[peer].title} | {rate:,} | {cells[0]} | {cells[1]} |")
    return "\n".join(lines)


def shares_table(entries: Sequence[Entry]) -> str:
    """CPU µs per input record of each step, medians of the rounds; programs of a workload below each other."""
    columns = list(entries[0]["steps"])
    lines = [
        f"| workload | program | all | {' | '.join(columns)} |",
        "|---|---|---|" + "---|" * len(columns),
    ]
    turns = dict.fromkeys((entry["workload"], entry["peer"]) for entry in entries)
    for workload, peer in sorted(turns, key=lambda turn: order(turn[0])):
        held = [entry["steps"] for entry in entries if (entry["workload"], entry["peer"]) == (workload, peer)]
        steps = [statistics.median(each[column] for each in held) for column in columns]
        cells = " | ".join(f"{took:.2f}" for took in (sum(steps), *steps))
        lines.append(f"| {title(workload)} | {PEERS[peer].title} | {cells} |")
    return "\n".join(lines)


def restore_table(entries: Sequence[Entry]) -> str:
    lines = ["| program | keys | s | keys/s |", "|---|---|---|---|"]
    groups: dict[tuple[str, int], list[Entry]] = {}
    for entry in entries:
        groups.setdefault((entry["peer"], entry["keys"]), []).append(entry)
    for (peer, keys), held in groups.items():
        seconds = [entry["seconds"] for entry in held if "error" not in entry]
        rates = spread([keys / each for each in seconds], ",.0f")
        lines.append(f"| {PEERS[peer].title} | {keys:,} | {spread(seconds, '.2f') or 'failed'} | {rates or '–'} |")
    return "\n".join(lines)
