"""The layers of ARCHITECTURE.md, held by reading the imports of every file."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("streams", "broker", "stores")
DOORS_TO_THE_BROKER = ("streams.testing", "streams.cli")
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "manager", "impl", "base", "common", "misc", "internals"}
LONG_FILES: dict[str, int] = {}
"""Files above 400 lines and why they may be; to be emptied, not filled."""


def files(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports(file: Path) -> tuple[tuple[int, str], ...]:
    """Line and absolute name of every import in the file, wherever it stands: `a.b` for `from a import b` too."""
    return tuple(found_imports(file))


def found_imports(file: Path) -> Iterator[tuple[int, str]]:
    package = module_name(file).split(".")
    if file.name != "__init__.py":
        package = package[:-1]
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                yield node.lineno, f"{source}.{alias.name}"


def inside(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def offences(importers: str, forbidden: tuple[str, ...], *, allowed: tuple[str, ...] = ()) -> list[str]:
    """`file:line imports name` for each import of `forbidden` in `importers`, modules in `allowed` left out."""
    return [
        f"{file.relative_to(ROOT)}:{line} imports {name}"
        for file in files(importers.replace(".", "/"))
        if not any(inside(module_name(file), door) for door in allowed)
        for line, name in imports(file)
        if any(inside(name, package) for package in forbidden)
    ]


def test_imports_of_this_file_are_seen() -> None:
    """The reading itself works: absolute and `from` imports, with their lines."""
    found = {name for _, name in imports(Path(__file__))}
    assert {"ast", "collections.abc.Iterator", "pathlib.Path", "pytest"} <= found


def test_stores_imports_neither_sibling() -> None:
    """State can be used without streams and without the broker."""
    assert offences("stores", ("streams", "broker")) == []


def test_broker_imports_neither_sibling() -> None:
    """The broker is useful alone."""
    assert offences("broker", ("streams", "stores")) == []


def test_streams_imports_broker_only_at_its_doors() -> None:
    """An application on a real Kafka never loads the bundled broker."""
    assert offences("streams", ("broker",), allowed=DOORS_TO_THE_BROKER) == []


def test_nothing_below_imports_the_command_line() -> None:
    """The command line and the demo are on top: nobody else needs them."""
    assert offences("streams", ("streams.cli",), allowed=("streams.cli",)) == []
    assert offences("streams", ("streams.demo",), allowed=("streams.cli", "streams.demo")) == []


def test_nothing_that_runs_imports_testing() -> None:
    """Test drivers are a product, not a part of the runtime; pytest's door to them is a module of its own, so that it
    is loaded without them."""
    assert offences("streams", ("streams.testing",), allowed=("streams.testing", "streams.pytest_plugin")) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_init_files_only_reexport(package: str) -> None:
    """Code lives under its noun; an `__init__.py` gathers names (a package's own may load them late)."""
    for file in files(package):
        if file.name == "__init__.py" and file.parent != ROOT / package:
            kinds = {type(node).__name__ for node in ast.parse(file.read_text()).body}
            assert kinds <= {"Expr", "Import", "ImportFrom", "Assign", "AnnAssign"}, file.relative_to(ROOT)


@pytest.mark.parametrize("package", PACKAGES)
def test_files_are_named_after_what_they_hold(package: str) -> None:
    """No drawers for everything."""
    assert [str(file) for file in files(package) if file.stem.strip("_") in FORBIDDEN_NAMES] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_files_stay_short(package: str) -> None:
    """Above 400 lines a file holds more than one noun, or is listed here with the size it has."""
    long = {
        str(file.relative_to(ROOT)): length
        for file in files(package)
        if (length := len(file.read_text().splitlines())) > 400
    }
    listed = {name: length for name, length in LONG_FILES.items() if name.startswith(package + "/")}
    assert long.keys() == listed.keys()
    assert all(long[name] <= listed[name] for name in long)


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_are_typed(package: str) -> None:
    """Type checkers of users read our annotations."""
    assert (ROOT / package / "py.typed").exists()
