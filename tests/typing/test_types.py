"""Types flow through the DSL, and wrong ones are caught: pyright agrees with every line of `stream_types.py`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def test_pyright_agrees_with_the_types_of_a_topology() -> None:
    """Strictly, and no `pyright: ignore` is idle: each of them marks a mistake that has to be caught."""
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--project", str(HERE), "--pythonpath", sys.executable, "--outputjson"],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    told = json.loads(done.stdout)
    problems = [f"{p['range']['start']['line'] + 1}: {p['message']}" for p in told["generalDiagnostics"]]
    assert not problems, "\n".join(problems)
    assert told["summary"]["filesAnalyzed"] == 1
