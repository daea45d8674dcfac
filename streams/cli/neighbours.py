"""The distributions `broker` and `stores` on PyPI: they install folders named like headrace's, and overwrite them."""

from __future__ import annotations

from importlib import metadata

from streams.cli.failures import CommandFailed

FOLDERS = ("broker", "stores")


def refuse_foreign_packages() -> None:
    """Raises CommandFailed if a distribution that overwrites our packages is installed beside us."""
    for name in FOLDERS:
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        raise CommandFailed(
            f"the distribution {name} {version} is installed in this environment and has overwritten headrace's "
            f"package {name!r}: pip uninstall {name}, then pip install --force-reinstall headrace"
        )
