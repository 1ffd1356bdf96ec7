"""Every code that the endpoint can send in an error stands in its page, so that whoever reads one can look it up."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import workbench.server
from workbench.server.chat.failures import STATUS

SERVER = Path(workbench.server.__file__).parent
PAGE = (SERVER.parents[1] / "docs" / "serve.md").read_text()
MAKERS = {"Refused": 1, "refused": 1, "because": 1, "from_workbench": 1, "unavailable": 0}
"""What makes a refusal, and which of its arguments the code is."""


def words(node: ast.AST, named: dict[str, list[ast.expr]]) -> Iterator[str]:
    """Every text that an expression can be; names by whatever the module gives them."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=body, orelse=other):
            yield from words(body, named)
            yield from words(other, named)
        case ast.Name(id=name):
            for value in named.get(name, []):
                yield from words(value, {})
        case _:
            pass


def names_in(tree: ast.AST) -> dict[str, list[ast.expr]]:
    """What each name of a module is given, wherever."""
    named: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Name):
                    named.setdefault(target.id, []).append(node.value)
    return named


def given_in(node: ast.AST) -> Iterator[ast.expr]:
    """What stands where a code does: an argument of a refusal, `code=`, `"code":`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
        name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
        if name in MAKERS:
            yield from node.args[MAKERS[name] : MAKERS[name] + 1]
        yield from (keyword.value for keyword in node.keywords if keyword.arg == "code")
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == "code":
                yield value


def codes() -> set[str]:
    """Each code that the server's source has for errors."""
    found: set[str] = {"invalid_request"}  # what `invalid` says where nobody says more
    for path in sorted(SERVER.rglob("*.py")):
        if "emulator" in path.relative_to(SERVER).parts:
            continue
        tree = ast.parse(path.read_text())
        named = names_in(tree)
        for node in ast.walk(tree):
            for given in given_in(node):
                found.update(word for word in words(given, named) if re.fullmatch(r"[a-z_]+", word))
    return found


def test_the_source_is_read_well_enough() -> None:
    """Of each way to make a refusal one."""
    known = {"not_initialized", "tenant_broken", "too_many", "trace_not_found", "invalid_host", "http", "too_large"}
    assert known <= codes()
    assert {"caller_rate_limit_unavailable", "tenant_without_policy", "invalid_requirements"} <= codes()


@pytest.mark.parametrize("code", sorted({*codes(), *STATUS}))
def test_a_code_stands_in_the_page(code: str) -> None:
    assert f"`{code}`" in PAGE
