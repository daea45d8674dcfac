"""headrace: Kafka Streams for Python. Declare a topology; run it on the bundled broker or on Apache Kafka.

Names are imported at first use, so that the command line and programs that need only a part start fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streams.aggregates import (
        collect,
        count,
        distinct,
        first,
        last,
        max_,
        mean,
        min_,
        quantile,
        stddev,
        sum_,
        top_k,
    )
    from streams.app import App
    from streams.context import Context
    from streams.dsl.branched import BranchedStream
    from streams.dsl.cogrouped import CogroupedStream, SessionWindowedCogroupedStream, WindowedCogroupedStream
    from streams.dsl.global_ktable import GlobalKTable
    from streams.dsl.grouped import GroupedStream
    from streams.dsl.grouped_table import GroupedTable
    from streams.dsl.kstream import KStream
    from streams.dsl.ktable import KTable
    from streams.dsl.session_windowed import SessionWindowedStream
    from streams.dsl.stream_joined import StreamJoined
    from streams.dsl.suppressed import BufferConfig, Suppressed, until_time_limit, until_window_closes
    from streams.dsl.windowed import WindowedStream
    from streams.errors import (
        ApplicationShutdownError,
        BufferFullError,
        ConfigError,
        ProcessingError,
        ProduceError,
        QueryError,
        SchemaRegistryError,
        SerdeError,
        StateError,
        StreamsError,
        TaskFencedError,
        TopologyError,
    )
    from streams.expressions import F
    from streams.processors import (
        FixedKeyProcessor,
        FixedKeyRecord,
        Processor,
        ProcessorContext,
        Record,
    )
    from streams.runtime.dead_letter import DeadLetter
    from streams.runtime.decision import FailedRecord, HandlerResponse
    from streams.serde import (
        Avro,
        Bytes,
        Digits,
        Float,
        Integer,
        Json,
        JsonSchema,
        MessagePack,
        Protobuf,
        SchemaRegistry,
        Serde,
        String,
    )
    from streams.state import Materialized, Stores
    from streams.windowed import Windowed
    from streams.windows import (
        CalendarWindows,
        JoinWindows,
        SessionWindows,
        SlidingWindows,
        TimeWindows,
        UnlimitedWindows,
        calendar,
        hopping,
        join_window,
        session,
        sliding,
        tumbling,
        unlimited,
    )

HOMES = {
    "App": "streams.app",
    "ApplicationShutdownError": "streams.errors",
    "Avro": "streams.serde",
    "BranchedStream": "streams.dsl.branched",
    "BufferConfig": "streams.dsl.suppressed",
    "BufferFullError": "streams.errors",
    "Bytes": "streams.serde",
    "CalendarWindows": "streams.windows",
    "CogroupedStream": "streams.dsl.cogrouped",
    "ConfigError": "streams.errors",
    "Context": "streams.context",
    "DeadLetter": "streams.runtime.dead_letter",
    "Digits": "streams.serde",
    "F": "streams.expressions",
    "FailedRecord": "streams.runtime.decision",
    "FixedKeyProcessor": "streams.processors",
    "FixedKeyRecord": "streams.processors",
    "Float": "streams.serde",
    "GlobalKTable": "streams.dsl.global_ktable",
    "GroupedStream": "streams.dsl.grouped",
    "GroupedTable": "streams.dsl.grouped_table",
    "HandlerResponse": "streams.runtime.decision",
    "Integer": "streams.serde",
    "JoinWindows": "streams.windows",
    "Json": "streams.serde",
    "JsonSchema": "streams.serde",
    "KStream": "streams.dsl.kstream",
    "KTable": "streams.dsl.ktable",
    "Materialized": "streams.state",
    "MessagePack": "streams.serde",
    "ProcessingError": "streams.errors",
    "Processor": "streams.processors",
    "ProcessorContext": "streams.processors",
    "ProduceError": "streams.errors",
    "Protobuf": "streams.serde",
    "QueryError": "streams.errors",
    "Record": "streams.processors",
    "SchemaRegistry": "streams.serde",
    "SchemaRegistryError": "streams.errors",
    "Serde": "streams.serde",
    "SerdeError": "streams.errors",
    "SessionWindowedCogroupedStream": "streams.dsl.cogrouped",
    "SessionWindowedStream": "streams.dsl.session_windowed",
    "SessionWindows": "streams.windows",
    "SlidingWindows": "streams.windows",
    "StateError": "streams.errors",
    "Stores": "streams.state",
    "StreamJoined": "streams.dsl.stream_joined",
    "StreamsError": "streams.errors",
    "String": "streams.serde",
    "Suppressed": "streams.dsl.suppressed",
    "TaskFencedError": "streams.errors",
    "TimeWindows": "streams.windows",
    "TopologyError": "streams.errors",
    "UnlimitedWindows": "streams.windows",
    "Windowed": "streams.windowed",
    "WindowedCogroupedStream": "streams.dsl.cogrouped",
    "WindowedStream": "streams.dsl.windowed",
    "calendar": "streams.windows",
    "collect": "streams.aggregates",
    "count": "streams.aggregates",
    "distinct": "streams.aggregates",
    "first": "streams.aggregates",
    "hopping": "streams.windows",
    "join_window": "streams.windows",
    "last": "streams.aggregates",
    "max_": "streams.aggregates",
    "mean": "streams.aggregates",
    "min_": "streams.aggregates",
    "quantile": "streams.aggregates",
    "session": "streams.windows",
    "sliding": "streams.windows",
    "stddev": "streams.aggregates",
    "sum_": "streams.aggregates",
    "top_k": "streams.aggregates",
    "tumbling": "streams.windows",
    "unlimited": "streams.windows",
    "until_time_limit": "streams.dsl.suppressed",
    "until_window_closes": "streams.dsl.suppressed",
}


def __getattr__(name: str) -> Any:
    home = HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted(HOMES)


__all__ = [
    "App",
    "ApplicationShutdownError",
    "Avro",
    "BranchedStream",
    "BufferConfig",
    "BufferFullError",
    "Bytes",
    "CalendarWindows",
    "CogroupedStream",
    "ConfigError",
    "Context",
    "DeadLetter",
    "Digits",
    "F",
    "FailedRecord",
    "FixedKeyProcessor",
    "FixedKeyRecord",
    "Float",
    "GlobalKTable",
    "GroupedStream",
    "GroupedTable",
    "HandlerResponse",
    "Integer",
    "JoinWindows",
    "Json",
    "JsonSchema",
    "KStream",
    "KTable",
    "Materialized",
    "MessagePack",
    "ProcessingError",
    "Processor",
    "ProcessorContext",
    "ProduceError",
    "Protobuf",
    "QueryError",
    "Record",
    "SchemaRegistry",
    "SchemaRegistryError",
    "Serde",
    "SerdeError",
    "SessionWindowedCogroupedStream",
    "SessionWindowedStream",
    "SessionWindows",
    "SlidingWindows",
    "StateError",
    "Stores",
    "StreamJoined",
    "StreamsError",
    "String",
    "Suppressed",
    "TaskFencedError",
    "TimeWindows",
    "TopologyError",
    "UnlimitedWindows",
    "Windowed",
    "WindowedCogroupedStream",
    "WindowedStream",
    "calendar",
    "collect",
    "count",
    "distinct",
    "first",
    "hopping",
    "join_window",
    "last",
    "max_",
    "mean",
    "min_",
    "quantile",
    "session",
    "sliding",
    "stddev",
    "sum_",
    "top_k",
    "tumbling",
    "unlimited",
    "until_time_limit",
    "until_window_closes",
]
