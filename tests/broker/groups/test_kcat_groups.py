"""kcat as a balanced consumer."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable

import pytest


@pytest.mark.skipif(shutil.which("kcat") is None, reason="kcat is not installed")
def test_kcat_group_reads_everything_once(servers: str, make_topic: Callable[..., str], group: str) -> None:
    """`kcat -G` joins, reads, commits; the next run of the same group finds nothing new."""
    topic = make_topic(3, records=4)
    options = ["-b", servers, "-X", "auto.offset.reset=earliest", "-X", "heartbeat.interval.ms=200", "-G", group]
    first = subprocess.run(["kcat", *options, "-c", "12", "-q", topic], capture_output=True, text=True, timeout=30)
    assert len(set(first.stdout.split())) == 12
    second = subprocess.run(["kcat", *options, "-e", "-q", topic], capture_output=True, text=True, timeout=30)
    assert second.stdout == ""
