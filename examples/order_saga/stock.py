"""The service that has the goods: deliveries and reservations, by item. See app.py for the whole.

stock-commands ──> Shelves ──> stock-results
                   [shelves]
"""

from __future__ import annotations

from examples.order_saga.messages import StockCommand, StockResult
from streams import App, Processor, ProcessorContext, Record, Stores

shelves = Stores.key_value("shelves", key=str, value=int)
"""How many there are of each item that nobody has reserved."""


class Shelves(Processor[str, StockCommand, str, StockResult]):
    def init(self, context: ProcessorContext[str, StockResult]) -> None:
        super().init(context)
        self.shelves = context.store(shelves)

    def process(self, record: Record[str, StockCommand]) -> None:
        item, command = record.key, record.value
        there = self.shelves.get(item) or 0
        if command.kind == "delivery":
            self.shelves.put(item, there + command.quantity)
        elif there >= command.quantity:
            self.shelves.put(item, there - command.quantity)
            self.answer(record, StockResult("reserved"))
        else:
            self.answer(record, StockResult("sold out"))

    def answer(self, record: Record[str, StockCommand], result: StockResult) -> None:
        self.context.forward(Record(record.value.order, result, record.timestamp))


app = App("order-saga-stock")

app.stream("stock-commands", key=str, value=StockCommand).process(Shelves, stores=[shelves]).to("stock-results")

if __name__ == "__main__":
    app.run()
