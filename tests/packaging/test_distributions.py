"""The wheel and the sdist: that they hold what an installation needs and nothing of the repository besides."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("streams", "broker", "stores")
TIMEOUT_S = 100


def build(source: Path, kind: str, into: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(into)]
    subprocess.run(command, cwd=source, check=True, capture_output=True, timeout=TIMEOUT_S)
    (built,) = into.glob("*.whl" if kind == "wheel" else "*.tar.gz")
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, "wheel", tmp_path_factory.mktemp("wheel"))


def source_files() -> set[str]:
    """What git would have of the packages: every file that is no leftover of running them."""
    return {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def contents(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def test_wheel_holds_every_file_of_the_packages_and_no_other(wheel: Path) -> None:
    """Templates, the demo's data and the markers of types included; tests, benchmarks and pages not."""
    assert contents(wheel) == source_files()


def test_sdist_makes_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    """Whoever builds from the sdist has what we have."""
    sdist = build(ROOT, "sdist", tmp_path)
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    unpacked = tmp_path / sdist.name.removesuffix(".tar.gz")
    (tmp_path / "again").mkdir()
    assert contents(build(unpacked, "wheel", tmp_path / "again")) == contents(wheel)


def test_installed_files_alone_make_and_test_a_project(wheel: Path, tmp_path: Path) -> None:
    """With nothing of the repository on the path but the unpacked wheel."""
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HEADRACE_")} | {"PYTHONPATH": str(site)}

    def run(*words: str, at: Path) -> str:
        command = [sys.executable, "-P", "-m", *words]
        done = subprocess.run(command, cwd=at, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("streams.cli", "new", "orders", at=tmp_path)
    project = tmp_path / "orders"
    assert "totals" in run("streams.cli", "topology", "app.py:app", at=project)
    assert "1 passed" in run("pytest", "-q", "-p", "no:headrace", "-p", "streams.pytest_plugin", at=project)
    where = "import streams, broker, stores; print(*(p.__path__[0] for p in (streams, broker, stores)))"
    found = subprocess.run(
        [sys.executable, "-P", "-c", where], cwd=project, env=environment, capture_output=True, text=True, check=True
    )
    assert all(path.startswith(str(site)) for path in found.stdout.split())
