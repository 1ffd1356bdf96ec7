"""Clause text: it reads as an admissible term that comes back from its text, or it ends in a `ClauseError`.

The first byte says which kind of clause the rest is. From 128 on the rest is a list of choices, which make a term of
that kind; it is written and read back.
"""

from __future__ import annotations

from tests.fuzz.harness import ByteRandom, fuzz, measured, well_worded

with measured(__name__):
    from collections.abc import Callable
    from typing import Any

    from tests.mutation import sound
    from tests.strategies import SAMPLE
    from workbench.errors import AdmissionError, ClauseError
    from workbench.language.admission import check
    from workbench.language.clause_text import (
        complete,
        parse_condition,
        parse_fallback,
        parse_pred,
        parse_scorer,
        parse_selection,
        parse_transform,
        selection_to_text,
        to_text,
        tokens,
    )
    from workbench.language.clause_text.completion import EditorKind
    from workbench.language.signature import V2, Sort

Term = list[Any]
Read = Callable[[str], Term]
BINDINGS: dict[str, Any] = {"limit": 5, "approved": ["openai", "mistral"], "region": "eu", "on": True}


def _selection(text: str) -> Term:
    read = parse_selection(text, SAMPLE)
    if read.scorer is not None and _admitted(read.scorer, "Scorer") and _admitted(read.selector, "Selector"):
        again = parse_selection(selection_to_text(read.selector, read.scorer, SAMPLE), SAMPLE)
        assert again.scorer is not None
        assert check(again.scorer, SAMPLE) == check(read.scorer, SAMPLE)
        assert check(again.selector, SAMPLE) == check(read.selector, SAMPLE)
    return read.selector


KINDS: tuple[tuple[Sort, Read], ...] = (
    ("Pred", lambda text: parse_pred(text, SAMPLE).term),
    ("Pred", lambda text: parse_pred(text, SAMPLE, BINDINGS).term),
    ("Scorer", lambda text: parse_scorer(text, SAMPLE).term),
    ("Selector", _selection),
    ("FailPlan", lambda text: parse_fallback(text, SAMPLE).term),
    ("Xform", lambda text: parse_transform(text, SAMPLE).term),
    ("Pred", lambda text: parse_condition(text, SAMPLE).term),
)
COMPLETED: dict[Sort, EditorKind] = {
    "Pred": "pred", "Scorer": "scorer", "Selector": "selection", "FailPlan": "fallback", "Xform": "transform",
}  # fmt: skip


def one_input(data: bytes) -> None:
    """Reads one clause, colours it and completes it at its end and in its middle."""
    head = data[0] if data else 0
    sort, read = KINDS[head % 128 % len(KINDS)]
    if head >= 128:
        _back(sound(ByteRandom(data[1:]), sort, V2, 5), sort, KINDS[0][1] if sort == "Pred" else read)
        return
    text = data[1:].decode("utf-8", "surrogatepass" if head & 64 else "replace") if _decodes(data[1:], head) else ""
    assert all(0 <= start <= end <= len(text) for start, end, _ in tokens(text))
    for cursor in (len(text), len(text) // 2):
        for offer in complete(text, cursor, SAMPLE, values={"provider": ["openai"]}, kind=COMPLETED[sort]):
            assert 0 <= offer.start <= offer.end <= len(text), offer
    try:
        term = read(text)
    except ClauseError as error:
        _refused(error, text)
        return
    _back(term, sort, KINDS[0][1] if sort == "Pred" else read)


def _refused(error: ClauseError, text: str) -> None:
    assert 0 <= error.column <= len(text), error
    assert error.findings
    assert all(well_worded(one.reason) for one in error.findings), error.findings


def _decodes(data: bytes, head: int) -> bool:
    try:
        data.decode("utf-8", "surrogatepass" if head & 64 else "replace")
    except UnicodeDecodeError:
        return False
    return True


def _admitted(term: Term, sort: Sort) -> bool:
    try:
        check(term, SAMPLE, sort=sort)
    except AdmissionError:
        return False
    return True


def _back(term: Term, sort: Sort, read: Read) -> None:
    """A term that is admitted comes back from its text as the same term in normal form."""
    if _admitted(term, sort):
        text = to_text(term, SAMPLE)
        assert check(read(text), SAMPLE, sort=sort) == check(term, SAMPLE, sort=sort), text


if __name__ == "__main__":
    fuzz("clause", one_input)
