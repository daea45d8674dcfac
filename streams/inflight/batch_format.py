"""The values of a batch as a vectorised function gets them, and its results as values again."""

from __future__ import annotations

import datetime
import decimal
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any, Literal, cast

import msgspec

from streams.errors import ConfigError

BatchFormat = Literal["list", "numpy", "arrow"]
BATCH_FORMATS: tuple[BatchFormat, ...] = ("list", "numpy", "arrow")
BatchValues = Callable[[list[Any]], Any]

NATIVE = (bytes, datetime.datetime, datetime.date, datetime.time, datetime.timedelta, decimal.Decimal, uuid.UUID)
"""What stays as it is in a column."""


def batch_values(form: BatchFormat) -> BatchValues:
    """What makes the argument of a vectorised function from a list of values.

    Raises ConfigError: the package the format needs is not installed.
    """
    if form == "list":
        return list
    if form == "numpy":
        return _Arrays(_package("numpy", form))
    return _Tables(_package("pyarrow", form))


def result_values(results: Any) -> list[Any]:
    """The results of a vectorised function one by one: of any iterable, as Python's own values where it is an array
    (`tolist`) or of Arrow (`to_pylist`)."""
    for name in ("to_pylist", "tolist"):
        convert = getattr(results, name, None)
        if callable(convert):
            return list(cast("Iterable[Any]", convert()))
    if isinstance(results, str | bytes | Mapping) or not isinstance(results, Iterable):
        raise TypeError(f"a batch needs a list with one result for each value, got {type(results).__name__}")  # pyright: ignore[reportUnknownArgumentType]
    return list(cast("Iterable[Any]", results))


class _Arrays:
    """Numbers, strings and the like in one array; records (structs, dataclasses, dicts) in a structured array, whose
    fields are `batch["name"]`."""

    def __init__(self, numpy: Any) -> None:
        self._numpy = numpy

    def __call__(self, values: list[Any]) -> Any:
        rows = _rows(values)
        if rows is None:
            return self._array(values)
        columns = {name: self._array([row.get(name) for row in rows]) for name in _names(rows)}
        fields = [(name, column.dtype, column.shape[1:]) for name, column in columns.items()]
        array = self._numpy.empty(len(values), dtype=fields)
        for name, column in columns.items():
            array[name] = column
        return array

    def _array(self, values: Sequence[Any]) -> Any:
        numpy = self._numpy
        try:
            return numpy.array(values)
        except ValueError:  # lists of unequal lengths
            array = numpy.empty(len(values), dtype=object)
            array[:] = values
            return array


class _Tables:
    """A table with a column for each field of the records, or with the one column `value`."""

    def __init__(self, pyarrow: Any) -> None:
        self._pyarrow = pyarrow

    def __call__(self, values: list[Any]) -> Any:
        rows = _rows(values)
        columns: dict[str, list[Any]] = (
            {"value": values} if rows is None else {name: [row.get(name) for row in rows] for name in _names(rows)}
        )
        return self._pyarrow.table(columns)


def _rows(values: Sequence[Any]) -> list[dict[str, Any]] | None:
    """The values as dicts (a null value as an empty one), if they are records."""
    plain = [msgspec.to_builtins(_fields(value), builtin_types=NATIVE, str_keys=True) for value in values]
    if not any(isinstance(each, dict) for each in plain):
        return None
    rows: list[dict[str, Any]] = []
    for each in plain:
        if each is not None and not isinstance(each, dict):
            raise TypeError(f"a batch of records and other values has no columns: {each!r} is among them")
        rows.append(cast("dict[str, Any]", each) if each is not None else {})
    return rows


def _fields(value: Any) -> Any:
    """A pydantic model as a dict; msgspec knows the others."""
    dump = getattr(value, "model_dump", None)
    return dump() if callable(dump) else value


def _names(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _package(name: str, form: BatchFormat) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise ConfigError(
            f'map_batch(format="{form}") needs the package {name}: pip install "headrace[{form}]"', setting="format"
        ) from error
