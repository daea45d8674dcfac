"""Python, headrace itself and the distributions it needs."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib import metadata

from packaging.requirements import InvalidRequirement, Requirement

from streams.cli.checkup.finding import Finding
from streams.cli.checkup.foreign_packages import foreign_packages

DISTRIBUTION = "headrace"


def check_environment() -> Iterator[Finding]:
    yield Finding("ok", "python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    foreign = list(foreign_packages())
    yield from foreign
    try:
        own = metadata.distribution(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        yield Finding("warning", "packages", "headrace runs from a folder and is not installed", "pip install headrace")
        return
    gaps = list(version_gaps(own.requires or []))
    yield from gaps
    if not gaps and not foreign:
        yield Finding("ok", "packages", f"headrace {own.version}, with every dependency in its range")


def version_gaps(requirements: list[str]) -> Iterator[Finding]:
    """Requirements that what is installed does not meet. Those of extras count only for what is installed."""
    for line in requirements:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        extra = "extra" in str(requirement.marker or "")
        if requirement.marker is not None and not extra and not requirement.marker.evaluate():
            continue
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            if not extra:
                yield Finding(
                    "failure", "packages", f"{requirement.name} is missing", f"pip install '{_wanted(requirement)}'"
                )
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            yield Finding(
                "warning" if extra else "failure",
                "packages",
                f"{requirement.name} is {version}, headrace needs {requirement.specifier}",
                f"pip install '{_wanted(requirement)}'",
            )


def _wanted(requirement: Requirement) -> str:
    return f"{requirement.name}{requirement.specifier}"
