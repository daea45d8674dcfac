"""The pictures of the concepts' pages. `make docs` writes them to docs/pictures/."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from drawing import Picture


def topology() -> Picture:
    p = Picture(
        "A topology, cut into two sub-topologies by a repartition topic; each runs as one task per partition", 760, 300
    )
    p.frame(120, 40, 230, 90, "sub-topology 0")
    p.frame(490, 40, 150, 150, "sub-topology 1")
    p.box(15, 65, 85, 40, "orders", "topic")
    p.box(135, 65, 90, 40, "filter")
    p.box(245, 65, 95, 40, "group_by")
    p.box(
        370,
        65,
        100,
        40,
        "repartition",
        "topic",
    )
    p.box(510, 65, 110, 40, "aggregate")
    p.store(520, 130, 90, 48, "totals")
    p.box(660, 65, 85, 40, "totals", "topic", "out")
    for x1, x2 in ((100, 135), (225, 245), (340, 370), (470, 510), (620, 660)):
        p.arrow((x1, 85), (x2, 85))
    p.arrow((565, 105), (565, 130))
    p.text(15, 235, "with two partitions:", small=True)
    for number in (0, 1):
        p.box(135 + number * 108, 215, 98, 34, f"task 0_{number}")
        p.box(490 + number * 78, 215, 72, 34, f"task 1_{number}")
    p.text(135, 275, "each reads one partition of orders, and writes to all of the repartition topic", small=True)
    p.text(135, 291, "each has the customers whose keys hash to its partition, with a store of its own", small=True)
    return p


def duality() -> Picture:
    p = Picture("A stream of changes makes a table; the changes of a table are a stream", 760, 210)
    p.text(20, 30, "stream: every fact", small=True)
    for number, (key, value) in enumerate((("ann", "Delft"), ("bob", "Gouda"), ("ann", "Breda"), ("bob", "null"))):
        p.box(20 + number * 92, 42, 84, 40, f"{key} {value}", "topic", f"offset {number}")
    p.text(500, 30, "table: the newest fact of each key", small=True)
    p.store(500, 42, 110, 58, "ann Breda")
    p.arrow((388, 62), (495, 62), text="to_table")
    p.text(500, 120, "bob is gone: null is a tombstone", small=True)
    p.arrow((555, 130), (555, 165), (400, 165), text="")
    p.text(425, 158, "to_stream: its changes", small=True)
    for number, (key, value) in enumerate((("ann", "Delft"), ("bob", "Gouda"), ("ann", "Breda"), ("bob", "null"))):
        p.box(20 + number * 92, 145, 84, 40, f"{key} {value}", "topic")
    return p


def windows() -> Picture:
    p = Picture("Which windows of each kind the same five records fall into", 760, 330)
    left, unit = 130, 10.0
    records = (4, 11, 14, 38, 52)

    def x(minute: float) -> float:
        return left + minute * unit

    for minute in range(0, 61, 10):
        p.line(x(minute), 30, x(minute), 305)
        p.text(x(minute), 322, f"{minute} min", small=True, middle=True)
    p.text(15, 47, "records")
    for minute in records:
        p.dot(x(minute), 43)
    p.text(15, 87, "tumbling(20)")
    for start in (0, 20, 40):
        p.box(x(start) + 1, 70, 20 * unit - 2, 24, f"{sum(start <= r < start + 20 for r in records)}")
    p.text(15, 137, "hopping(20, 10)")
    for number, start in enumerate((0, 10, 20, 30, 40)):
        p.box(
            x(start) + 1, 110 + number % 2 * 28, 20 * unit - 2, 24, f"{sum(start <= r < start + 20 for r in records)}"
        )
    p.text(15, 197, "sliding(20)")
    for number, record in enumerate(records[1:3]):
        p.box(
            x(record - 20 if record >= 20 else 0),
            180 + number * 26,
            (record - max(record - 20, 0)) * unit,
            22,
            f"{sum(max(record - 20, 0) <= r <= record for r in records)}",
        )
    p.text(x(16), 196, "ends at a record (two of them shown)", small=True)
    p.text(15, 262, "session(15)")
    for start, end, count in ((4, 14, 3), (38, 52, 2)):
        p.box(x(start), 245, (end - start) * unit, 24, f"{count}")
    p.text(x(15), 262, "no record for more than the gap", small=True)
    p.text(15, 297, "unlimited()")
    p.box(x(0), 281, 60 * unit, 22, "5")
    return p


def grace() -> Picture:
    p = Picture("A window from 0 to 10 with a grace of 2: what counts, and what is late", 760, 190)
    left, unit = 60, 46.0

    def x(minute: float) -> float:
        return left + minute * unit

    p.box(x(0), 70, 10 * unit, 34, "window 0 to 10")
    p.box(x(10), 70, 2 * unit, 34, "grace", "topic")
    p.line(x(0), 140, x(14), 140, "line")
    for minute in range(0, 15, 2):
        p.line(x(minute), 136, x(minute), 144, "line")
        p.text(x(minute), 160, str(minute), small=True, middle=True)
    p.text(x(7), 181, "event time; records from the left to the right as they come", small=True, middle=True)
    p.dot(x(1), 55, "good", "1st")
    p.dot(x(11), 55, "wait", "2nd: time is 11")
    p.dot(x(9), 55, "good", "3rd: counts")
    p.dot(x(12), 30, "wait", "4th: closes it")
    p.dot(x(5), 55, "bad", "5th: too late")
    p.line(x(12), 36, x(12), 136)
    return p


def watermark() -> Picture:
    p = Picture(
        "Two upstream tasks at different times write one topic; the least of their times is its reader's clock",
        760,
        230,
    )
    p.box(15, 50, 100, 40, "orders-0", "topic", "read to May")
    p.box(15, 140, 100, 40, "orders-1", "topic", "read to January")
    p.box(150, 50, 90, 40, "task 0_0")
    p.box(150, 140, 90, 40, "task 0_1")
    p.frame(285, 85, 270, 60, "repartition topic")
    for number, (text, kind) in enumerate(
        (("May", "topic"), ("Jan", "topic"), ("W: May, Jan", "box"), ("Jan", "topic"))
    ):
        p.box(292 + (0, 50, 100, 206)[number], 97, (44, 44, 100, 44)[number], 36, text, kind)
    p.box(600, 85, 140, 60, "task 1_0", note="clock: January")
    for y in (70, 160):
        p.arrow((115, y), (150, y))
    p.arrow((240, 70), (262, 70), (262, 108), (285, 108))
    p.arrow((240, 160), (262, 160), (262, 124), (285, 124))
    p.arrow((555, 115), (600, 115))
    p.text(285, 170, "W: a watermark, in band: how far each upstream task is", small=True)
    p.text(285, 190, "by the newest record it would be May, and January would be late", small=True)
    return p


def state() -> Picture:
    p = Picture(
        "A store: rows in memory, in RocksDB, and on a changelog topic; at the commit the changes go to both", 760, 240
    )
    p.frame(190, 40, 300, 180, "task 1_0, on the disk of a worker")
    p.box(20, 95, 110, 44, "records")
    p.box(205, 75, 120, 80, "changed rows", note="decoded, in memory")
    p.store(370, 70, 105, 84, "RocksDB", "committed rows")
    p.box(575, 60, 160, 46, "changelog", "topic", "partition 0")
    p.box(575, 150, 160, 46, "another worker", "box", "restores, or stands by")
    p.arrow((130, 117), (205, 117))
    p.arrow((325, 115), (370, 115), text="commit")
    p.arrow((265, 75), (265, 52), (640, 52), (640, 60))
    p.text(520, 47, "commit", small=True)
    p.arrow((655, 106), (655, 150))
    p.text(205, 185, "reads look at changed rows first, then at RocksDB", small=True)
    p.text(205, 205, "RocksDB knows how far in the changelog it is", small=True)
    return p


def partitions() -> Picture:
    p = Picture(
        "Co-partitioned topics: equal keys lie in partitions of one number, so one task has both sides of a join",
        760,
        260,
    )
    for number in (0, 1):
        y = 50 + number * 105
        p.box(20, y, 150, 32, f"orders-{number}", "topic")
        p.box(20, y + 42, 150, 32, f"customers-{number}", "topic")
        p.text(180, y + 20, ("ann, eve", "bob")[number], small=True)
        p.text(180, y + 62, ("ann, eve", "bob")[number], small=True)
        p.box(290, y + 16, 110, 44, f"task 0_{number}", note="join")
        p.arrow((235, y + 16), (290, y + 30))
        p.arrow((235, y + 58), (290, y + 46))
        p.box(560, y + 22, 160, 32, f"by city-{number}", "topic")
    p.text(20, 30, "hash of the key mod 2 is the partition, in every topic", small=True)
    p.text(470, 30, "a new key: each task writes to all partitions", small=True)
    for y1 in (88, 193):
        for y2 in (88, 193):
            p.arrow((400, y1), (560, y2))
    return p


def commit() -> Picture:
    p = Picture("A commit with exactly once: one transaction on the log, then one atomic batch per task", 760, 230)
    steps = (
        ("1 flush", "dirty rows become", "changelog records"),
        ("2 offsets", "how far inputs were", "read, into the transaction"),
        ("3 commit", "the log decides:", "all is visible, or nothing"),
        ("4 batch", "rows and changelog", "position, into RocksDB"),
    )
    for number, (name, first, second) in enumerate(steps):
        x = 25 + number * 183
        p.box(x, 60, 150, 74, kind="store" if number == 3 else "box")
        p.text(x + 75, 82, name, middle=True)
        p.text(x + 75, 103, first, small=True, middle=True)
        p.text(x + 75, 119, second, small=True, middle=True)
        if number:
            p.arrow((x - 33, 97), (x, 97))
    p.frame(15, 45, 536, 102, "one transaction")
    p.text(
        25,
        175,
        "killed before 3: the transaction is aborted, RocksDB has nothing of it; the records are processed again",
        small=True,
    )
    p.text(
        25,
        197,
        "killed after 3: RocksDB is behind the changelog, and says by how much; the rest is read from there",
        small=True,
    )
    return p


def rebalance() -> Picture:
    p = Picture("A third worker joins: the task that is to move runs on until its state has been copied", 760, 290)
    rows = (
        ("before", ("0_0 0_1 0_2", "0_3 0_4 0_5", "")),
        ("copying", ("0_0 0_1 0_2", "0_3 0_4 0_5", "copies 0_2, 0_5")),
        ("after", ("0_0 0_1", "0_3 0_4", "0_2 0_5")),
    )
    for column, name in enumerate(("worker A", "worker B", "worker C")):
        p.text(120 + column * 215 + 95, 28, name, middle=True)
    for row, (name, cells) in enumerate(rows):
        y = 45 + row * 75
        p.text(20, y + 30, name)
        for column, cell in enumerate(cells):
            if cell:
                p.box(
                    120 + column * 215,
                    y,
                    190,
                    48,
                    cell,
                    "topic" if cell.startswith("copies") else "box",
                    "from the changelogs" if cell.startswith("copies") else "run",
                )
    p.text(120, 280, "only tasks that move stop, for as long as it takes to commit and open them", small=True)
    return p


PICTURES: Mapping[str, Callable[[], Picture]] = MappingProxyType(
    {
        "topology": topology,
        "duality": duality,
        "windows": windows,
        "grace": grace,
        "watermark": watermark,
        "state": state,
        "partitions": partitions,
        "commit": commit,
        "rebalance": rebalance,
    }
)
