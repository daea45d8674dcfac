"""Names in handlers' responses are fields of Kafka's schemas: a misspelled one would be dropped without a word."""

from __future__ import annotations

import ast
import importlib
from dataclasses import fields, is_dataclass
from pathlib import Path

import kio.schema
import pytest

import broker.handlers

HANDLERS = Path(broker.handlers.__path__[0])
SCHEMAS = Path(kio.schema.__path__[0])
APIS = sorted(path.stem for path in HANDLERS.glob("*.py") if (SCHEMAS / path.stem).is_dir())


def names_used(source: str) -> set[str]:
    """Keyword arguments of `response(…)` and string keys of dict displays."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "response":
            names |= {keyword.arg for keyword in node.keywords if keyword.arg is not None}
        if isinstance(node, ast.Dict):
            names |= {key.value for key in node.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}
    return names


def names_known(api: str) -> set[str]:
    """Fields of all entities in all versions of an API's response."""
    known: set[str] = set()
    for version in (SCHEMAS / api).glob("v*"):
        module = importlib.import_module(f"kio.schema.{api}.{version.name}.response")
        known |= {f.name for entity in vars(module).values() if is_dataclass(entity) for f in fields(entity)}
    return known


@pytest.mark.parametrize("api", APIS)
def test_handler_uses_names_of_its_schema(api: str) -> None:
    """Every name in the module's response trees is in some version's response."""
    assert names_used((HANDLERS / f"{api}.py").read_text()) <= names_known(api)
