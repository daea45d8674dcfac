"""An application whose stream records wait for a versioned table; told to run in a process of its own."""

from datetime import timedelta

from streams import App, Materialized

MS = timedelta(milliseconds=1)

app = App("waiting")
rates = app.table("rates", key=str, value=int, store=Materialized("rates", history_retention=100 * MS))
rates.to_stream().to("rates-seen")
orders = app.stream("orders", key=str, value=str)
orders.join(rates, lambda order, rate: f"{order}-{rate}", grace=10 * MS, value=str).to("priced")
