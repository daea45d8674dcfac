"""Finding the application that `MODULE:app` names.

`MODULE` is a file (`app.py:app`, `jobs/flights.py:app`) or an importable module (`shop.orders:app`); the working
directory is on the import path, as with `python -m`. `app` is an `App`, or a function without arguments that
returns one; left out it is `app`.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import click

from streams.cli.failures import CommandFailed, UsageFailed
from streams.errors import StreamsError

if TYPE_CHECKING:
    from streams.app import App

APP_ARGUMENT = click.argument("application", metavar="MODULE:APP")


def load_app(reference: str) -> App:
    """The application that `reference` names.

    Raises:
        UsageFailed: there is no such module or attribute, or it is not an App.
        CommandFailed: the module itself fails when it is imported; its traceback goes to stderr first.
    """
    from streams.app import App

    module_name, _, attribute = reference.rpartition(":")
    if not module_name or module_name.endswith(("/", "\\")):
        module_name, attribute = reference, "app"
    module = _load_file(Path(module_name)) if _is_path(module_name) else _load_module(module_name)
    apps = [name for name, value in vars(module).items() if isinstance(value, App)]
    found = module
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise UsageFailed(f"{module_name} has no {attribute!r}{_suggestion(attribute, apps, vars(module))}")
        found = getattr(found, part)
    if not isinstance(found, App) and callable(found) and not isinstance(found, type):
        found = _call(found, reference)
    if not isinstance(found, App):
        raise UsageFailed(
            f"{attribute!r} in {module_name} is a {type(found).__name__}, not an App{_suggestion('', apps, {})}"
        )
    return found


def _is_path(name: str) -> bool:
    return name.endswith(".py") or "/" in name or "\\" in name


def _load_file(path: Path) -> ModuleType:
    if not path.is_file():
        near = difflib.get_close_matches(path.name, [p.name for p in _python_files(path.parent)], n=1)
        hint = f"; did you mean {path.with_name(near[0])}?" if near else ""
        raise UsageFailed(f"there is no file {path}{hint}")
    name = path.stem
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    if spec is None or spec.loader is None:
        raise UsageFailed(f"{path} is not a Python file")
    _search_first(Path.cwd())
    _search_first(path.resolve().parent)  # before it, as with `python app.py`
    module = importlib.util.module_from_spec(spec)
    previous = sys.modules.get(name)
    sys.modules[name] = module  # type hints of the records are resolved through the module they were declared in
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        if previous is None:
            del sys.modules[name]
        else:
            sys.modules[name] = previous
        if isinstance(error, Exception) and not isinstance(error, StreamsError):
            raise _own_failure(str(path), error) from error
        raise
    return module


def _load_module(name: str) -> ModuleType:
    _search_first(Path.cwd())
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name == error.name or name.startswith(error.name + ".")):
            raise _own_failure(name, error) from error  # the module is there; something that it imports is not
        raise UsageFailed(f"there is no module {name!r} here ({Path.cwd()}){_file_hint(name)}") from None
    except StreamsError:
        raise  # it says itself which line is at fault
    except Exception as error:
        raise _own_failure(name, error) from error


def _search_first(directory: Path) -> None:
    if str(directory) not in sys.path:
        sys.path.insert(0, str(directory))


def _python_files(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.py")) if directory.is_dir() else []


def _file_hint(name: str) -> str:
    files = {path.stem: path for path in _python_files(Path.cwd())}
    near = difflib.get_close_matches(name, list(files), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _suggestion(wanted: str, apps: list[str], names: dict[str, object]) -> str:
    if apps:
        return f"; did you mean {apps[0]!r}?"
    near = difflib.get_close_matches(wanted, [name for name in names if not name.startswith("_")], n=1)
    return f"; did you mean {near[0]!r}?" if near else "; it declares no App"


def _call(factory: Callable[..., object], reference: str) -> object:
    parameters = inspect.signature(factory).parameters.values()
    needed = [p.name for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    if needed:
        raise UsageFailed(f"{reference} is a function that needs {', '.join(needed)}; name one without, or an App")
    return factory()


def _own_failure(module: str, error: Exception) -> CommandFailed:
    """The user's own code failed: its traceback to stderr, without our frames and importlib's."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename != __file__ and "importlib" not in frame.filename]
    for line in traceback.format_list(own):
        click.echo(line.rstrip(), err=True)
    if isinstance(error, SyntaxError):
        return CommandFailed(f"{error.filename}:{error.lineno}: {error.msg}")
    return CommandFailed(f"{module} cannot be imported: {type(error).__name__}: {error}")
