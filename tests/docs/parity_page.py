"""docs/parity.md as data, and what the names in it stand for."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import click

from streams.cli import main
from streams.query.routes import query_app
from streams.query.subject import Subject
from streams.runtime.options import WorkerOptions
from streams.settings import AppSettings

PAGE = Path(__file__).parents[2] / "docs" / "parity.md"
API = Path(__file__).parent / "kafka_streams_api.txt"

NOTHING = "–"
COUNTERPARTS = "| Kafka Streams | ours | note |"
ALONE = "| ours | what |"
CODE = re.compile(r"`([^`]+)`")
MODULES = ("streams", "streams.testing", "streams.state", "streams.processors", "streams.serde")
"""Where a name on our side is looked up; the page says so. Others are written with their module."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the page: what Kafka Streams calls it (empty among ours alone), what we do, and the note.

    `heading` is the Java class of the section, or its title where it has several.
    """

    line: int
    heading: str
    theirs: tuple[str, ...]
    ours: str
    note: str

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(CODE.findall(self.ours))


def rows() -> Iterator[Row]:
    """All rows of all tables of the page."""
    heading, head = "", ""
    for number, line in enumerate(PAGE.read_text().splitlines(), 1):
        if line.startswith("#"):
            heading, head = line.lstrip("# ").strip("`"), ""
        elif line in (COUNTERPARTS, ALONE):
            head = line
        elif not line.startswith("|"):
            head = ""
        elif head and not line.startswith("|---"):
            cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            assert len(cells) == head.count("|") - 1, f"{PAGE.name}:{number} has {len(cells)} cells"
            if head == ALONE:
                yield Row(number, heading, (), cells[0], cells[1])
            else:
                yield Row(number, heading, tuple(CODE.findall(cells[0])), cells[1], cells[2])


def kafka_streams() -> dict[str, frozenset[str]]:
    """The public classes of Kafka Streams, with their packages, and the names of their public members."""
    lines = [line for line in API.read_text().splitlines() if not line.startswith("#")]
    return {name: frozenset(members.split()) for name, _, members in (line.partition(":") for line in lines)}


def members(theirs: str, heading: str, api: dict[str, frozenset[str]]) -> set[tuple[str, str]]:
    """What a name in the first column covers, as (class, member); the member is "" for the class itself.

    `method` is a method of the heading's class, `Class.method` of that one, `Class` a class without methods of its own,
    `Class.*` a class with all of them. Raises LookupError for a name that the list does not have.
    """
    own = java_class(heading, api)
    if own is not None and theirs in api[own]:
        return {(own, theirs)}
    name, _, member = theirs.rpartition(".")
    found = java_class(name, api)
    if found is not None and member == "*":
        return {(found, ""), *((found, each) for each in api[found])}
    if found is not None and member in api[found]:
        return {(found, member)}
    whole = java_class(theirs, api)
    if whole is not None and not api[whole]:
        return {(whole, "")}
    raise LookupError(f"Kafka Streams has no {theirs!r}")


def java_class(name: str, api: dict[str, frozenset[str]]) -> str | None:
    """The class of that simple or qualified name; None if there is none or more than one."""
    if name in api:
        return name
    found = [each for each in api if name and each.endswith(f".{name}")]
    return found[0] if len(found) == 1 else None


def resolve(name: str) -> None:
    """Finds what a name on our side stands for: something public in Python, with these parameters; a command with these
    options; a route of the query server. Raises LookupError if there is no such thing.
    """
    if name.startswith("headrace"):
        _command(name)
    elif name.startswith("GET "):
        _route(name.removeprefix("GET "))
    else:
        _python(name)


def _python(name: str) -> None:
    called = re.fullmatch(r"([\w.]+)(?:\((.*)\))?", name)
    if called is None:
        raise LookupError(f"{name!r} is no name")
    path = called[1].split(".")
    if any(part.startswith("_") for part in path):
        raise LookupError(f"{name!r} is not public")
    found = _find(path)
    for parameter in re.findall(r"(\w+)=", called[2] or ""):
        if parameter not in _parameters(found, path[-1]):
            raise LookupError(f"{'.'.join(path)} has no parameter {parameter!r}")


def _find(path: list[str]) -> Any:
    starts: list[tuple[Any, list[str]]] = [(importlib.import_module(module), path) for module in MODULES]
    for length in range(len(path) - 1, 0, -1):
        if path[0] not in ("streams", "stores", "broker"):
            break
        try:
            starts.append((importlib.import_module(".".join(path[:length])), path[length:]))
        except ModuleNotFoundError:
            continue
    for start, rest in starts:
        try:
            return _walk(start, rest)
        except AttributeError:
            continue
    raise LookupError(f"there is no {'.'.join(path)}")


def _walk(start: Any, rest: list[str]) -> Any:
    found = start
    for part in rest:
        if isinstance(found, type) and part in attributes(found):
            found = getattr(found, part, part)  # a field without a default is no attribute of its class
        else:
            found = getattr(found, part)
        if isinstance(found, ModuleType):
            raise AttributeError(part)
    return found


def _parameters(found: Any, name: str) -> set[str]:
    known: set[str] = set()
    for parameter in inspect.signature(found).parameters.values():
        known.add(parameter.name)
        if parameter.kind is parameter.VAR_KEYWORD and name == "App":
            known |= set(AppSettings.model_fields)
        elif parameter.kind is parameter.VAR_KEYWORD and parameter.name == "options":
            known |= set(WorkerOptions.__struct_fields__)
    return known


def _command(line: str) -> None:
    words, command = line.split()[1:], cast("click.Command", main)
    while words and isinstance(command, click.Group):
        below = command.get_command(click.Context(command), words[0])
        if below is None:
            raise LookupError(f"there is no command {line!r}")
        command, words = below, words[1:]
    options = {option for parameter in command.params for option in parameter.opts}
    unknown = [word for word in words if word.startswith("-") and word not in options]
    if unknown:
        raise LookupError(f"{line!r}: there is no option {unknown[0]}")


def _route(path: str) -> None:
    subject = cast(Subject, SimpleNamespace(application_id="parity"))
    nothing = cast(Any, None)  # nobody asks
    app = query_app(subject, nothing, nothing, nothing, nothing)
    routes = {str(getattr(route, "path", "")).replace(":path", "") for route in app.routes}
    if path.partition("?")[0] not in routes:
        raise LookupError(f"the query server has no {path}")


def attributes(kind: type) -> set[str]:
    """The public methods, properties and fields of a class, inherited ones included, without those that every tuple or
    exception has."""
    builtin = tuple if issubclass(kind, tuple) else Exception
    found = {name for name in dir(kind) if not hasattr(builtin, name)}
    for base in kind.__mro__:
        found |= set(inspect.get_annotations(base))
    return {name for name in found if not name.startswith("_")}
