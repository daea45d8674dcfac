"""An hour of eight servers: `python -m examples.anomaly_scoring`."""

from __future__ import annotations

from itertools import groupby

from examples.anomaly_scoring.app import Score, app
from examples.anomaly_scoring.data import events
from examples.event import clock
from examples.playground import Playground


def main(bootstrap_servers: str | None = None) -> None:
    with Playground(app, partitions=2, bootstrap_servers=bootstrap_servers) as playground:
        number = playground.feed(events())
        seconds = playground.run()
        anomalies = playground.read("anomalies", Score)
    print(f"{number:,} samples scored, {len(anomalies)} of them odd, in {seconds:.1f} s; of each server the oddest:")
    print("  SERVER  ODD  AT            SCORE    CPU  MEMORY  REQUESTS  LATENCY")
    for server, group in groupby(sorted(anomalies, key=lambda event: event.key), key=lambda event: event.key):
        odd = list(group)
        worst = min(odd, key=lambda event: event.value.score)
        sample = worst.value.sample
        told = f"{sample.cpu:4.0f} %  {sample.memory:4.0f} %  {sample.requests:6.0f}/s  {sample.latency_ms:5.0f}ms"
        print(f"  {server:6}  {len(odd):3}  {clock(worst.timestamp)}  {worst.value.score:9.1f} {told}")


if __name__ == "__main__":
    main()
