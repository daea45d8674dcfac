"""Puts the operators of a foreign-key join in place: from the left table to the right one and back.

    left ─ subscription-send ─▶ registration topic ─▶ subscription-join ─┐
                                          right ─ foreign-table-join ─┴─▶ response topic ─▶ foreign-key-join ─ result

Both topics cut the topology: the left side runs in the tasks of the left table, the right side in those of the other.
"""

from __future__ import annotations

from types import UnionType
from typing import Any, Union, get_args, get_origin

from stores import KeyValueSpec, ValueCodec
from streams.dsl.builder import TopologyBuilder
from streams.dsl.materialize import table_spec
from streams.dsl.schemas import key_after, value_after
from streams.errors import SourceLine
from streams.graph.function import UserFunction, user_function
from streams.graph.schema import Part, Schema
from streams.operators.foreign_table_join import ForeignTableJoin
from streams.operators.materialize import Materialize
from streams.operators.merge import Merge
from streams.operators.repartition import Repartition
from streams.operators.response_join import ResponseJoin
from streams.operators.response_topic import ResponseTopic
from streams.operators.subscription import Subscription
from streams.operators.subscription_join import SubscriptionJoin
from streams.operators.subscription_send import SubscriptionSend
from streams.operators.table import Table
from streams.serde import Serde, Unknown, serde_for
from streams.serde.codec import codec_of
from streams.serde.foreign_key import response_serde, subscriber_key_serde, subscription_serde
from streams.state import StoreName


def foreign_key_join(
    builder: TopologyBuilder,
    left: Table,
    right: Table,
    foreign_key: Any,
    joiner: Any,
    value: Any,
    store: StoreName | None,
    name: str | None,
    *,
    is_left: bool,
    origin: SourceLine | None,
) -> Materialize:
    """Appends the join of two tables of the same builder; `is_left`: a left join, else an inner one.

    Topics and the store of subscribers are named after `name`, else the result's store.
    Source: `KTableImpl.doJoinOnForeignKey`, names (`TableJoined`) included.
    """
    operator = "left_join" if is_left else "join"
    extractor = user_function(builder, operator, foreign_key, ("value",), ("key", "value"), origin=origin)
    shapes = ("left", "right"), ("key", "left", "right")
    function = user_function(builder, operator, joiner, *shapes, origin=origin, expression=False)
    if left.by_window or right.by_window:
        builder.problem(
            f"{operator} needs tables with one value per key; the rows of a windowed table are not found by its key "
            "alone: give it a store of its own first (filter or map_values with store=…)",
            origin,
        )
    _check_foreign_key(builder, left.schema, right.schema, extractor, operator, origin)
    types = {"left": left.schema.value.type, "right": right.schema.value.type}
    schema = left.schema.with_value(value_after(builder, left.schema, function, value, origin, **types))
    result_store = builder.store_name(store, left, "foreign-key-join", origin)
    base = name or result_store
    if name is not None:
        builder.check_name("join", name, origin)
    asked = _bytes(subscription_serde())
    subscribed = Schema(_bytes(serde_for(bytes, role="key")), asked)
    subscription = Subscription(
        left=left.schema,
        asked=Schema(right.schema.key, asked),
        extractor=extractor,
        topic=f"{builder.application_id}-{base}-subscription-registration-topic",
    )

    sent = builder.add(
        SubscriptionSend(
            parents=(left,),
            schema=subscription.asked,
            origin=origin,
            label=builder.label(f"{base}-subscription-send", left, SubscriptionSend.kind),
            subscription=subscription,
            left=is_left,
        )
    )
    registration = builder.add(
        Repartition(
            parents=(sent,),
            schema=subscription.asked,
            origin=origin,
            label=builder.label(f"{base}-subscription-registration", left, Repartition.kind),
            topic=subscription.topic,
            keeps_null_keys=True,  # in a left join rows without a foreign key ask too
        )
    )
    subscribers = KeyValueSpec(
        name=builder.store_name(f"{base}-subscription-store", left, "subscription-store", origin),
        codec=ValueCodec(encode=bytes, decode=bytes),
    )
    joined = builder.add(
        SubscriptionJoin(
            parents=(registration, right),
            schema=subscribed,
            origin=origin,
            label=builder.label(f"{base}-subscription-join", left, SubscriptionJoin.kind),
            spec=subscribers,
            subscriber=subscriber_key_serde(right.schema.key_serde(), left.schema.key_serde()),
            left=is_left,
        )
    )
    changed = builder.add(
        ForeignTableJoin(
            parents=(right,),
            schema=subscribed,
            origin=origin,
            label=builder.label(f"{base}-foreign-table-join", left, ForeignTableJoin.kind),
            subscribers=subscribers,
        )
    )
    merged = builder.add(
        Merge(
            parents=(joined, changed),
            schema=subscribed,
            origin=origin,
            label=builder.label(f"{base}-responses", left, Merge.kind),
        )
    )
    back = builder.add(
        ResponseTopic(
            parents=(merged,),
            schema=Schema(left.schema.key, _bytes(response_serde(right.schema.value_serde()))),
            origin=origin,
            label=builder.label(f"{base}-subscription-response", left, ResponseTopic.kind),
            topic=f"{builder.application_id}-{base}-subscription-response-topic",
        )
    )
    resolved = builder.add(
        ResponseJoin(
            parents=(back, left),
            schema=schema,
            origin=origin,
            label=builder.label(f"{base}-response-join", left, ResponseJoin.kind),
            joiner=function,
            subscription=subscription,
            right=right.schema,
            left=is_left,
        )
    )
    return builder.add(
        Materialize(
            parents=(resolved,),
            schema=schema,
            origin=origin,
            label=base,
            spec=table_spec(store, result_store, codec_of(schema.value_serde())),
            kept=store is not None,
        )
    )


def _bytes(serde: Serde) -> Part:
    return Part(bytes, serde)


def _check_foreign_key(
    builder: TopologyBuilder,
    left: Schema,
    right: Schema,
    extractor: UserFunction,
    operator: str,
    origin: SourceLine | None,
) -> None:
    """Notes a problem if what the extractor gives is known not to be a key of the right table."""
    kind = _without_none(key_after(builder, left, extractor, None, origin).type)
    if kind is Unknown or kind is Any:
        return
    try:
        given = serde_for(kind, role="key")
    except (TypeError, ValueError):
        return
    wanted = right.key_serde()
    if given.name != wanted.name and right.key.type != kind:
        builder.problem(
            f"{operator}: foreign_key gives {getattr(kind, '__name__', kind)}, but the other table's keys are written "
            f"as {wanted.name}",
            origin,
        )


def _without_none(kind: Any) -> Any:
    """A type without its `None`: a row may have no foreign key."""
    if get_origin(kind) not in (Union, UnionType):
        return kind
    left = [each for each in get_args(kind) if each is not type(None)]
    return left[0] if len(left) == 1 else Unknown
