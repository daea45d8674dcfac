"""All cases of the operators' contract: one small topology, or more, for every operator."""

from __future__ import annotations

from typing import Any

from streams import (
    App,
    Json,
    KStream,
    KTable,
)
from tests.streams.operators import stream_cases, table_cases, window_cases
from tests.streams.operators.case import ANEW, Case, Folds, Parts

CASES: tuple[Case, ...] = (*stream_cases.CASES, *window_cases.CASES, *table_cases.CASES)


def declared(
    case: Case, *, folds: Folds = ANEW, through: bool = False, emit: str = "all", on_failure: str = "fail"
) -> App:
    """The case's topology, from topics `in` and `other` to `out`.

    Args:
        through: with repartition topics `first` (and `other-first`) before and `second` behind it.
    """
    app = App("app", emit_updates=emit, processing_handler=on_failure)

    def read(topic: str, name: str) -> KStream[str, Any]:
        stream = app.stream(topic, key=str, value=Json())
        return stream.repartition(name=name) if through else stream

    made = case.attach(Parts(app, read("in", "first"), lambda: read("other", "other-first"), folds))
    if isinstance(made, KTable):
        made = made.to_stream()
    if made is not None:
        (made.repartition(name="second") if through else made).to("out")
    return app
