"""A day of a shop's database: `python -m examples.change_data_capture`."""

from __future__ import annotations

from collections import Counter

from examples.change_data_capture.app import Id, app
from examples.change_data_capture.data import events
from examples.playground import Playground


def main(bootstrap_servers: str | None = None) -> None:
    log = events()
    kinds = Counter(event.value.op if event.value else "tombstone" for event in log)
    with Playground(app, bootstrap_servers=bootstrap_servers) as playground:
        playground.feed(log)
        seconds = playground.run()
        with app.store("named-orders").all() as rows:
            orders = {key.id: row.value for key, row in rows}
        with app.store("customers").all() as rows:
            customers = {key.id: row.value for key, row in rows}
        with app.store("sales-by-country").all() as rows:
            sales = {country: row.value for country, row in rows}
        largest = max(orders, key=lambda number: orders[number].cents)
        asked = app.store("orders").get(Id(largest))
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    print(f"{len(log)} change events ({told}) in {seconds:.1f} s")
    print(f"the tables now have {len(customers)} customers and {len(orders)} orders:")
    print("  COUNTRY  ORDERS      TOTAL")
    for country, row in sorted(sales.items()):
        print(f"  {country:7}  {row.orders:6}  {row.cents / 100:9,.2f}")
    order = orders[largest]
    print(f"the largest is order {largest}, {order.cents / 100:.2f}, of {order.customer} ({order.country}); its row:")
    print(f"  {asked.value}")


if __name__ == "__main__":
    main()
