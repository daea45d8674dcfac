"""Kafka topics in and out, as the programs here use them."""

from __future__ import annotations

from typing import Any

import bytewax.operators as op
import orjson
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.operators import KeyedStream


def read(flow: Dataflow, servers: str, topic: str) -> KeyedStream[Any]:
    """Values of a topic by their keys."""
    messages = op.input(f"read {topic}", flow, KafkaSource([servers], [topic], batch_size=1000))
    return op.map(f"decode {topic}", messages, lambda m: (m.key.decode(), orjson.loads(m.value)))


def write(results: KeyedStream[Any], servers: str, topic: str) -> None:
    messages = op.map("encode", results, lambda kv: KafkaSinkMessage(kv[0].encode(), orjson.dumps(kv[1])))
    op.output("write", messages, KafkaSink([servers], topic, add_config={"linger.ms": "50"}))
