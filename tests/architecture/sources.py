"""The package's source files, read and parsed once for every test of its shape."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "workbench"


def sources(folder: Path) -> list[Path]:
    """Every Python file below a folder, in a stable order."""
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def relative(path: object) -> str:
    """A path as findings name it."""
    assert isinstance(path, Path)
    return str(path.relative_to(ROOT))


@cache
def read(path: object) -> str:
    """The text of a source file."""
    assert isinstance(path, Path)
    return path.read_text(encoding="utf-8")


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a source file."""
    return ast.parse(read(path))
