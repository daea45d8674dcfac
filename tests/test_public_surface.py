"""The names users import: everything in `__all__` exists, and nothing is added or lost unnoticed."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

import streams

ROOT = Path(__file__).parent.parent

SURFACE = {
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
}


def test_streams_offers_exactly_its_surface() -> None:
    """A new public name is a decision: it is added here too."""
    assert set(streams.__all__) == SURFACE
    assert set(dir(streams)) >= SURFACE


@pytest.mark.parametrize("package", ["streams", "streams.testing", "stores", "broker"])
def test_every_public_name_can_be_imported(package: str) -> None:
    """Names that are loaded late are there when asked for."""
    module = importlib.import_module(package)
    names = getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]
    assert names
    for name in names:
        assert getattr(module, name) is not None


def test_unknown_name_is_an_attribute_error() -> None:
    """As with any module."""
    with pytest.raises(AttributeError, match="no attribute 'KTabel'"):
        streams.KTabel  # noqa: B018  # pyright: ignore


def test_importing_the_command_line_loads_nothing_heavy() -> None:
    """`headrace --help` answers at once: clients, stores, servers and settings are loaded where they are needed."""
    heavy = ("confluent_kafka", "rocksdict", "pydantic", "fastapi", "uvicorn", "pyarrow", "rich", "kio", "asyncio")
    code = f"import sys, streams.cli; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_commands_check_settings_only_where_some_are_set(tmp_path: Path) -> None:
    """Where there is nothing but the broker's address, half of the time of `headrace produce` would go there."""
    code = (
        "import sys; from streams.cli.clients import client_config; from streams.discovery import locate_broker; "
        "print(client_config(locate_broker(None)).get('client.rack'), 'pydantic' in sys.modules)"
    )
    (tmp_path / "headrace.toml").write_text('bootstrap_servers = "127.0.0.1:1"\n[broker]\nport = 1\n')

    def said(**environment: str) -> str:
        own = {name: value for name, value in os.environ.items() if not name.startswith("HEADRACE_")}
        own |= {"PYTHONPATH": str(ROOT), **environment}
        done = subprocess.run(
            [sys.executable, "-P", "-c", code], cwd=tmp_path, env=own, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    assert said() == "None False"
    assert said(HEADRACE_BOOTSTRAP_SERVERS="127.0.0.1:2") == "None False"
    assert said(HEADRACE_CLIENT_CLIENT_RACK="r1") == "r1 True"
    (tmp_path / "headrace.toml").write_text('[client_config]\nclient.rack = "r2"\n')
    assert said() == "r2 True"
