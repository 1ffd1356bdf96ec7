"""Makes a case smaller for as long as it stays what it is: fewer candidates, fewer keys, smaller terms.

Also writes a case down as JSON and reads it back, values that JSON has no word for included.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, cast

from tests.soak.worlds import Case
from workbench.language.signature import OPS, SORTS

Term = list[Any]
Record = dict[str, Any]

SIMPLEST: dict[str, Term] = {
    "Pred": ["top"],
    "Scorer": ["zero"],
    "Selector": ["ordered"],
    "Xform": ["id"],
    "FailPlan": ["always", {"action": "abort"}],
    "Evidence": ["ev_zero"],
}


def shrunk(case: Case, bad: Callable[[Case], bool], steps: int = 5000) -> Case:
    """The smallest case near this one that is still `bad`; at most `steps` are tried."""
    left = steps
    progress = True
    while progress and left > 0:
        progress = False
        for smaller in _smaller(case):
            left -= 1
            if bad(smaller):
                case, progress = smaller, True
                break
            if left <= 0:
                break
    return case


def _smaller(case: Case) -> Iterator[Case]:
    size = len(case.candidates)
    for width in (size // 2, size // 4, 1):
        for start in range(0, size, width) if width else ():
            yield replace(case, candidates=case.candidates[:start] + case.candidates[start + width :])
    for term in _smaller_terms(case.policy):
        yield replace(case, policy=term)
    for part in ("seed", "state", "request"):
        if case.context.get(part):
            yield replace(case, context={**case.context, part: None})
    for context in _smaller_records(case.context):
        yield replace(case, context=context)
    for index, candidate in enumerate(case.candidates):
        for fewer in _smaller_records(candidate):
            yield replace(case, candidates=(*case.candidates[:index], fewer, *case.candidates[index + 1 :]))


def _smaller_records(value: Record) -> Iterator[Record]:
    for key, item in value.items():
        yield {other: kept for other, kept in value.items() if other != key}
        if isinstance(item, dict):
            for inner in _smaller_records(cast("Record", item)):
                yield {**value, key: inner}


def _smaller_terms(term: Term) -> Iterator[Term]:
    """The simplest of its sort, one of its children of that sort, fewer children, and the same inside."""
    op = OPS[term[0]]
    kinds = (
        op.args * (len(term) - 1)
        if op.variadic
        else (op.args if len(term) - 1 == len(op.args) else op.alternative or ())
    )
    simplest = SIMPLEST.get(op.sort)
    if simplest is not None and len(term) > 1 and term != simplest:
        yield simplest
    for place, kind in enumerate(kinds, start=1):
        if kind == op.sort:
            yield term[place]
        if op.variadic and len(term) > 2:
            yield [*term[:place], *term[place + 1 :]]
    for place, kind in enumerate(kinds, start=1):
        if kind in SORTS:
            for inner in _smaller_terms(term[place]):
                yield [*term[:place], inner, *term[place + 1 :]]


def written(case: Case, said: tuple[str, ...]) -> str:
    """A case as JSON, with what was said of it when it was found."""
    document = {
        "found": list(said),
        "version": case.version,
        "policy": _worded(case.policy),
        "candidates": _worded(list(case.candidates)),
        "context": _worded(case.context),
    }
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def read(text: str) -> Case:
    """A case from JSON."""
    document = json.loads(text)
    candidates = tuple(_valued(document["candidates"]))
    return Case(document["version"], _valued(document["policy"]), candidates, _valued(document["context"]))


def _worded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _worded(item) for key, item in cast("Record", value).items()}
    if isinstance(value, list):
        return [_worded(item) for item in cast("list[Any]", value)]
    if isinstance(value, float) and not math.isfinite(value):
        return {"@float": repr(value)}
    if type(value) is int and abs(value) > 2**53:
        return {"@int": str(value)}
    return value


def _valued(value: Any) -> Any:
    if isinstance(value, list):
        return [_valued(item) for item in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    record = cast("Record", value)
    if "@float" in record:
        return float(record["@float"])
    return int(record["@int"]) if "@int" in record else {key: _valued(item) for key, item in record.items()}
