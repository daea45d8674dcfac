"""`make bench-broker`: the bundled broker and Apache Kafka in one run, and what the one is of the other.

Both are there for the whole run, measure by measure in turn, every other round the other way round; the first round
warms them up and does not count.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
from contextlib import ExitStack
from pathlib import Path

from bench.apache_kafka import ApacheKafka
from bench.broker.contenders import Bundled, Contender, Kafka
from bench.broker.measures import MEASURES, Figures

WARM_UP = 0.3
"""The warm-up's share of a round."""


def run(contenders: list[Contender], names: list[str], rounds: int, scale: float) -> dict[str, list[Figures]]:
    """The figures of each contender, round by round."""
    found: dict[str, list[Figures]] = {each.name: [] for each in contenders}
    for number in range(rounds + 1):
        order = contenders if number % 2 else contenders[::-1]
        figures: dict[str, Figures] = {each.name: {} for each in contenders}
        for name in names:
            for contender in order:
                if number == 0 and name == "start":
                    contender.spawn()
                    continue
                told = MEASURES[name](contender, scale if number else scale * WARM_UP)
                figures[contender.name] |= told
                if number:
                    line = ", ".join(f"{figure} {value:,.2f}" for figure, value in told.items())
                    print(f"round {number}  {contender.name:13}  {line}", flush=True)
        if number:
            for name, each in figures.items():
                found[name].append(each)
    return found


def table(found: dict[str, list[Figures]]) -> list[str]:
    """Medians of both, and ours as a multiple of theirs, round by round."""
    names = list(found)
    ours = names[0]
    lines = [f"| figure | {' | '.join(names)} | ratio | rounds |", "|---" * (len(names) + 3) + "|"]
    for figure in found[ours][0]:
        columns = [[each[figure] for each in found[name] if figure in each] for name in names]
        medians = " | ".join(f"{statistics.median(column):,.2f}" if column else "–" for column in columns)
        ratios = [mine / theirs for mine, theirs in zip(*columns, strict=False)] if len(columns) == 2 else []
        middle = f"{statistics.median(ratios):.2f}" if ratios else "–"
        lines.append(f"| {figure} | {medians} | {middle} | {', '.join(f'{ratio:.2f}' for ratio in ratios)} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.broker", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of records")
    parser.add_argument("--measure", choices=MEASURES, action="append", help="only these")
    parser.add_argument("--json", type=Path, help="write all figures here")
    options = parser.parse_args()
    names = ["start", *(name for name in MEASURES if name in (options.measure or MEASURES) and name != "start")]
    contenders: list[Contender] = [Bundled()]
    with ExitStack() as stack:
        stack.callback(contenders[0].close)
        if reason := ApacheKafka.missing():
            print(f"without Apache Kafka: {reason}")
            names = [name for name in names if name != "java"]
        else:
            contenders.append(Kafka())
            stack.callback(contenders[1].close)
        print(f"{platform.platform()}, Python {platform.python_version()}", flush=True)
        found = run(contenders, names, options.rounds, options.scale)
    print("\n".join(table(found)))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
