"""Writes the run function of one source topic: the loop over a batch, with the whole chain of the topic inside it.

The function looks like this (names shortened):

    def run_flights(messages, start, end, limit):
        nonlocal time_1                              # operators' clocks, shared with the task's other functions
        top = source_flights.max_timestamp
        index = start
        try:
            for index in range(start, end):
                m = messages[index]
                raw = m.value()
                value = None if raw is None else deserialize(raw)
                ts = m.timestamp()[1] if value is None else value.ts
                if ts > limit: break                 # another input of the task is older: its turn
                if ts > top: top = ts
                if ts > task_time: task_time = ts    # where somebody asks for the task's own clock
                …                                    # the operators
                if task_time >= due: tick(task_time) # where something waits for it
            else: index = end
            return index
        except Exception as error: raise record_failure(index, error)
        finally: source_flights.max_timestamp = top; …

One `try` around the loop costs nothing per record; which operator failed is read off the traceback's line.
"""

from __future__ import annotations

import logging

from msgspec.structs import replace

from streams.compile.call import call
from streams.compile.chain import Chain, ModulePlan
from streams.compile.in_flight import lines_overtaken
from streams.compile.program import Message
from streams.compile.scope import RecordScope
from streams.compile.source_text import SourceText
from streams.graph.node import Node
from streams.operators.source import Source

log = logging.getLogger(__name__)


def write_source_function(module: ModulePlan, text: SourceText, node: Node, topic: str, name: str) -> None:
    """Appends `run_<name>` and `head_time_<name>` for `topic`, which enters the sub-topology at `node`."""
    chain = Chain(module, text)
    watermark = module.watermarks.get(topic)
    with text.at(node), text.function(f"def run_{name}(messages, start, end, limit):"):
        text.line("#nonlocal")
        text.line(f"top = source_{name}.max_timestamp")
        if module.watermarks:
            text.line("refresh_watermarks()")
        text.line("index = start")
        with text.block("try:"):
            with text.block("for index in range(start, end):"):
                if module.in_flight:
                    text.line("if in_flight.is_full(): break")
                    if overtaken := lines_overtaken(module, node):
                        waiting = " or ".join(f"{line}.count" for line in overtaken)
                        text.line(f"if ({waiting}) and in_flight.has_to_empty(): break")
                text.line("m = messages[index]")
                scope = _decode(chain, node, topic, watermark)
                text.line("kb = m.key()")
                with text.block("if ts > limit:"):
                    text.line("break")
                with text.block("if ts > top:"):
                    text.line("top = ts")
                with text.block("elif ts < 0:"):
                    _write_invalid(chain, node)
                text.line("#task_time")
                with text.nothing_follows():  # the next record is another one
                    chain.forward(node, scope)
                text.line("#task_events")
            with text.block("else:"):
                text.line("index = end")
            text.line("return index")
        with text.block("except Exception as error:"):
            text.line("raise record_failure(index, error)")
        with text.block("finally:"):
            text.line(f"source_{name}.max_timestamp = top")
            text.line("advance_stores()")
    with text.at(node), text.function(f"def head_time_{name}(m):"):
        if _extractor(node) is None:
            text.line("return m.timestamp()[1]")
        else:
            _decode(chain, node, topic, None)
            text.line("return ts")


def _write_invalid(chain: Chain, node: Node) -> None:
    """What becomes of a record without a usable timestamp."""
    policy = node.invalid_timestamp if isinstance(node, Source) else "fail"
    if policy == "skip":
        chain.line(f"if not counters.dropped_invalid_timestamp: {chain.bind(tell_skipped, 'tell_skipped')}(m, ts)")
        chain.line("counters.dropped_invalid_timestamp += 1")
        chain.line("continue")
        return
    failure = f"raise {chain.bind(negative_timestamp, 'negative_timestamp')}(ts)"
    if policy == "partition_time":
        chain.line(f"if top < 0: {failure}")
        chain.line("ts = top")
    else:
        chain.line(failure)


def tell_skipped(message: Message, timestamp: int) -> None:
    log.warning(
        "record_skipped: %s[%d] at offset %d has no usable timestamp (%d); more of them are only counted",
        message.topic(),
        message.partition(),
        message.offset(),
        timestamp,
    )


def negative_timestamp(timestamp: int) -> ValueError:
    """Source: `FailOnInvalidTimestamp`."""
    return ValueError(
        f"the record has no usable timestamp ({timestamp}): give the stream timestamp=F.<field> with ms since the "
        "epoch, or have the producer set one"
    )


def _extractor(node: Node):
    return node.timestamp if isinstance(node, Source) else None


def _decode(chain: Chain, node: Node, topic: str, watermark: str | None) -> RecordScope:
    """Lines that set `value` and `ts`, and the scope they make with the key's bytes in `kb`."""
    text = chain.text
    schema = node.schema
    text.line("raw = m.value()")
    value = chain.local("value")
    scope = RecordScope(schema=schema, timestamp="ts", headers="m.headers()", key_bytes="kb", value=value)
    with text.at(node, "deserialization"):
        with text.block("if raw is None:"):
            if watermark is not None:
                with text.block(f"if {chain.of_task('observe', f'watermarks[{topic!r}].observe')}(m):"):
                    text.line("watermark_moved()")
                    text.line("continue")
            text.line(f"{value} = None")
            text.line("ts = m.timestamp()[1]")
        with text.block("else:"):
            text.line(f"{value} = {chain.deserialize(schema.value_serde(), 'raw')}")
            extractor = _extractor(node)
            if extractor is None:
                text.line("ts = m.timestamp()[1]")
            else:
                early = replace(scope, key_bytes="m.key()", timestamp="m.timestamp()[1]")
                with text.at(node):
                    _, moment = call(chain, early, extractor, hint="timestamp_of")
                    text.line(f"ts = {moment}")
    keys = schema.key_serde()
    if keys.bind is not None:  # equal keys have equal bytes only if they are written with one schema
        key = f"None if kb is None else {chain.deserialize(keys, 'kb')}"
        scope = replace(scope, key_bytes=None, key_source=key)
    return scope
