"""`MODULE:app`: what is found, and what is said when it is not."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from streams import App, TopologyError
from streams.cli.application import load_app
from streams.cli.failures import CommandFailed, UsageFailed

PROGRAM = """
from streams import App
import words
app = App("shop")
other = 3
def make(): return App("made")
def needs(x): return App("made")
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory with `orders.py`, its neighbour `words.py`, and a package `shop`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "orders.py").write_text(PROGRAM)
    (tmp_path / "words.py").write_text("WORDS = 1\n")
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").write_text("")
    (tmp_path / "shop" / "billing.py").write_text(PROGRAM)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.split(".")[0] in ("orders", "words", "shop", "broken"):
            del sys.modules[name]


@pytest.mark.parametrize(
    "reference", ["orders.py:app", "orders:app", "orders.py", "orders", "./orders.py:app", "shop.billing:app"]
)
def test_load_app_named_by_file_or_module_finds_it(reference: str) -> None:
    """A path and a module name are both fine; `:app` may be left out; neighbours can be imported."""
    app = load_app(reference)
    assert isinstance(app, App)
    assert app.settings.application_id == "shop"


def test_load_app_file_in_a_package_imports_from_the_working_directory(project: Path) -> None:
    """As the module of the same file would; its neighbours are found first."""
    (project / "shop" / "prices.py").write_text("from shop import billing\nimport words\n" + PROGRAM)
    (project / "shop" / "words.py").write_text("WORDS = 2\n")
    assert load_app("shop/prices.py:app").settings.application_id == "shop"
    assert sys.modules["words"].WORDS == 2


def test_load_app_function_is_called() -> None:
    """A factory without arguments stands for what it returns."""
    assert load_app("orders.py:make").settings.application_id == "made"


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("oders.py:app", ["there is no file oders.py", "did you mean orders.py?"]),
        ("oders:app", ["there is no module 'oders'", "did you mean orders?"]),
        ("shop.bills:app", ["there is no module 'shop.bills'"]),
        ("orders.py:ap", ["has no 'ap'", "did you mean 'app'?"]),
        ("orders.py:other", ["'other' in orders.py is a int, not an App", "did you mean 'app'?"]),
        ("orders.py:needs", ["needs x"]),
        ("words.py:app", ["words.py has no 'app'", "declares no App"]),
    ],
)
def test_load_app_wrong_reference_says_what_is_meant(reference: str, words: list[str]) -> None:
    """A wrong name is wrong usage (exit code 2) and comes with a suggestion where there is one."""
    with pytest.raises(UsageFailed) as caught:
        load_app(reference)
    for word in words:
        assert word in caught.value.message
    assert caught.value.exit_code == 2


def test_load_app_module_fails_shows_the_users_lines(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The program's own error: its line on stderr, ours left out, exit code 1."""
    (project / "broken.py").write_text("x = 1\ny = x / 0\n")
    with pytest.raises(CommandFailed, match=r"broken\.py cannot be imported: ZeroDivisionError") as caught:
        load_app("broken.py:app")
    assert caught.value.exit_code == 1
    shown = capsys.readouterr().err
    assert "line 2" in shown
    assert "application.py" not in shown
    assert "broken" not in sys.modules


@pytest.mark.parametrize("reference", ["broken.py:app", "broken:app"])
def test_load_app_missing_import_is_not_a_missing_module(project: Path, reference: str) -> None:
    """That the program imports something which is not installed is not the same as a wrong MODULE."""
    (project / "broken.py").write_text("import not_installed_anywhere\n")
    with pytest.raises(CommandFailed, match="No module named 'not_installed_anywhere'"):
        load_app(reference)


def test_load_app_syntax_error_names_file_and_line(project: Path) -> None:
    """One line that an editor can jump to."""
    (project / "broken.py").write_text("a = 1\nb = (\n")
    with pytest.raises(CommandFailed, match=r"broken\.py:2: "):
        load_app("broken.py:app")


def test_load_app_topology_error_passes_as_it_is(project: Path) -> None:
    """headrace's own errors name the line already."""
    (project / "broken.py").write_text("from streams import TopologyError\nraise TopologyError([])\n")
    with pytest.raises(TopologyError):
        load_app("broken.py:app")


def test_usage_failed_is_a_click_error() -> None:
    """click shows it with the usage line and exits with 2."""
    assert issubclass(UsageFailed, click.UsageError)
