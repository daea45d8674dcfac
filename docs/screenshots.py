"""Takes the pictures of docs/dashboard.md anew: `python docs/screenshots.py [NAME …]`, a minute, needs Chromium.

Two workers run the application below on a broker of their own, with flights of the demo, some of which are no flights.
Pictures are written with a palette of 256 colours, which a page has hardly more of, so that they stay small.
"""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from examples.flight_delays.app import Airport, Delay, Flight
from streams import App, F, count, max_, mean, session, tumbling

IMAGES = Path(__file__).parent / "images"
HEIGHT = 760
PARTITIONS = 4
RATE = 600
CHARTS_S = 45
"""How long the overview is open before its picture is taken, so that the charts have something to show."""


app = App(
    "flight-delays",
    num_standby_replicas=1,
    deserialization_handler="dead_letter",
    dead_letter_topic="flights-dead-letters",
)

flights = app.stream("flights", key=str, value=Flight, timestamp=F.ts)
airports = app.table("airports", key=str, value=Airport, store="airports")
(
    flights.join(airports, lambda flight, airport: Delay(airport.state, flight.delay))
    .group_by(F.state)
    .windowed_by(tumbling(timedelta(days=1), grace=timedelta(hours=1)))
    .aggregate(flights=count(), mean_delay=mean(F.minutes), worst=max_(F.minutes), store="delays-by-state")
    .to_stream()
    .to("delays")
)
late = flights.filter(F.delay > 60, name="late")
late.group_by_key().windowed_by(session(timedelta(hours=1), grace=timedelta(hours=1))).count(store="bad-spells")


