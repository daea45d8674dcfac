"""A Faust application as its users write them: tables, group_by, a windowed table. It knows nothing of the broker.

BROKER=… DATA=… python tests/foreign/faust_orders.py worker -l warn --without-web
"""

import os
from datetime import timedelta

import faust

HOUR = 3600


class Order(faust.Record, serializer="json"):
    id: str
    customer: str
    cents: int
    ts: float


app = faust.App(
    "orders-app",
    broker=f"kafka://{os.environ['BROKER']}",
    store="memory://",
    datadir=os.environ["DATA"],
    topic_partitions=4,
    topic_replication_factor=1,
    consumer_auto_offset_reset="earliest",
    broker_commit_interval=0.5,
    broker_session_timeout=6.0,
    broker_heartbeat_interval=1.0,
)
orders = app.topic("orders", value_type=Order)
totals = app.topic("totals", key_type=str, value_serializer="json")
count = app.Table("count", default=int)
spent = app.Table("spent", default=int)
hourly = (
    app.Table("hourly", default=int)
    .tumbling(timedelta(seconds=HOUR), expires=timedelta(days=36500))
    .relative_to_field(Order.ts)
)


@app.agent(orders)
async def tally(stream):
    async for order in stream.group_by(Order.customer):
        customer = order.customer
        count[customer] += 1
        spent[customer] += order.cents
        hourly[customer] += 1
        said = {
            "count": count[customer],
            "cents": spent[customer],
            "hour": int(order.ts // HOUR),
            "in_hour": hourly[customer].value(),
        }
        await totals.send(key=customer, value=said)


if __name__ == "__main__":
    app.main()
