"""Settings that set nothing, and a state directory that cannot be used."""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from streams.cli.checkup.finding import Finding
from streams.errors import ConfigError
from streams.settings import application_settings, find_settings_file, unknown_variables

LOW_DISK_BYTES = 1 << 30
FEW_FILES = 1024


def check_settings(environ: Mapping[str, str], start: Path) -> Iterator[Finding]:
    """The environment and the settings file."""
    try:
        file = find_settings_file(environ, start)
        application_settings("unnamed", {})
    except ConfigError as error:
        yield Finding("failure", "settings", str(error))
        return
    strange = unknown_variables(environ)
    for name, meant in strange.items():
        yield Finding(
            "warning", "settings", f"{name} is set, but is no setting", f"did you mean {meant}?" if meant else None
        )
    if not strange:
        yield Finding("ok", "settings", f"from {file.path}" if file is not None else "no settings file here or above")


def check_state_directory(directory: Path) -> Iterator[Finding]:
    """That it can be written, and that disk and open files will last for a while."""
    nearest = next(path for path in (directory, *directory.absolute().parents) if path.exists())
    if not os.access(nearest, os.W_OK | os.X_OK):
        yield Finding("failure", "state", f"{directory} cannot be written", "set state_dir (HEADRACE_STATE_DIR)")
        return
    free = shutil.disk_usage(nearest).free
    text = f"{directory}, {free / (1 << 30):.1f} GiB free"
    if free < LOW_DISK_BYTES:
        yield Finding("warning", "state", text, "make room, or set state_dir (HEADRACE_STATE_DIR)")
    else:
        yield Finding("ok", "state", text)
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < FEW_FILES:
        yield Finding("warning", "open files", f"a process may open {soft}", f"ulimit -n {FEW_FILES} or more")
