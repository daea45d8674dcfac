"""`GroupedTable`: rows of a table brought together under another key, ready to be aggregated."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic

from msgspec import Struct
from typing_extensions import TypeVar

from streams.aggregates import Aggregate
from streams.dsl.builder import TopologyBuilder
from streams.dsl.materialize import table_spec
from streams.dsl.missing_method import TellsMissingMethods
from streams.dsl.named_aggregates import aggregate_columns, result_struct
from streams.dsl.schemas import value_after
from streams.errors import SourceLine
from streams.graph.function import UserFunction, user_function
from streams.graph.node import Node
from streams.graph.origin import caller_origin
from streams.graph.schema import Part, Schema
from streams.operators.table import Table
from streams.operators.table_aggregate import AggregateTable
from streams.operators.table_aggregation import (
    NamedTableAggregation,
    TableAggregation,
    TableCount,
    TableFold,
)
from streams.operators.table_group import TableGroup
from streams.serde import Unknown, change_serde, serde_for
from streams.state import StoreName

if TYPE_CHECKING:
    from streams.dsl.ktable import KTable

K = TypeVar("K")
V = TypeVar("V")


class GroupedTable(TellsMissingMethods, Struct, Generic[K, V], frozen=True):
    """Rows by group. An aggregate is of the rows the table has at the moment: a change takes the old value out of its
    group and puts the new one in, with one result if the group is the same, else two, the old group's first.

    Source: `KGroupedTable`.
    """

    _builder: TopologyBuilder
    _node: Node
    _schema: Schema
    _name: str | None

    @classmethod
    def of(
        cls,
        builder: TopologyBuilder,
        table: Table,
        selector: UserFunction,
        schema: Schema,
        name: str | None,
        origin: SourceLine | None,
    ) -> GroupedTable[Any, Any]:
        """The groups that `selector` makes of the table's rows; `schema` is what it gives."""
        if name is not None:
            builder.check_name("group", name, origin)
        node = TableGroup(
            parents=(table,),
            schema=schema.with_value(_change_part(schema)),
            origin=origin,
            label=builder.label(None, table, TableGroup.kind),
            selector=selector,
        )
        return cls(builder, builder.add(node), schema, name)

    def count(self, *, store: StoreName | None = None) -> KTable[K, int]:
        """How many rows each group has. A group that becomes empty stays, with 0, as in Kafka Streams."""
        serde = serde_for(int, role="value")
        return self._aggregate(TableCount(serde=serde), Part(int, serde), store, "count", caller_origin())

    def reduce(
        self,
        adder: Callable[[V, V], V | None],
        subtractor: Callable[[V, V], V | None],
        *,
        store: StoreName | None = None,
    ) -> KTable[K, V]:
        """`adder(aggregate, value)` for each row that comes, `subtractor(aggregate, value)` for each that goes.

        The first value is the first aggregate; an aggregate of None deletes the group's row.
        """
        origin = caller_origin()
        shape = ("aggregate", "value")
        aggregation = TableFold(
            serde=self._schema.value_serde(),
            initializer=None,
            adder=user_function(self._builder, "reduce", adder, shape, origin=origin, expression=False),
            subtractor=user_function(self._builder, "reduce", subtractor, shape, origin=origin, expression=False),
        )
        return self._aggregate(aggregation, self._schema.value, store, "reduce", origin)

    def aggregate(
        self,
        initializer: Callable[[], Any] | None = None,
        adder: Callable[[K, V, Any], Any] | None = None,
        subtractor: Callable[[K, V, Any], Any] | None = None,
        *,
        value: Any = None,
        store: StoreName | None = None,
        **named: Aggregate,
    ) -> KTable[K, Any]:
        """An aggregate per group: plain, or named ones side by side.

        Plain: `adder(key, value, aggregate)` and `subtractor(key, value, aggregate)`, from what `initializer()` began;
        `value=` says the aggregate's type or serde. Without an aggregate the subtractor is not called. An aggregate of
        None deletes the group's row. Named: `aggregate(total=sum_(F.amount), rows=count())`, of those that can take a
        value out again (count, sum_, mean, stddev).
        """
        origin = caller_origin()
        if named and initializer is None and adder is None and subtractor is None:
            made = self._named(named, origin)
        else:
            made = self._plain(initializer, adder, subtractor, value, bool(named), origin)
        return self._aggregate(*made, store, "aggregate", origin)

    def _plain(
        self, initializer: Any, adder: Any, subtractor: Any, value: Any, mixed: bool, origin: SourceLine | None
    ) -> tuple[TableAggregation, Part]:
        builder = self._builder
        if mixed:
            builder.problem("aggregate takes either functions or named aggregates, not both", origin)
        elif initializer is None or adder is None or subtractor is None:
            builder.problem(
                "aggregate of a grouped table needs an initializer, an adder and a subtractor, or named aggregates "
                "such as rows=count()",
                origin,
            )

        def function(given: Any) -> UserFunction:
            shape = ("key", "value", "aggregate")
            return user_function(
                builder, "aggregate", _keep if given is None else given, shape, origin=origin, expression=False
            )

        begin = user_function(
            builder, "aggregate", _nothing if initializer is None else initializer, (), origin=origin, expression=False
        )
        add, subtract = function(adder), function(subtractor)
        part = value_after(builder, self._schema, begin, value, origin)
        if part.type is Unknown and part.serde is None:
            part = value_after(builder, self._schema, add, None, origin)
        serde = Schema(value=part).value_serde()
        return TableFold(serde=serde, initializer=begin, adder=add, subtractor=subtract), part

    def _named(self, named: dict[str, Aggregate], origin: SourceLine | None) -> tuple[TableAggregation, Part]:
        columns = aggregate_columns(self._builder, self._schema, named, origin)
        for column in columns:
            states = [f"s{i}" for i in range(column.aggregate.state_fields)]
            if column.aggregate.subtract_source(states, "value") is None:
                self._builder.problem(
                    f"{column.name}={column.aggregate!r} cannot follow a table: a row that changes would have to be "
                    f"taken out of it, and {column.aggregate.name} does not remember enough for that; use count, sum_, "
                    "mean or stddev, or aggregate(initializer, adder, subtractor), or the changes as a stream "
                    "(to_stream().group_by(…))",
                    origin,
                )
        result = result_struct(columns)
        return NamedTableAggregation(columns=columns, result_type=result), Part(result)

    def _aggregate(
        self, aggregation: TableAggregation, part: Part, store: StoreName | None, kind: str, origin: SourceLine | None
    ) -> KTable[K, Any]:
        from streams.dsl.ktable import KTable

        name = self._builder.store_name(store, self._node, f"table-{kind}", origin)
        node = AggregateTable(
            parents=(self._node,),
            schema=Schema(self._schema.key, part),
            group=self._node.schema,
            group_name=self._name or name,
            value=self._schema,
            origin=origin,
            label=name,
            spec=table_spec(store, name, aggregation.codec),
            aggregation=aggregation,
        )
        return KTable(self._builder, self._builder.add(node))


def _nothing() -> None:
    """Stands for an initializer that is missing, which is a problem already."""


def _keep(key: Any, value: Any, aggregate: Any) -> Any:
    """Stands for a function that was not given."""
    return aggregate


def _change_part(schema: Schema) -> Part:
    serde = change_serde(schema.value_serde())
    return Part(serde.type, serde)
