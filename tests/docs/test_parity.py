"""docs/parity.md leaves out nothing of Kafka Streams and nothing of ours, and names only what there is."""

from __future__ import annotations

import importlib
import re
from typing import Any

import pytest

from streams.settings import AppSettings
from tests.docs.parity_page import NOTHING, attributes, kafka_streams, members, resolve, rows

API = kafka_streams()
ROWS = list(rows())
REASON = re.compile(r"(By design|Not yet): ")
NAMES = sorted({name for row in ROWS for name in row.names})
PUBLIC = ("streams", "streams.testing", "streams.state", "streams.processors")

PLUMBING = {
    # What the DSL's handles tell each other.
    "BranchedStream.of",
    "CogroupedStream.windowed",
    "GlobalKTable.builder",
    "GlobalKTable.node",
    "GroupedStream.of",
    "GroupedStream.of_group",
    "GroupedTable.of",
    "KTable.builder",
    "KTable.node",
    "Materialized.problems",
    "StoreDeclaration.everywhere",
    "StoreDeclaration.open",
    "StoreDeclaration.open_as",
    "StoreDeclaration.window_end",
    "StreamJoined.sides",
    "StreamJoined.unmatched",
    # What a sink asks of the serde of a windowed key.
    "Serde.window_bytes",
    # What operators ask of windows.
    *(
        f"{kind}.{name}"
        for kind in ("CalendarWindows", "TimeWindows", "UnlimitedWindows")
        for name in ("end_of", "form", "longest_ms", "next_end", "segment_ms", "starts_of_ends", "windows_for")
    ),
    "CalendarWindows.window_at",
    "JoinWindows.reach_ms",
    "JoinWindows.retention_ms",
    "JoinWindows.size_ms",
    # What the generated code asks of a processor's context.
    *(
        f"{kind}.{name}"
        for kind in ("ProcessorContext", "FixedKeyProcessorContext")
        for name in ("connect", "entered", "open_stores", "timestamp")
    ),
    "TaskProcessors",
    # What the driver's tasks and topics ask of it, and pytest of the contract suites.
    "TopologyTestDriver.disk",
    "TopologyTestDriver.produce",
    "TopologyTestDriver.wall_clock",
    "CustomStoreContract.STEPS",
}
"""Public to our own modules, and nothing for users."""


def ours() -> set[str]:
    """What users have: the names of the public modules, the attributes of their classes where the first of them to have
    them, the settings."""
    found = {f"App({name}=)" for name in AppSettings.model_fields if name != "application_id"}
    public: dict[str, Any] = {}
    for module in map(importlib.import_module, PUBLIC):
        names = getattr(module, "__all__", None) or [name for name in vars(module) if name[0].isupper()]
        public |= {name: getattr(module, name) for name in names}
    for name, thing in public.items():
        found.add(name)
        if not isinstance(thing, type) or name in PLUMBING:
            continue
        inherited = {
            attribute for base in thing.__mro__[1:] if base in public.values() for attribute in attributes(base)
        }
        found |= {f"{name}.{attribute}" for attribute in attributes(thing) - inherited if attribute[:5] != "test_"}
    return found


def on_the_page() -> set[str]:
    """All that the page names on our side; of `KStream.to(name=)` that is `KStream`, `KStream.to` and the parameter."""
    found: set[str] = set()
    for name in NAMES:
        path, _, parameters = name.removesuffix(")").partition("(")
        parts = path.split(".")
        found |= {".".join(parts[:length]) for length in range(1, len(parts) + 1)}
        for parameter in re.findall(r"(\w+)=", parameters):
            found |= {f"{path}({parameter}=)", f"{path}.{parameter}"}
    return found


def test_every_public_member_of_kafka_streams_has_a_row() -> None:
    """No class and no method of the list is left out."""
    covered = {member for row in ROWS for name in row.theirs for member in members(name, row.heading, API)}
    missing = {f"{kind}.{name}" for kind in API for name in API[kind] if (kind, name) not in covered}
    missing |= {kind for kind in API if not API[kind] and (kind, "") not in covered}
    assert sorted(missing) == []


def test_list_of_kafka_streams_is_whole() -> None:
    """The list has what every application uses; a cut-off file would make the page complete all the same."""
    assert len(API) == 257
    assert sum(map(len, API.values())) == 1166
    assert {"filter", "join", "processValues", "toTable"} <= API["kstream.KStream"]
    assert "commit.interval.ms" in API["StreamsConfig"]


@pytest.mark.parametrize("name", NAMES)
def test_name_on_our_side_stands_for_something(name: str) -> None:
    """It can be imported, typed in a shell, or asked for over HTTP."""
    resolve(name)


@pytest.mark.parametrize(
    "name",
    [
        "KStream.no_such_method",
        "KStream.to(no_such_parameter=)",
        "App(no_such_setting=)",
        "KStream._node",
        "streams.runtime.no_such_module.Thing",
        "headrace no-such-command",
        "headrace worker --no-such-option",
        "GET /no/such/route",
        "two words",
    ],
)
def test_name_that_stands_for_nothing_is_found_out(name: str) -> None:
    """The check above can fail."""
    with pytest.raises(LookupError):
        resolve(name)


def test_row_without_ours_gives_a_reason() -> None:
    """What is not there is so by design, or not there yet, and the row says what to use instead or what is missing."""
    bare = [
        f"parity.md:{row.line}"
        for row in ROWS
        if (row.ours == NOTHING and not REASON.match(row.note)) or (row.ours != NOTHING and not row.names)
    ]
    assert bare == []


def test_everything_of_ours_is_on_the_page() -> None:
    """A new method needs a row: beside its counterpart, or among ours alone."""
    assert sorted(ours() - on_the_page() - PLUMBING) == []


def test_plumbing_is_there_and_not_on_the_page() -> None:
    """The exceptions are exceptions."""
    assert sorted(PLUMBING - ours()) == []
    assert sorted(PLUMBING & on_the_page()) == []
