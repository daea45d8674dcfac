"""Which records of a topic somebody wants to see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streams.dashboard.record_view import SeenRecord
from streams.expressions.text import ExpressionTextError, parse_expression
from streams.query.problem import Problem


class RecordFilter:
    """Owned by one reader. `failed` counts records on which the expression raised, which do not fit then."""

    def __init__(self, text: str = "", where: str = "") -> None:
        """`text`: a part of key, value or a header; `where`: an expression on `F`. Both empty: everything.

        Raises Problem: the expression is none.
        """
        self._text = text.lower()
        self._holds: Callable[..., Any] | None = None
        if where.strip():
            try:
                self._holds = parse_expression(where).compile()
            except ExpressionTextError as error:
                raise Problem(str(error), details={"field": "where"}) from error
            except (SyntaxError, RecursionError) as error:
                raise Problem("the expression is nested too deep", details={"field": "where"}) from error
        self.failed = 0

    def __call__(self, record: SeenRecord, topic: str) -> bool:
        if self._text and not record.contains(self._text):
            return False
        if self._holds is None:
            return True
        try:
            return bool(
                self._holds(
                    record.key.decoded,
                    record.value.decoded,
                    timestamp=record.timestamp,
                    headers=record.headers,
                    topic=topic,
                    partition=record.partition,
                    offset=record.offset,
                )
            )
        except Exception:  # a field that this record lacks, text where a number was meant: whatever Python raises
            self.failed += 1
            return False
