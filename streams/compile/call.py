"""Source text that calls a user's function, or inlines an expression, for the current record."""

from __future__ import annotations

import re
from collections.abc import Mapping

from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.context import Context
from streams.expressions import Expression, RecordNames
from streams.graph.function import UserFunction


def call(
    chain: Chain,
    scope: RecordScope,
    function: UserFunction,
    others: Mapping[str, str] | None = None,
    hint: str = "function",
) -> tuple[RecordScope, str]:
    """The scope with what the call needed decoded, and the call's text.

    `others` gives the texts of arguments that are not of the record itself: `left`, `right`, `aggregate`.
    """
    if isinstance(function.target, Expression):
        return inline(chain, scope, function.target)
    scope, texts = arguments(chain, scope, function, others)
    return scope, f"{chain.bind(function.target, hint)}({', '.join(texts)})"


def arguments(
    chain: Chain, scope: RecordScope, function: UserFunction, others: Mapping[str, str] | None = None
) -> tuple[RecordScope, list[str]]:
    """The scope with what the function's arguments needed decoded, and their texts."""
    texts: list[str] = []
    for argument in function.arguments:
        if others is not None and argument in others:
            texts.append(others[argument])
        elif argument == "key":
            scope, text = chain.key(scope)
            texts.append(text)
        else:
            scope, text = chain.value(scope)
            texts.append(text)
    if function.wants_context:
        context, m = chain.bind(Context, "Context"), scope.message
        texts.append(f"{context}({m}.topic(), {m}.partition(), {m}.offset(), {scope.timestamp}, {scope.headers} or [])")
    return scope, texts


def inline(chain: Chain, scope: RecordScope, expression: Expression) -> tuple[RecordScope, str]:
    """An expression's own source, with the locals of the record in it."""
    probe = _source(chain, scope, expression, "__key__", "__value__")
    if re.search(r"\b__key__\b", probe):
        scope, _ = chain.key(scope)
    if re.search(r"\b__value__\b", probe):
        scope, _ = chain.value(scope)
    return scope, "(" + _source(chain, scope, expression, scope.key or "None", scope.value or "None") + ")"


def _source(chain: Chain, scope: RecordScope, expression: Expression, key: str, value: str) -> str:
    m = scope.message
    names = RecordNames(
        key=key,
        value=value,
        timestamp=scope.timestamp,
        headers=scope.headers,
        topic=f"{m}.topic()",
        partition=f"{m}.partition()",
        offset=f"{m}.offset()",
        value_type=scope.schema.value.type,
        key_type=scope.schema.key.type,
    )
    return expression.source(names, chain.module.namespace)