WHERE = "F.delay > 30 and F.origin in ['ATL', 'ORD']"


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A page as it is shown. `ready`: text that is there when the page is; `width` of the window, pixels."""

    name: str
    place: str
    ready: str
    dark: bool = False
    width: int = 1240


PICTURES = (
    Picture(name="topology", place="topology?node=step 0 flights-join", ready="lag", width=1440),
    Picture(name="topology-dark", place="topology", ready="lag", dark=True),
    Picture(name="tasks", place="tasks/0_1", ready="Kept decoded"),
    Picture(name="stores-dark", place="stores/delays-by-state", ready="mean_delay", dark=True),
    Picture(name="topics", place="topics?internal=yes", ready="flights-dead-letters"),
    Picture(
        name="records-dark",
        place="topics/flights?from=beginning&where=F.delay > 30 and F.origin in ['ATL', 'ORD']",
        ready="ATL",
        dark=True,
    ),
    Picture(name="produce", place="topics/flights/produce", ready="Produce"),
    Picture(name="group", place="groups/flight-delays", ready="flights"),
    Picture(name="dead-letters", place="dead-letters?letter=0:0", ready="Traceback"),
)
OVERVIEW = Picture(name="overview", place="", ready="all running")


def main() -> None:
    from playwright.sync_api import Browser, expect, sync_playwright

    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        sys.exit("no Chromium here: apt-get install chromium")
    IMAGES.mkdir(exist_ok=True)

    def take(browser: Browser, site: str, picture: Picture, *, open_s: float = 4.0) -> None:
        window: Any = {"width": picture.width, "height": HEIGHT}
        with browser.new_page(viewport=window, color_scheme="dark" if picture.dark else "light") as tab:
            tab.goto(f"{site}#/{picture.place}")
            expect(tab.locator("main")).to_contain_text(picture.ready, timeout=30_000)
            time.sleep(open_s)
            target = IMAGES / f"dashboard-{picture.name}.png"
            target.write_bytes(with_palette(tab.screenshot()))
            print(f"{target.name}: {target.stat().st_size / 1024:.0f} KiB")

    with application() as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        wanted = sys.argv[1:]
        if not wanted or OVERVIEW.name in wanted:
            take(browser, site, OVERVIEW, open_s=CHARTS_S)
        for picture in PICTURES:
            if not wanted or picture.name in wanted:
                take(browser, site, picture)
        browser.close()


@contextmanager
def application() -> Generator[str]:
    """Two workers while the block runs, and the address of the dashboard."""
    from broker import Broker
    from streams.cli.web_port import shared_port

    with (
        tempfile.TemporaryDirectory() as directory,
        Broker(default_partitions=PARTITIONS) as broker,
        shared_port("127.0.0.1", None) as port,
    ):
        feeder = Feeder(broker.bootstrap_servers)
        program = f"{Path(__file__).resolve()}:app"
        workers = [
            subprocess.Popen(
                [
                    *(sys.executable, "-P", "-m", "streams.cli", "worker", program),
                    *("-b", broker.bootstrap_servers, "--state-dir", f"{directory}/{number}", "--web-port", str(port)),
                ],
                stderr=subprocess.DEVNULL,
                cwd=directory,
            )
            for number in range(2)
        ]
        try:
            wait_for(port)
            yield f"http://127.0.0.1:{port}/ui/"
        finally:
            feeder.stop()
            for worker in workers:
                worker.terminate()
            for worker in workers:
                worker.wait()


def wait_for(port: int) -> None:
    """Until a worker answers."""
    import socket

    give_up = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > give_up:
                sys.exit("the workers do not answer")
            time.sleep(0.2)


class Feeder:
    """Puts flights onto their topic at a steady rate, with some records among them that are none."""

    def __init__(self, bootstrap_servers: str) -> None:
        from confluent_kafka import Producer

        from streams.demo.dataset import airport_records, read_flights

        self._producer: Any = Producer({"bootstrap.servers": bootstrap_servers, "linger.ms": 20, "log_level": 0})
        self._flights = read_flights()
        create_topics(bootstrap_servers)
        before = self._flights.first_timestamp - 86_400_000
        for key, value in airport_records():
            self._send("airports", key, value, before)
        self._producer.flush()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._feed, name="feeder", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()
        self._producer.flush(5)

    def _feed(self) -> None:
        chance = random.Random(7)
        records, begin, sent = self._records(), time.monotonic(), 0
        while not self._stopped.wait(0.05):
            due = round((time.monotonic() - begin) * RATE)
            for key, value, timestamp in islice(records, due - sent):
                broken = chance.random() < 0.001
                self._send("flights", key, b'{"ts": "' + value[8:40] if broken else value, timestamp)
            sent = due
            self._producer.poll(0)

    def _records(self) -> Iterator[tuple[bytes, bytes, int]]:
        for batch in self._flights.batches():
            yield from zip(batch.keys, batch.values, batch.timestamps)

    def _send(self, topic: str, key: bytes, value: bytes, timestamp: int) -> None:
        from streams.partitioner import partition_for_key

        self._producer.produce(topic, value, key, partition_for_key(key, PARTITIONS), None, None, timestamp)


def create_topics(bootstrap_servers: str) -> None:
    from confluent_kafka.admin import AdminClient, NewTopic

    names = ("flights", "airports", "delays", "flights-dead-letters")
    admin = AdminClient({"bootstrap.servers": bootstrap_servers})
    for future in admin.create_topics([NewTopic(name, PARTITIONS) for name in names]).values():
        future.result(30)


def with_palette(png: bytes) -> bytes:
    """A PNG of 24 bits a pixel with the 256 colours of it that most pixels have; the others become the nearest."""
    width, height, rows = pixels(png)
    found: Counter[tuple[int, ...]] = Counter()
    for row in rows:
        found.update(zip(*[iter(row)] * 3))
    palette = [colour for colour, _ in found.most_common(256)]
    place = {colour: number for number, colour in enumerate(palette)}

    def nearest(colour: tuple[int, ...]) -> int:
        return min(range(len(palette)), key=lambda number: sum((a - b) ** 2 for a, b in zip(palette[number], colour)))

    place |= {colour: nearest(colour) for colour in found if colour not in place}
    lines = b"".join(b"\0" + bytes(place[colour] for colour in zip(*[iter(row)] * 3)) for row in rows)
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    colours = bytes(part for colour in palette for part in colour)
    parts = ((b"IHDR", header), (b"PLTE", colours), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return png[:8] + b"".join(chunk(kind, data) for kind, data in parts)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pixels(png: bytes) -> tuple[int, int, list[bytes]]:
    """Width, height and the rows of a PNG of 24 bits a pixel, with its filters undone."""
    at, packed, width, height = 8, b"", 0, 0
    while at < len(png):
        (size,) = struct.unpack_from(">I", png, at)
        kind, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + size]
        if kind == b"IHDR":
            width, height, bits, colours = struct.unpack_from(">IIBB", data)
            assert (bits, colours) == (8, 2), "Chromium writes 24 bits a pixel"
        elif kind == b"IDAT":
            packed += data
        at += 12 + size
    raw = zlib.decompress(packed)
    rows: list[bytes] = []
    above = bytes(width * 3)
    for start in range(0, len(raw), width * 3 + 1):
        above = unfiltered(raw[start], bytearray(raw[start + 1 : start + 1 + width * 3]), above)
        rows.append(above)
    return width, height, rows


def unfiltered(kind: int, row: bytearray, above: bytes) -> bytes:
    """A row without its filter: none, left, up, their mean, or Paeth's."""
    for at in range(len(row)) if kind else ():
        left, corner = (row[at - 3], above[at - 3]) if at >= 3 else (0, 0)
        up = above[at]
        if kind == 1:
            guess = left
        elif kind == 2:
            guess = up
        elif kind == 3:
            guess = (left + up) >> 1
        else:
            guess = min((left, up, corner), key=lambda each: abs(left + up - corner - each))
        row[at] = (row[at] + guess) & 255
    return bytes(row)


if __name__ == "__main__":
    main()
