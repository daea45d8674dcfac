"""The fingerprint of what ran here last, `topology.json` in the application's folder of the state directory.

It is compared before anything is opened, and replaced in one step, so that a crash leaves the old one or the new. The
workers of a host share it; those of another host have their own, and rows that they restore are checked when stores
are opened.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

import msgspec

from streams.errors import TopologyError
from streams.plan.fingerprint import Fingerprint, fingerprint, incompatibilities
from streams.plan.plan import Plan

log = logging.getLogger(__name__)

FILE = "topology.json"


def check_topology(directory: Path, plan: Plan) -> None:
    """Compares the plan with what ran here before, and writes it down as what runs here now.

    Raises:
        TopologyError: rows or records that are there would be misread; nothing has been touched.
    """
    path = directory / FILE
    earlier = _read(path)
    now = fingerprint(plan)
    if earlier is not None:
        problems = incompatibilities(plan, earlier)
        if problems:
            raise TopologyError(problems)
        for name in sorted(earlier.stores.keys() - now.stores.keys()):
            log.info("store_left: the topology has no store %s any more; its rows stay where they are", name)
        now = now.after(earlier)
    if now != earlier:
        _write(path, now)


def _read(path: Path) -> Fingerprint | None:
    """None if there is none, or none that this version understands: then there is nothing to compare with."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Fingerprint)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        log.warning("topology_unread: %s is not compared with the topology: %s", path, error)
        return None


def _write(path: Path, content: Fingerprint) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}")
    temporary.write_bytes(msgspec.json.format(msgspec.json.encode(content)) + b"\n")
    temporary.replace(path)
