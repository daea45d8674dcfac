"""The service that has the money: charges and refunds, by customer. See app.py for the whole.

payment-commands ──> Accounts ──> payment-results
                     [balances]
"""

from __future__ import annotations

from examples.order_saga.messages import PaymentCommand, PaymentResult
from streams import App, Processor, ProcessorContext, Record, Stores

balances = Stores.key_value("balances", key=str, value=int)
"""Cents of each customer."""


class Accounts(Processor[str, PaymentCommand, str, PaymentResult]):
    """Commands of one customer come one after the other, on one partition: no two charges see the same balance."""

    def init(self, context: ProcessorContext[str, PaymentResult]) -> None:
        super().init(context)
        self.balances = context.store(balances)

    def process(self, record: Record[str, PaymentCommand]) -> None:
        customer, command = record.key, record.value
        balance = self.balances.get(customer) or 0
        if command.kind == "charge" and balance < command.cents:
            self.answer(record, PaymentResult("declined"))
            return
        self.balances.put(customer, balance - command.cents if command.kind == "charge" else balance + command.cents)
        if command.kind == "charge":
            self.answer(record, PaymentResult("charged"))
        elif command.kind == "refund":
            self.answer(record, PaymentResult("refunded"))

    def answer(self, record: Record[str, PaymentCommand], result: PaymentResult) -> None:
        self.context.forward(Record(record.value.order, result, record.timestamp))


app = App("order-saga-payments")

app.stream("payment-commands", key=str, value=PaymentCommand).process(Accounts, stores=[balances]).to("payment-results")

if __name__ == "__main__":
    app.run()
