"""The budgets of size, and the words and comments that have no place in the tree."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.sources import PACKAGE, ROOT, parsed, read, relative, sources

MODULE_LINES = 400
APP_LINES = 200
FUNCTION_LINES = 60
CLASS_METHODS = 20
FOLDER_FILES = 15

DATA_TABLES: dict[str, str] = {}
"""Modules that may be longer, each with the reason; only data tables and generated files."""

MODULES = sources(PACKAGE)
EVERYTHING = [path for name in ("workbench", "tests", "benchmarks") for path in sources(ROOT / name)]
Function = ast.FunctionDef | ast.AsyncFunctionDef


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_a_module_keeps_its_budgets(path: Path) -> None:
    over = list(over_budget(relative(path), read(path), parsed(path)))
    assert not over, f"{relative(path)}: " + "; ".join(over)


def over_budget(name: str, text: str, tree: ast.Module) -> Iterator[str]:
    lines = text.count("\n")
    if lines > MODULE_LINES and name not in DATA_TABLES:
        yield f"{lines} lines of {MODULE_LINES}"
    for node in ast.walk(tree):
        if isinstance(node, Function):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES:
                yield f"`{node.name}` has {length} lines of {FUNCTION_LINES}"
        elif isinstance(node, ast.ClassDef):
            methods = sum(isinstance(statement, Function) for statement in node.body)
            if methods > CLASS_METHODS:
                yield f"`{node.name}` has {methods} methods of {CLASS_METHODS}"


def test_the_app_stays_small() -> None:
    assert read(PACKAGE / "tui" / "app.py").count("\n") <= APP_LINES


def test_no_folder_is_crowded() -> None:
    folders = {path.parent for path in MODULES}
    crowded = {relative(folder): len(list(folder.glob("*.py"))) for folder in folders}
    assert {name: count for name, count in crowded.items() if count > FOLDER_FILES} == {}


def test_every_exemption_is_needed() -> None:
    for name in DATA_TABLES:
        assert read(ROOT / name).count("\n") > MODULE_LINES


def test_every_public_module_says_what_it_is_for() -> None:
    silent = [
        relative(path)
        for path in MODULES
        if not path.name.startswith("_") and not (ast.get_docstring(parsed(path)) or "").strip()
    ]
    assert silent == []


UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
IGNORE = re.compile(r"#\s*(?:type|pyright):\s*ignore(?P<rules>\[[\w, -]+\])?(?P<reason>.*)")


@pytest.mark.parametrize("path", EVERYTHING, ids=relative)
def test_nothing_is_left_open_or_silenced_without_a_reason(path: Path) -> None:
    """The rule's name is reason enough for what `isinstance` leaves unknown in a JSON value, and in a test."""
    for number, line in enumerate(read(path).splitlines(), start=1):
        assert not UNFINISHED.search(line), f"{relative(path)}:{number} is unfinished"
        if found := IGNORE.search(line):
            reason = found["reason"].strip(" -#")
            assert found["rules"], f"{relative(path)}:{number} ignores every rule"
            narrowing = all(rule.strip(" []").startswith("reportUnknown") for rule in found["rules"].split(","))
            assert narrowing or len(reason) > 10 or path not in MODULES, f"{relative(path)}:{number} says no reason"


def test_the_budgets_see_what_is_over() -> None:
    lines = ["def long():", *["    pass"] * 60, "class Wide:", *[f"    def m{n}(self): ..." for n in range(21)]]
    text = "\n".join(lines) + "\n" * 400
    assert len(list(over_budget("wide.py", text, ast.parse(text)))) == 3
