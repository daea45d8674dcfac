"""Runs a recorded case on headrace: translates its spec into calls of the DSL, and nothing more."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from typing import Any

from streams import (
    App,
    BufferConfig,
    GlobalKTable,
    Json,
    KStream,
    KTable,
    Materialized,
    StreamsError,
    TopologyError,
    Windowed,
    hopping,
    join_window,
    session,
    sliding,
    tumbling,
    unlimited,
    until_time_limit,
    until_window_closes,
)
from streams.testing import TopologyTestDriver
from tests.conformance import vocabulary as words
from tests.conformance.processors import processor, processor_rows, processor_store

FOREVER = 2**63 - 1
BUILD_ERRORS = (ValueError, TopologyError)


def run_case(case: dict[str, Any]) -> tuple[list[list[dict[str, Any]]], dict[str, list[dict[str, Any]]]]:
    config = dict(case.get("config", {}))
    app = App(
        "case",
        emit_updates="commit" if config.pop("cache_bytes", 0) else "all",
        topology_optimization=config.pop("optimization", os.environ.get("CONFORMANCE_OPTIMIZATION", "none")),
    )
    if config:
        raise NotImplementedError(f"config {config}")
    translation = Translation(app)
    for op in case["topology"]:
        translation.apply(op)
    stores = "rocksdb" if os.environ.get("CONFORMANCE_STORES") == "rocksdb" else "memory"
    with TopologyTestDriver(app, stores=stores) as driver:
        outputs: list[list[dict[str, Any]]] = []
        for step in case["inputs"]:
            records: list[dict[str, Any]] = []
            try:
                if "advance_wall_clock" in step:
                    driver.advance_wall_clock(_ms(step["advance_wall_clock"]))
                else:
                    source = driver.input_topic(step["topic"], key=str)
                    source.pipe(step["value"], key=step["key"], timestamp=step["ts"])
            except StreamsError as error:
                records.append({"error": str(error)})
            records = [*_drain(driver, translation.sinks(driver)), *records]
            outputs.append(records)
            if records and "error" in records[-1]:
                break
        rows = {name: _rows(driver, name, windows) for name, windows in translation.stores.items()}
        for name, store in translation.processor_stores.items():
            rows[name] = processor_rows(driver.raw_store(name), store)
        return outputs, rows


def _drain(driver: TopologyTestDriver, topics: list[str]) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = []
    for topic in topics:
        for record in driver.output_topic(topic).read_all():
            records.append({"topic": topic, "key": _key(record.key), "value": record.value, "ts": record.timestamp})
    return records


def _key(key: Any) -> Any:
    return {"key": key.key, "start": key.start, "end": key.end} if isinstance(key, Windowed) else key


def _rows(driver: TopologyTestDriver, name: str, size_ms: int | None) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for key, (value, timestamp) in driver.rows(name).items():
        if isinstance(key, tuple) and len(key) == 3:  # sessions have no timestamp
            rows.append({"key": {"key": key[0], "start": key[1], "end": key[2]}, "value": value})
            continue
        shown = (
            _key(key) if size_ms is None else {"key": key[0], "start": key[1], "end": min(key[1] + size_ms, FOREVER)}
        )
        rows.append({"key": shown, "value": value, "ts": timestamp})
    return rows


class Translation:
    """Builds one case's topology, op by op."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.nodes: dict[str, Any] = {}
        self.stores: dict[str, int | None] = {}
        self.processor_stores: dict[str, Any] = {}
        self.windows: dict[str, int] = {}
        self.cogroups: set[str] = set()
        self._sinks: list[str] = []
        self._dynamic = False

    def sinks(self, driver: TopologyTestDriver) -> list[str]:
        if not self._dynamic:
            return list(dict.fromkeys(self._sinks))
        return [topic for topic in driver.produced_topics() if not topic.startswith("case-")]

    def apply(self, op: dict[str, Any]) -> None:
        method = getattr(self, "op_" + op["op"], None)
        if method is None:
            raise NotImplementedError(op["op"])
        made = method(op)
        if "id" in op:
            self.nodes[op["id"]] = made

    def of(self, op: dict[str, Any], name: str = "of") -> Any:
        return self.nodes[op[name]]

    def stream(self, op: dict[str, Any]) -> KStream[Any, Any]:
        """The operator's input, which has to be a stream."""
        handle = self.of(op)
        if not isinstance(handle, KStream):
            raise NotImplementedError(f"{op['op']} of a table")
        return handle

    def _supports(self, op: dict[str, Any], *parameters: str) -> None:
        extra = set(op) - {"op", "id", *parameters}
        if extra:
            raise NotImplementedError(f"{op['op']} with {', '.join(sorted(extra))}")

    # -- sources and stateless ----------------------------------------------------------------------------------------
    def op_stream(self, op: dict[str, Any]) -> Any:
        return self.app.stream(op["topics"] if "topics" in op else op["topic"], key=str)

    def op_table(self, op: dict[str, Any]) -> Any:
        self._supports(op, "topic", "store", "versioned")
        return self.app.table(op["topic"], key=str, **self._table_store(op))

    def op_global_table(self, op: dict[str, Any]) -> Any:
        return self.app.global_table(op["topic"], key=str, **self._table_store(op))

    def op_filter(self, op: dict[str, Any]) -> Any:
        return self.of(op).filter(words.predicate(op["pred"]), **self._table_store(op))

    def op_filter_not(self, op: dict[str, Any]) -> Any:
        return self.of(op).filter_not(words.predicate(op["pred"]), **self._table_store(op))

    def op_map_values(self, op: dict[str, Any]) -> Any:
        return self.of(op).map_values(words.value_function(op["fn"]), **self._table_store(op))

    def _table_store(self, op: dict[str, Any]) -> dict[str, Any]:
        """The `store=` of an operator on a table. What it keeps may be keyed by windows."""
        if "store" in op:
            self.stores[op["store"]] = None
        if "versioned" in op:
            return {"store": Materialized(op.get("store"), history_retention=_ms(op["versioned"]))}
        return {"store": op["store"]} if "store" in op else {}

    def op_map(self, op: dict[str, Any]) -> Any:
        key, value = words.key_function(op["key_fn"]), words.value_function(op.get("fn", "identity"))
        return self.of(op).map(lambda k, v: (key(k, v), value(k, v)))

    def op_select_key(self, op: dict[str, Any]) -> Any:
        return self.of(op).select_key(words.key_function(op["key_fn"]))

    def op_flat_map_values(self, op: dict[str, Any]) -> Any:
        return self.of(op).flat_map_values(words.flat_function(op["fn"]))

    def op_flat_map(self, op: dict[str, Any]) -> Any:
        values, key = words.flat_function(op["fn"]), words.key_function(op["key_fn"])
        return self.of(op).flat_map(lambda k, v: [(key(k, new), new) for new in values(k, v)])

    def op_peek(self, op: dict[str, Any]) -> Any:
        return self.of(op).peek(lambda k, v: None)

    def op_merge(self, op: dict[str, Any]) -> Any:
        return self.of(op, "left").merge(self.of(op, "right"))

    def op_split(self, op: dict[str, Any]) -> None:
        branches = self.of(op).split()
        for branch in op["branches"]:
            branches = branches.branch(words.predicate(branch["pred"]), name=branch["name"])
        default = op.get("default")
        made = branches.no_default_branch() if default is None else branches.default_branch(name=default)
        self.nodes.update({f"{op['id']}.{name}": stream for name, stream in made.items()})

    def op_repartition(self, op: dict[str, Any]) -> Any:
        return self.of(op).repartition(name=op.get("name"))

    def op_to(self, op: dict[str, Any]) -> None:
        if "topic_fn" in op:
            self._dynamic = True
            self.of(op).to(words.topic_function(op["topic_fn"]), value=Json())
        else:
            self._sinks.append(op["topic"])
            self.of(op).to(op["topic"], value=Json())  # one format, whatever the vector sends there

    def op_process(self, op: dict[str, Any]) -> Any:
        return self.of(op).process(processor(op), stores=self._store_of(op))

    def op_process_values(self, op: dict[str, Any]) -> Any:
        return self.of(op).process_values(processor(op), stores=self._store_of(op))

    def _store_of(self, op: dict[str, Any]) -> list[Any]:
        if "store" not in op:
            return []
        store = self.processor_stores[op["store"]] = processor_store(op)
        return [store]

    def op_to_table(self, op: dict[str, Any]) -> Any:
        self._supports(op, "of", "store", "versioned")
        return self.of(op).to_table(**self._table_store(op))

    def op_to_stream(self, op: dict[str, Any]) -> Any:
        return self.of(op).to_stream(words.key_function(op["key_fn"]) if "key_fn" in op else None)

    # -- groups -------------------------------------------------------------------------------------------------------
    def op_group_by_key(self, op: dict[str, Any]) -> Any:
        return self.of(op).group_by_key(value=Json(), name=op.get("name"))  # a reducer may change the type

    def op_group_by(self, op: dict[str, Any]) -> Any:
        handle, key = self.of(op), words.key_function(op["key_fn"])
        if not isinstance(handle, KTable):
            return handle.group_by(key, value=Json(), name=op.get("name"))
        value = words.value_function(op.get("fn", "identity"))
        return handle.group_by(lambda k, v: (key(k, v), value(k, v)), value=Json(), name=op.get("name"))

    def op_window(self, op: dict[str, Any]) -> Any:
        self._supports(op, "of", "type", "size", "advance", "grace", "difference", "gap", "start", "emit")
        grace = _ms(op.get("grace", 0))
        if op["type"] == "time":
            size = _ms(op["size"])
            windows = hopping(size, _ms(op["advance"]), grace=grace) if "advance" in op else tumbling(size, grace=grace)
            self.windows[op["id"]] = op["size"]
        elif op["type"] == "sliding":
            windows = sliding(_ms(op["difference"]), grace=grace)
            self.windows[op["id"]] = op["difference"]
        elif op["type"] == "session":
            windows = session(_ms(op["gap"]), grace=grace)
        elif op["type"] == "unlimited":
            windows = unlimited(start=op.get("start", 0))
            self.windows[op["id"]] = FOREVER
        else:
            raise NotImplementedError(f"{op['type']} windows")
        if op["of"] in self.cogroups:
            self.cogroups.add(op["id"])
        return self.of(op).windowed_by(windows, emit=op.get("emit", "update"))

    def op_cogroup(self, op: dict[str, Any]) -> Any:
        adders = [words.binary(each["adder"]) for each in op["inputs"]]
        functions = [lambda k, v, a, add=add: add(a, v) for add in adders]
        cogrouped = self.nodes[op["inputs"][0]["of"]].cogroup(functions[0])
        for each, function in zip(op["inputs"][1:], functions[1:], strict=True):
            cogrouped = cogrouped.cogroup(self.nodes[each["of"]], function)
        self.cogroups.add(op["id"])
        return cogrouped

    def op_count(self, op: dict[str, Any]) -> Any:
        return self.of(op).count(**self._kept(op))

    def op_reduce(self, op: dict[str, Any]) -> Any:
        self._supports(op, "of", "adder", "subtractor", "store", "retention")
        functions = [words.binary(op[name]) for name in ("adder", "subtractor") if name in op]
        return self.of(op).reduce(*functions, **self._kept(op))

    def op_aggregate(self, op: dict[str, Any]) -> Any:
        self._supports(op, "of", "init", "adder", "subtractor", "merger", "store", "retention")
        init = json.dumps(op["init"])
        kept = self._kept(op)
        if "merger" in op:
            kept["merger"] = words.binary(op["merger"])
        functions = [_aggregator(op[name]) for name in ("adder", "subtractor") if name in op]
        return self.of(op).aggregate(lambda: json.loads(init), *functions, **kept)

    def _kept(self, op: dict[str, Any]) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        if "store" in op:
            kept["store"] = op["store"]
            self.stores[op["store"]] = self.windows.get(op["of"])
        if "retention" in op:
            kept["retention"] = _ms(op["retention"])
        return kept

    def op_suppress(self, op: dict[str, Any]) -> Any:
        self._supports(op, "of", "until", "limit", "full", "max_records")
        buffer = BufferConfig.unbounded()
        if "full" in op:
            buffer = BufferConfig.max_records(op["max_records"])
            buffer = buffer.shut_down_when_full() if op["full"] == "shut_down" else buffer.emit_early_when_full()
        if op["until"] == "window_closes":
            return self.of(op).suppress(until_window_closes(buffer))
        return self.of(op).suppress(until_time_limit(_ms(op["limit"]), buffer))

    # -- joins --------------------------------------------------------------------------------------------------------
    def op_join(self, op: dict[str, Any]) -> Any:
        return self._join(op, "join")

    def op_left_join(self, op: dict[str, Any]) -> Any:
        return self._join(op, "left_join")

    def op_outer_join(self, op: dict[str, Any]) -> Any:
        return self._join(op, "outer_join")

    def _join(self, op: dict[str, Any], method: str) -> Any:
        left, right = self.of(op, "left"), self.of(op, "right")
        joiner = words.joiner(op.get("joiner", "pair"))
        if isinstance(left, KTable) and isinstance(right, KTable):
            self._supports(op, "left", "right", "joiner", "store")
            return getattr(left, method)(right, joiner, **self._table_store(op))
        if isinstance(right, GlobalKTable):
            self._supports(op, "left", "right", "joiner", "key_fn")
            return getattr(left, method)(right, joiner, on=words.key_function(op["key_fn"]))
        if isinstance(left, KStream) and isinstance(right, KStream):
            self._supports(op, "left", "right", "joiner", "difference", "before", "after", "grace")
            before, after = (op.get(side, op.get("difference")) for side in ("before", "after"))
            windows = join_window(_ms(before), _ms(after), grace=_ms(op.get("grace", 0)))
            return getattr(left, method)(right, joiner, windows=windows)
        self._supports(op, "left", "right", "joiner", "grace")
        if not isinstance(left, KStream) or not isinstance(right, KTable):
            raise NotImplementedError(f"{op['op']} of {type(left).__name__} and {type(right).__name__}")
        grace = {"grace": _ms(op["grace"])} if "grace" in op else {}
        return getattr(left, method)(right, joiner, **grace)

    def op_fk_join(self, op: dict[str, Any]) -> Any:
        return self._join_foreign_key(op, "join")

    def op_fk_left_join(self, op: dict[str, Any]) -> Any:
        return self._join_foreign_key(op, "left_join")

    def _join_foreign_key(self, op: dict[str, Any], method: str) -> Any:
        self._supports(op, "left", "right", "fk", "joiner", "store")
        left, right = self.of(op, "left"), self.of(op, "right")
        key, joiner = words.key_function(op["fk"]), words.joiner(op.get("joiner", "pair"))
        return getattr(left, method)(right, joiner, foreign_key=key, **self._table_store(op))


def _aggregator(name: str) -> Any:
    function = words.binary(name)
    return lambda k, v, a: function(a, v)


def _ms(milliseconds: int) -> timedelta:
    return timedelta(milliseconds=milliseconds)
