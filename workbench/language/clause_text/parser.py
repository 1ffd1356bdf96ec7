"""From clause text to lark's tree: the parser, loaded on first use, and what it would accept at a place.

The tables of `grammar.lark` are shipped as `grammar_table.json`, because building them costs ten times what reading
them does; where grammar or lark are not those that the file was made from, they are built anew. `python -m
workbench.language.clause_text.parser` prints the file.
"""

from __future__ import annotations

import json
import pkgutil
import sys
import zlib
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from lark import Token, Tree

Start = Literal["pred", "scorer", "selection", "fallback", "transform"]
STARTS: Final[tuple[Start, ...]] = ("pred", "scorer", "selection", "fallback", "transform")

_GRAMMAR: Final = "grammar.lark"
_TABLE: Final = "grammar_table.json"


def _resource(name: str) -> bytes:
    return pkgutil.get_data(__package__ or __name__.rpartition(".")[0], name) or b""


def _stamp(grammar: bytes) -> str:
    import lark  # noqa: PLC0415  only a parse pays for lark

    lines = grammar.replace(b"\r\n", b"\n")
    return f"lark {lark.__version__} grammar {zlib.crc32(lines):08x}"


def build() -> Any:
    """lark's parser, built from the grammar. (lark's own annotations are too partial to check against.)"""
    from lark import Lark  # noqa: PLC0415

    return Lark(
        _resource(_GRAMMAR).decode(), parser="lalr", lexer="contextual", start=list(STARTS), maybe_placeholders=False
    )


def table() -> str:
    """The built tables as JSON, to be shipped as `grammar_table.json`."""
    from lark.grammar import Rule  # noqa: PLC0415
    from lark.lexer import TerminalDef  # noqa: PLC0415

    data, memo = build().memo_serialize([TerminalDef, Rule])
    document = {"stamp": _stamp(_resource(_GRAMMAR)), "data": data, "memo": memo}
    return json.dumps(document, separators=(",", ":"), sort_keys=True) + "\n"


def _by_number(table: dict[str, Any]) -> dict[int, Any]:
    return {int(key): value for key, value in table.items()}


def _load(document: dict[str, Any]) -> Any:
    """lark's tables from JSON, whose keys are strings where lark's are numbers."""
    import lark  # noqa: PLC0415

    data = document["data"]
    tables = data["parser"]["parser"]
    tables["tokens"] = _by_number(tables["tokens"])
    tables["states"] = {int(state): _by_number(actions) for state, actions in tables["states"].items()}
    loader: Any = lark.Lark
    return loader.load({"data": data, "memo": _by_number(document["memo"])})


def shipped() -> dict[str, Any] | None:
    """The shipped tables, or None where they are not those of this grammar and this lark."""
    document: dict[str, Any] = json.loads(_resource(_TABLE) or b"{}")
    return document if document.get("stamp") == _stamp(_resource(_GRAMMAR)) else None


@cache
def parser() -> Any:
    """The one parser; it holds no state between parses."""
    document = shipped()
    return build() if document is None else _load(document)


@lru_cache(maxsize=4096)
def tree(text: str, start: Start) -> Tree[Token]:
    """The parse tree of `text`; shared, so not to be changed. Raises lark's own errors."""
    return parser().parse(text, start=start)


def accepted(prefix: str, start: Start) -> frozenset[str] | None:
    """The terminals that may follow `prefix` (`$END` among them); None where the prefix itself is wrong."""
    from lark.exceptions import LarkError  # noqa: PLC0415

    state = parser().parse_interactive(prefix, start=start)
    try:
        state.exhaust_lexer()
    except LarkError:
        return None
    return frozenset(state.accepts())


if __name__ == "__main__":
    sys.stdout.write(table())
