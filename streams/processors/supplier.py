"""Where a task's instances of a user's processor come from."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import Any, cast, get_args, get_origin, get_type_hints

from msgspec import Struct

from streams.processors.processor import FixedKeyProcessor, Processor
from streams.serde import Unknown


class ProcessorSupplier(Struct, frozen=True):
    """`make()` gives a new processor for each task. Source: `ProcessorSupplier`."""

    given: Any
    """What the user passed: a class, a factory, or an instance that is copied."""
    kind: type[Processor[Any, Any, Any, Any]] | type[FixedKeyProcessor[Any, Any, Any]]

    @property
    def name(self) -> str:
        return getattr(self.given, "__qualname__", type(self.given).__qualname__)

    def make(self) -> Any:
        """Raises TypeError if the factory gives something else than a processor."""
        given = self.given
        if self._is_processor(given):
            return copy.deepcopy(given)
        made: Any = given()
        if not self._is_processor(made):
            raise TypeError(f"{self.name} should give a new {self.kind.__name__} for each task, but gave {made!r}")
        return made

    def result_types(self) -> tuple[Any, Any]:
        """The types of keys and values it forwards, as far as its class says: `Processor[str, int, str, Alarm]`."""
        arguments = _arguments(self._processor_class(), self.kind)
        if not arguments:
            return Unknown, Unknown
        if self.kind is not Processor:
            return Unknown, _concrete(arguments[2])
        return _concrete(arguments[2]), _concrete(arguments[3])

    def _is_processor(self, made: Any) -> bool:
        return isinstance(made, self.kind)

    def _processor_class(self) -> Any:
        if inspect.isclass(self.given):
            return self.given
        if self._is_processor(self.given):
            return cast(Any, type(self.given))
        try:
            return get_type_hints(self.given).get("return")
        except Exception:  # a factory without readable annotations says nothing of its types
            return None


def _arguments(cls: Any, kind: type) -> tuple[Any, ...]:
    """The type arguments with which `cls` (a class, or an alias such as `Gate[str]`) derives from `kind`."""
    if get_origin(cls) is kind:
        return get_args(cls)
    origin: Any = get_origin(cls) or cls
    for parent in getattr(origin, "__orig_bases__", ()):
        found = _arguments(parent, kind)
        if found:
            return found
    return ()


def _concrete(argument: Any) -> Any:
    """The type, unless it is a type variable or `Any`, of which nothing is known."""
    return Unknown if argument is Any or (not isinstance(argument, type) and get_origin(argument) is None) else argument


def is_supplier(given: Any, kind: type) -> bool:
    """Whether it can give processors: an instance, or something to call without arguments."""
    if isinstance(given, kind):
        return True
    if inspect.isclass(given) and not issubclass(given, kind):
        return False
    if not callable(given):
        return False
    return _needs_no_arguments(given)


def _needs_no_arguments(factory: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):
        return True
    return all(
        parameter.default is not parameter.empty or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        for parameter in parameters
    )
