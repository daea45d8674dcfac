"""README and docs tell the truth: their programs run, their commands parse, their links lead somewhere."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from opentelemetry import trace
from opentelemetry.util._once import Once

from broker import Listener, Tls
from streams import App
from streams.cli.broker_settings import resolved
from streams.render import describe
from tests.docs.markdown import DOCS, PAGES, ROOT, blocks, page_id
from tests.docs.typed_command import parsed

PATH_IN_CODE = re.compile(r"`((?:streams|broker|stores|tests|bench|docs|examples|bin)/[\w./-]*)`")
TOLD = DOCS / "tutorial"
"""Its programs grow from chapter to chapter: test_tutorial.py follows them."""
PROGRAMS = [page for page in PAGES if blocks(page, "python") and TOLD not in page.parents]


def run_page(page: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Runs the page's Python blocks one after the other, as one program."""
    module = ModuleType("page_" + page.stem)
    # OpenTelemetry's provider can be set once in a process: the page's own is set as in a program of its own.
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER_SET_ONCE", Once())
    monkeypatch.setitem(sys.modules, module.__name__, module)  # where type hints are looked up
    for number, block in enumerate(blocks(page, "python"), 1):
        exec(compile(block, f"{page_id(page)} block {number}", "exec"), vars(module))
    return module


@pytest.mark.parametrize("page", PROGRAMS, ids=page_id)
def test_python_blocks_of_a_page_run(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every program in the docs works, its assertions included, and so does the topology it declares."""
    module = run_page(page, monkeypatch)
    for thing in vars(module).values():
        if isinstance(thing, App):
            thing.plan()


def test_programs_for_other_frameworks_compile() -> None:
    """The `python3` blocks are for comparison, of frameworks that are not installed here."""
    programs = [(page_id(page), block) for page in PAGES for block in blocks(page, "python3")]
    assert programs
    for page, block in programs:
        compile(block, page, "exec")


def test_tests_in_the_docs_pass(tmp_path: Path) -> None:
    """The `py` blocks are test files for pytest; the README's program is their `app.py`."""
    (tmp_path / "app.py").write_text(blocks(ROOT / "README.md", "python")[0])
    files = [block for page in PAGES if TOLD not in page.parents for block in blocks(page, "py")]
    assert files
    for number, text in enumerate(files):
        (tmp_path / f"test_{number}.py").write_text(text)
    first = files[0].splitlines()
    assert len([line for line in first if line]) == 5, "a user's first test has five lines"
    plugin = ("-p", "no:headrace", "-p", "streams.pytest_plugin", "-p", "no:cacheprovider")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugin],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(files)} passed" in done.stdout


def test_settings_in_the_brokers_page_are_settings(tmp_path: Path) -> None:
    """Its tables and property files are taken as they stand."""
    page = ROOT / "docs" / "broker.md"
    (table,), (properties,) = blocks(page, "toml"), blocks(page, "properties")
    (tmp_path / "headrace.toml").write_text(table)
    (tmp_path / "server.properties").write_text(properties)
    found = resolved({}, (), tmp_path / "server.properties", tmp_path / "headrace.toml", environ={})
    assert found.options.listeners == (Listener(port=9092),)
    assert (found.options.default_partitions, found.options.node_id, len(found.notes)) == (3, 1, 1)
    assert found.options.topic_defaults == {"retention.ms": "86400000", "segment.bytes": "100000000"}


def test_recipe_for_a_secured_broker_says_the_same_in_each_form(tmp_path: Path) -> None:
    """A table of headrace.toml and Kafka's properties."""
    page = ROOT / "docs" / "how-to" / "broker.md"
    (table,) = (text for text in blocks(page, "toml") if "broker.listeners" in text)
    (properties,) = blocks(page, "properties")
    (tmp_path / "headrace.toml").write_text(table)
    (tmp_path / "empty.toml").write_text("")
    (tmp_path / "server.properties").write_text(properties)
    ours = resolved({}, (), None, tmp_path / "headrace.toml", environ={}).options
    kafkas = resolved({}, (), tmp_path / "server.properties", tmp_path / "empty.toml", environ={}).options
    outside, inside = kafkas.listeners
    assert ours.listeners == (inside, replace(outside, sasl=None, advertised_port=None))
    assert ours.tls == Tls(certificate=tmp_path / "server.pem", key=tmp_path / "server.key")
    assert kafkas.tls == Tls(certificate=Path("/etc/headrace/certificate-and-key.pem"))
    assert ours.sasl is not None
    assert outside.sasl is not None
    assert ours.sasl.users == outside.sasl.users
    assert (ours.authorizer, ours.super_users) == (kafkas.authorizer, kafkas.super_users) == (True, ("User:admin",))


def test_readme_program_is_the_demos(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the README shows is what `make demo` runs."""
    from streams.demo.flight_delays import app

    assert describe(run_page(ROOT / "README.md", monkeypatch).app.plan()) == describe(app.plan())


def commands() -> list[tuple[str, str]]:
    """Page and command line of every `headrace …` in a shell block, continued lines joined."""
    found: list[tuple[str, str]] = []
    for page in PAGES:
        for block in blocks(page, "sh"):
            for line in block.replace("\\\n", " ").splitlines():
                if line.startswith("headrace "):
                    found.append((page_id(page), line))
    return found


@pytest.mark.parametrize(("page", "line"), commands())
def test_command_in_a_page_parses(page: str, line: str) -> None:
    """Commands and options that the docs name exist."""
    parsed(shlex.split(line.split(" < ")[0], comments=True)[1:])


def test_demo_is_recommended_as_printed() -> None:
    """There are commands to check at all."""
    assert len(commands()) > 15


def test_paths_in_the_architecture_page_exist() -> None:
    """Every path in code type."""
    text = (ROOT / "ARCHITECTURE.md").read_text()
    assert [path for path in PATH_IN_CODE.findall(text) if not (ROOT / path).exists()] == []


def test_architecture_page_names_paths_and_stays_short() -> None:
    """The map shows the tree, and is read in one sitting."""
    text = (ROOT / "ARCHITECTURE.md").read_text()
    assert len(PATH_IN_CODE.findall(text)) > 20
    assert len(text.splitlines()) <= 250


def test_command_reference_is_up_to_date() -> None:
    """`make docs` has been run after the last change of a command."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_version_is_the_same_everywhere() -> None:
    """pyproject and the changelog speak of one version."""
    version = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None
    assert f"## {version[1]}" in (ROOT / "CHANGELOG.md").read_text()
