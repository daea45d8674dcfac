"""An hour of clicks: `python -m examples.clickstream`."""

from __future__ import annotations

from examples.clickstream.app import EnrichedClick, app
from examples.clickstream.data import clicks, tables
from examples.event import clock
from examples.playground import Playground


def main(bootstrap_servers: str | None = None) -> None:
    with Playground(app, partitions=3, bootstrap_servers=bootstrap_servers) as playground:
        playground.feed(tables())
        number = playground.feed(clicks())
        seconds = playground.run()
        enriched = playground.read("enriched-clicks", EnrichedClick)
        with app.store("campaigns-so-far").all() as rows:
            campaigns = {name: row.value for name, row in rows}
    print(f"{number:,} clicks, {len(enriched):,} on products that are there, in {seconds:.1f} s, such as")
    for event in sorted(enriched, key=lambda event: event.timestamp)[:5]:
        click = event.value
        told = f"{event.key:11} {click.action:4} {click.product} ({click.category})"
        print(f"  {clock(event.timestamp)}  {told:38} by {click.campaign} ({click.channel})")
    print("  CAMPAIGN      CLICKS  CARTS          VALUE  PER CLICK")
    for name, result in sorted(campaigns.items(), key=lambda row: -row[1].cents / row[1].clicks):
        value, each = result.cents / 100, result.cents / result.clicks / 100
        print(f"  {name:12}  {result.clicks:6}  {result.carts:5}  {value:13,.2f}  {each:9.2f}")


if __name__ == "__main__":
    main()
