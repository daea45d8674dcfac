"""The distributions `broker` and `stores` on PyPI: they install folders named like headrace's, and overwrite them."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata

from streams.cli.checkup.finding import Finding

FOLDERS = ("broker", "stores", "streams")


def foreign_packages() -> Iterator[Finding]:
    """One for each that is installed in this environment."""
    for name in FOLDERS:
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        yield Finding(
            "failure",
            "packages",
            f"the distribution {name} {version} is installed here and has overwritten headrace's package {name!r}",
            f"pip uninstall {name}, then pip install --force-reinstall headrace",
        )
