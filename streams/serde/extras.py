"""Libraries that come with an extra of the distribution, imported when a serde that needs them is made."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from streams.errors import ConfigError


def extra(module: str, name: str, what: str) -> Any:
    """The module, which the extra `name` installs and `what` needs.

    Raises:
        ConfigError: it is not there; the message has the line that installs it.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise ConfigError(
            f"{what} needs {error.name or module}, which is not installed: pip install 'headrace[{name}]'"
        ) from error
