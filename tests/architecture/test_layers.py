"""The layers hold, in the static graph and in a running process, which alone sees a deferred import."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import PACKAGE, ROOT, sources

LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True, no_logo=True))"
LOADED = """
import importlib, json, sys
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""
SCREEN = {"textual", "rich"}
NETWORK = {"httpx", "starlette", "uvicorn", "anyio", "ssl"}
CALLS = "workbench.session.calls"
"""The one part of the core that talks to providers; nothing else of it may bring the network along."""
HEAVY = {"pydantic", "numpy", "lark", "tomlkit", "pygments", "ctypes"}


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", LINT], cwd=folder, capture_output=True, text=True, check=False)


def loaded(*modules: str) -> set[str]:
    """The top-level packages that a fresh process holds after importing `modules`."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, json.dumps(modules)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout))


def modules_of(layer: str) -> list[str]:
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in sources(PACKAGE / layer)]
    return [name.removesuffix(".__init__") for name in names]


def test_each_layer_imports_only_those_below() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


def test_the_contract_sees_an_import_upwards(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "workbench", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "workbench" / "boundary" / "names.py").write_text("import workbench.session\n", encoding="utf-8")
    done = lint(tmp_path)
    assert done.returncode == 1
    assert "workbench.boundary.names -> workbench.session" in done.stdout


@pytest.mark.parametrize("layer", ["boundary", "language", "catalog", "rulebook", "engine", "session"])
def test_the_core_runs_without_a_screen(layer: str) -> None:
    modules = [name for name in modules_of(layer) if not name.startswith(CALLS)]
    assert modules
    assert not loaded(*modules) & (SCREEN | NETWORK | {"click"})


def test_calls_run_without_a_screen() -> None:
    modules = [name for name in modules_of("session") if name.startswith(CALLS)]
    assert modules
    assert not loaded(*modules) & {"textual", "starlette", "uvicorn"}  # httpx itself brings rich and click


def test_the_package_itself_loads_nothing() -> None:
    assert not loaded("workbench") & (SCREEN | NETWORK | HEAVY | {"click"})


@pytest.mark.parametrize("arguments", [[], ["--help"], ["--version"]])
def test_the_command_line_starts_light(arguments: list[str]) -> None:
    code = (
        "import sys, workbench.cli.main as m\n"
        "try:\n    sys.argv[1:] and m.main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "print('\\n' + ' '.join({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not set(done.stdout.splitlines()[-1].split()) & (SCREEN | NETWORK | HEAVY)
