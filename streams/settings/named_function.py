"""Functions that the environment or a file names."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any


def named_function(name: str) -> Callable[..., Any]:
    """The function that `package.module:function` names. Raises ValueError if there is none."""
    module, _, path = name.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"{name!r} names no function: {error}; write package.module:function") from error
    if not callable(found):
        raise ValueError(f"{name!r} is no function, but {found!r}")
    return found
