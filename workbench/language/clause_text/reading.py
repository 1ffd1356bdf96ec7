"""Clause text to terms: the public parse functions, one for each thing that people type.

What they give is plain terms, lowered but not admitted; the caller checks them. Text that begins with `[` is JSON, and
is read as a term, the three JSON spellings included.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, cast

from workbench.errors import AdmissionError, ClauseError, DocumentError, Finding, Place
from workbench.language.vocabulary import Vocabulary

if TYPE_CHECKING:
    from workbench.language.clause_text.parser import Start

Term = list[Any]
Bindings = Mapping[str, Any]

MAX_CHARACTERS: Final = 2_000_000
"""A longer text is refused unread. The largest term is 256 KiB, of which an escape makes six times as much."""
MAX_TOKENS: Final = 50_000
"""Words and signs. A term has at most 4,096 nodes, and none is written in more than ten of them."""
MAX_COMMAS: Final = 150_000
"""In a transform a list counts as one: its recipes are bounded by their bytes, and hold this many steps at most."""
_SHORT: Final = 2048
"""Characters. A text of no more keeps every bound above."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A term that was typed."""

    term: Term
    names: tuple[str, ...] = ()
    """The `$names` it used, without the sign, in order of appearance, each once."""


@dataclass(frozen=True, slots=True)
class Selection:
    """A selector that was typed, and the scorer that stood in it (`top 3 by price_out`)."""

    selector: Term
    scorer: Term | None = None
    names: tuple[str, ...] = ()


def parse_pred(text: str, vocabulary: Vocabulary, bindings: Bindings | None = None) -> Parsed:
    """The predicate that `text` spells. Raises `ClauseError`."""
    return _parsed(text, "pred", vocabulary, bindings)


def parse_scorer(text: str, vocabulary: Vocabulary, bindings: Bindings | None = None) -> Parsed:
    """The scorer that `text` spells. Raises `ClauseError`."""
    return _parsed(text, "scorer", vocabulary, bindings)


def parse_selection(text: str, vocabulary: Vocabulary, bindings: Bindings | None = None) -> Selection:
    """The selector that `text` spells, and the scorer that it names. Raises `ClauseError`."""
    if _is_json(text):
        parsed = _json_term(text, vocabulary, bindings)
        return Selection(parsed.term, None, parsed.names)
    (selector, scorer), names = _meaning(text, "selection", vocabulary, bindings)
    return Selection(selector, scorer, names)


def parse_fallback(text: str, vocabulary: Vocabulary, bindings: Bindings | None = None) -> Parsed:
    """The failure plan that `text` spells, one `on REASON: ACTION` after another. Raises `ClauseError`."""
    return _parsed(text, "fallback", vocabulary, bindings)


def parse_transform(text: str, vocabulary: Vocabulary, bindings: Bindings | None = None) -> Parsed:
    """The transform that `text` spells. Raises `ClauseError`."""
    return _parsed(text, "transform", vocabulary, bindings)


def parse_condition(text: str, vocabulary: Vocabulary) -> Parsed:
    """A predicate over a tenant's own fields: no provider, model, tier, capability or requirement.

    Raises `ClauseError`.
    """
    if not _is_json(text):
        term, names = _meaning(text, "pred", vocabulary, None, condition=True)
        return Parsed(term, names)
    parsed = _json_term(text, vocabulary, None)
    _refuse_beyond_condition(parsed.term)
    return parsed


def _parsed(text: str, start: Start, vocabulary: Vocabulary, bindings: Bindings | None) -> Parsed:
    if _is_json(text):
        return _json_term(text, vocabulary, bindings)
    return Parsed(*_meaning(text, start, vocabulary, bindings))


def _meaning(
    text: str, start: Start, vocabulary: Vocabulary, bindings: Bindings | None, *, condition: bool = False
) -> tuple[Any, tuple[str, ...]]:
    from lark.exceptions import UnexpectedInput, UnexpectedToken  # noqa: PLC0415

    from workbench.language.clause_text.expectation import syntax_error  # noqa: PLC0415
    from workbench.language.clause_text.parser import tree  # noqa: PLC0415
    from workbench.language.clause_text.read_steps import ACTIONS  # noqa: PLC0415
    from workbench.language.clause_text.reader import Reader, fault, fold  # noqa: PLC0415

    if excess := _excess(text, start):
        raise fault(excess[0], excess[1], "too_long")
    reader = Reader(vocabulary, bindings, condition)
    try:
        parsed = tree(text, start)
    except UnexpectedInput as error:
        ended = isinstance(error, UnexpectedToken) and cast("Any", error).token.type == "$END"
        column = len(text) if ended else error.pos_in_stream or 0
        raise syntax_error(text, column, start, reader) from None
    return fold(parsed, reader, ACTIONS), tuple(reader.names)


