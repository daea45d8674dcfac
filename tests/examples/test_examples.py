"""What all examples have in common."""

from __future__ import annotations

import ast
import re
import shlex
from importlib import import_module
from pathlib import Path

import click
import pytest

import examples
from streams import App
from streams.cli import main
from streams.testing import TopologyTestDriver

ROOT = Path(examples.__file__).parent
FOLDERS = sorted(file.parent.name for file in ROOT.glob("*/app.py"))
OWN_API = re.compile(r"from (streams|stores|broker)([\w.]*) import")


@pytest.mark.parametrize("name", FOLDERS)
def test_example_tells_problem_topology_and_commands(name: str) -> None:
    """A sentence, a sketch, how to have it run to its end, and how to have it live."""
    text = ast.get_docstring(ast.parse((ROOT / name / "app.py").read_text()))
    assert text is not None
    assert text.split("\n\n")[0].endswith((".", '".'))
    assert "─> " in text
    assert f"python -m examples.{name}" in text
    assert f"examples/{name}/app.py:app" in text


def commands(name: str) -> list[tuple[str, click.Context]]:
    """Name and parsed words of each `headrace …` at the top of an example."""
    text = ast.get_docstring(ast.parse((ROOT / name / "app.py").read_text())) or ""
    found: list[tuple[str, click.Context]] = []
    for line in text.replace("\\\n", " ").splitlines():
        if line.startswith("    headrace "):
            _, command, *words = shlex.split(re.split(r"   +(?![\'-])", line.strip())[0])
            known = main.get_command(click.Context(main), command)
            assert known is not None, line
            found.append((command, known.make_context(command, words)))
    return found


@pytest.mark.parametrize("name", [name for name in FOLDERS if name != "anomaly_scoring"])
def test_commands_of_an_example_are_what_it_understands(name: str) -> None:
    """They parse, and the records that they produce are processed."""
    app = import_module(f"examples.{name}.app").app
    stores = {store.name for _, store in app.plan().stores()}
    with TopologyTestDriver(app) as driver:
        for command, context in commands(name):
            if command == "produce":
                topic = driver.input_topic(context.params["topic"], key=str, value=str)
                for value in context.params["values"]:
                    topic.pipe(value, key=context.params["key"])
            if command == "query":
                assert context.params["store"] in stores
            if command == "consume":
                assert context.params["topic"] in {sink for sub in app.plan().subtopologies for sink in sub.sinks}


@pytest.mark.parametrize("name", FOLDERS)
def test_example_is_a_program_with_data_and_a_run(name: str) -> None:
    """`headrace dev` finds the app, `python -m` the run; the data are the same each time."""
    if name == "anomaly_scoring":
        pytest.importorskip("sklearn", reason="the example's model is scikit-learn's, which is not installed")
    data = import_module(f"examples.{name}.data")
    assert isinstance(import_module(f"examples.{name}.app").app, App)
    assert callable(import_module(f"examples.{name}.__main__").main)
    assert data.events() == data.events()


@pytest.mark.parametrize("name", FOLDERS)
def test_example_has_a_test_and_a_row_in_the_list(name: str) -> None:
    """A new one needs both."""
    assert (Path(__file__).parent / f"test_{name}.py").is_file()
    assert f"]({name}/app.py) |" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("file", sorted(ROOT.rglob("*.py")), ids=lambda file: str(file.relative_to(ROOT)))
def test_example_uses_what_is_public_alone(file: Path) -> None:
    """What `streams`, `stores` and `broker` export, which is all that stays as it is."""
    assert [package for _, package in OWN_API.findall(file.read_text()) if package] == []


def test_examples_share_no_topics() -> None:
    """They may run on one broker."""
    seen: dict[str, str] = {}
    for name in FOLDERS:
        if name == "anomaly_scoring":
            continue
        for topic in import_module(f"examples.{name}.app").app.plan().source_topics():
            assert seen.setdefault(topic, name) == name