_STRING: Final = r"""(?:"(?:[^"\\\n]|\\.)*+"|'(?:[^'\\\n]|\\.)*+')"""
_TOKEN: Final = re.compile(rf"\s*+(?:{_STRING}|\w[\w.@/:-]*+|\S)")
"""Roughly a token: what the parser takes as several is never taken for one, but within a name."""
_TOKEN_OR_LIST: Final = re.compile(rf"\s*+(?:\[(?:[^\[\]\"']++|{_STRING})*+\]|{_STRING}|\w[\w.@/:-]*+|\S)")


def _excess(text: str, start: Start) -> tuple[str, int] | None:
    """Which bound a text is over, and where: met before the parser, which takes its time over each token."""
    if len(text) <= _SHORT:
        return None
    if len(text) > MAX_CHARACTERS:
        return f"the text has more than {MAX_CHARACTERS} characters", MAX_CHARACTERS
    if text.count(",") > MAX_COMMAS:
        return f"lists of more than {MAX_COMMAS} entries", len(text) - len(text.split(",", MAX_COMMAS)[-1])
    token = _TOKEN_OR_LIST if start == "transform" else _TOKEN
    over = next(islice(token.finditer(text), MAX_TOKENS, None), None)
    return None if over is None else (f"the text has more than {MAX_TOKENS} words and signs", over.start())


# ---- JSON


def _is_json(text: str) -> bool:
    return text.lstrip().startswith("[")


def _json_term(text: str, vocabulary: Vocabulary, bindings: Bindings | None) -> Parsed:
    """A term typed as JSON, its `"$names"` replaced where bindings are given, the JSON spellings lowered."""
    from workbench.boundary import strict_json  # noqa: PLC0415
    from workbench.language.lowering import lower  # noqa: PLC0415

    try:
        value: Any = strict_json.loads(text, source="clause", max_bytes=MAX_CHARACTERS)
    except DocumentError as error:
        raise json_error(text, error) from None
    names = {} if bindings is None else _bind(value, text, vocabulary, bindings)
    try:
        return Parsed(lower(value, vocabulary), tuple(names))
    except AdmissionError as error:
        raise ClauseError("the term is no policy", error.findings, expected=("a term",)) from None


_BINDING: Final = re.compile(r"\$[A-Za-z_][A-Za-z0-9_]*")
_BOUND_PLACES: Final = {"in": 2, "not_in": 2, "eq": 2, "ne": 2, "cmp": 3}
"""Where a `"$name"` in JSON stands for a tenant's fact: the value of a comparison."""


def _bind(value: Any, text: str, vocabulary: Vocabulary, bindings: Bindings) -> dict[str, None]:
    """Put the facts in the places of their `"$names"`; gives the names."""
    from lark import Token  # noqa: PLC0415

    from workbench.language.clause_text.reader import Reader  # noqa: PLC0415

    reader = Reader(vocabulary, bindings)
    work: list[Any] = [value]
    while work:
        part = work.pop()
        if not isinstance(part, list) or not part:
            continue
        term = cast("Term", part)
        place = _BOUND_PLACES.get(term[0], 0) if isinstance(term[0], str) else 0
        name: Any = term[place] if 0 < place < len(term) else None
        if isinstance(name, str) and _BINDING.fullmatch(name):
            bound = reader.bound(Token("BINDING", name, start_pos=max(0, text.find(f'"{name}"'))))
            term[place] = list(cast("tuple[Any, ...]", bound)) if isinstance(bound, tuple) else bound
        work.extend(reversed(term[1:]))
    return reader.names


def json_error(text: str, error: DocumentError) -> ClauseError:
    """The same findings as an error of a clause, each with its column counted from the start of the text."""
    columns: list[int] = []
    findings: list[Finding] = []
    for finding in error.findings:
        line, column = finding.place.line or 1, finding.place.column or 0
        before = sum(len(row) for row in text.splitlines(keepends=True)[: line - 1])
        columns.append(min(before + column, len(text)))
        place = Place(column=columns[-1], path=finding.place.path)
        bare = finding.code == "syntax" and text[columns[-1] : columns[-1] + 1].isalpha()
        hint = finding.hint or ("text stands in double quotes" if bare else None)
        findings.append(Finding(finding.reason, finding.code, place, hint))
    return ClauseError("the JSON cannot be read", findings, column=columns[0] if columns else 0, expected=("JSON",))


_CONDITION_OPS: Final = frozenset(("top", "bot", "and", "or", "not", "is", "cmp"))
_JOINING: Final = frozenset(("and", "or", "not"))


def _refuse_beyond_condition(term: Term) -> None:
    work: list[Any] = [term]
    while work:
        part = work.pop()
        term = cast("Term", part) if isinstance(part, list) else []
        op = term[0] if term else None
        if op not in _CONDITION_OPS:
            reason = f"`{op}` cannot stand in a condition over a tenant's fields"
            raise ClauseError("the clause cannot be read", [Finding(reason, "condition", Place(column=0))])
        if op in _JOINING:
            work.extend(term[1:])
