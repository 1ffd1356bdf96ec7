"""Replays golden vectors of `sigma-pol/v1`, `sigma-pol/v2` and `sigma-flow/v1` through the evaluators.

Owns the comparison; a vector that cannot be run, or states nothing to compare, is a failure of that vector and never an
exception. Prints nothing. Terms are admitted as they stand: no spelling is lowered here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from workbench.engine.columnar import sift
from workbench.engine.conformance.files import double, opened
from workbench.engine.context import Context
from workbench.engine.decide import Evaluator, decide
from workbench.engine.failplan import classify
from workbench.engine.pool import Pool
from workbench.engine.reference import holds
from workbench.engine.transform import transform
from workbench.engine.values import items, record, text, wire_number
from workbench.errors import WorkbenchError
from workbench.language.admission import Admitted, check
from workbench.language.flow import check_flow
from workbench.language.signature import Version
from workbench.language.vocabulary import Vocabulary

TOLERANCE: Final = 1e-12

Chosen = Literal["columnar", "reference", "both"]


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that came out otherwise than a vector says."""

    vector: str
    what: str
    """`encoding`, `scores`, `case 2 reason`, ..."""
    expected: Any
    got: Any
    evaluator: Evaluator | None = None
    """None where no evaluator had a part in it."""


@dataclass(frozen=True, slots=True)
class Report:
    """How many vectors passed and failed, and what was wrong; one vector may fail in several things."""

    passed: int
    failed: int
    failures: tuple[Failure, ...]


@dataclass(frozen=True, slots=True)
class _Bench:
    """What every vector of a document is run with."""

    vocabulary: Vocabulary
    version: Version
    evaluators: tuple[Evaluator, ...]


Difference = tuple[str, Any, Any, Evaluator | None]
"""What, expected, got, evaluator."""


def run(document: Mapping[str, Any], *, evaluator: Chosen = "both") -> Report:
    """Runs every vector of a document. Raises `DocumentError` where the document itself is none."""
    vectors, version, vocabulary = opened(document)
    bench = _Bench(vocabulary, version, ("reference", "columnar") if evaluator == "both" else (evaluator,))
    failures: list[Failure] = []
    failed = 0
    for place, vector in enumerate(vectors):
        name = text(record(vector).get("name")) or f"vector {place}"
        found = [Failure(name, *difference) for difference in _judged(record(vector), bench)]
        failed += bool(found)
        failures += found
    return Report(len(vectors) - failed, failed, tuple(failures))


def _judged(vector: Mapping[str, Any], bench: _Bench) -> Iterator[Difference]:
    try:
        yield from _differences(vector, bench)
    except WorkbenchError as error:
        yield "error", "no error", str(error), None
    except RecursionError:
        yield "error", "no error", "nested too deep to be compared", None


def _differences(vector: Mapping[str, Any], bench: _Bench) -> Iterator[Difference]:
    kind: object = vector.get("kind")
    if kind == "flow" or (kind == "admission" and "flow" in vector):
        yield from _flow(vector, bench)
    elif kind == "admission":
        yield from _admission(vector, bench)
    elif not isinstance(kind, str) or kind not in _KINDS:
        yield "kind", f"one of {', '.join(('admission', 'flow', *_KINDS))}", kind, None
    elif not _states_something(vector):
        yield "expect", "something to compare", vector.get("expect"), None
    else:
        admitted = check(vector.get("term"), bench.vocabulary, version=bench.version)
        yield from _names(vector, admitted)
        yield from _KINDS[kind](vector, admitted, bench)


def _states_something(vector: Mapping[str, Any]) -> bool:
    return not _COMPARED.isdisjoint(record(vector.get("expect"))) or isinstance(vector.get("cases"), list)


def _admission(vector: Mapping[str, Any], bench: _Bench) -> Iterator[Difference]:
    expected = record(vector.get("expect")).get("ok")
    try:
        check(vector.get("term"), bench.vocabulary, version=bench.version)
    except WorkbenchError as error:
        if expected is not False:
            yield "ok", expected, str(error), None
    else:
        if expected is not True:
            yield "ok", expected, True, None


def _flow(vector: Mapping[str, Any], bench: _Bench) -> Iterator[Difference]:
    expected = record(vector.get("expect"))
    admissible = expected.get("ok", True if "encoding" in expected else None)
    try:
        flow = check_flow(vector.get("flow"), bench.vocabulary)
    except WorkbenchError as error:
        if admissible is not False:
            yield "ok", admissible, str(error), None
        return
    if admissible is not True:
        yield "ok", admissible, True, None
    for what, got in (("encoding", flow.encoding), ("fingerprint", flow.fingerprint)):
        if what in expected and expected[what] != got:
            yield what, expected[what], got, None


def _names(vector: Mapping[str, Any], admitted: Admitted) -> Iterator[Difference]:
    expected = record(vector.get("expect"))
    for what, got in (
        ("sort", admitted.sort),
        ("encoding", admitted.encoding),
        ("fingerprint", admitted.fingerprint),
    ):
        if what in expected and expected[what] != got:
            yield what, expected[what], got, None


def _nothing_more(_vector: Mapping[str, Any], _admitted: Admitted, _bench: _Bench) -> Iterator[Difference]:
    return iter(())


def _pred(vector: Mapping[str, Any], admitted: Admitted, bench: _Bench) -> Iterator[Difference]:
    for place, case in enumerate(items(vector.get("cases")), start=1):
        pool = Pool([record(record(case).get("candidate"))], bench.vocabulary)
        context = Context.of(record(case).get("ctx"))
        expected = record(case).get("expect_ok"), record(case).get("expect_reason")
        for evaluator in bench.evaluators:
            got = _reason(admitted, pool, context, evaluator)
            if expected[0] is not (got is None):
                yield f"case {place}", expected[0], got is None, evaluator
            elif got is not None and expected[1] is not None and expected[1] != got:
                yield f"case {place} reason", expected[1], got, evaluator


def _reason(predicate: Admitted, pool: Pool, context: Context, evaluator: Evaluator) -> str | None:
    if evaluator == "reference":
        return holds(predicate, pool.candidates[0], pool, context)
    return sift(predicate, pool, context)[0].reason(0)


def _policy(vector: Mapping[str, Any], admitted: Admitted, bench: _Bench) -> Iterator[Difference]:
    pool = Pool([record(candidate) for candidate in items(vector.get("candidates"))], bench.vocabulary)
    context = Context.of(vector.get("ctx"))
    expected = record(vector.get("expect"))
    for evaluator in bench.evaluators:
        decision = decide(admitted, pool, context, evaluator=evaluator)
        ids = [pool.candidates[index].get("provider_id") for index in decision.order]
        got = {
            "ordered": ids,
            "ordered_index": list(decision.order),
            "scores": [wire_number(score) for score in decision.scores],
            "rejected": [
                {
                    "provider": pool.candidates[one.index].get("provider_id"),
                    "reason": one.reason,
                    "model": pool.candidates[one.index].get("model_family"),
                }
                for one in decision.rejected
            ],
        }
        for what, value in got.items():
            wanted = _scores(expected.get(what)) if what == "scores" else expected.get(what)
            if what in expected and not _matches(wanted, value):
                yield what, expected[what], value, evaluator


def _xform(vector: Mapping[str, Any], admitted: Admitted, bench: _Bench) -> Iterator[Difference]:
    request, candidate = record(vector.get("request")), record(vector.get("candidate"))
    got = transform(request, admitted, candidate, Context.of(vector.get("ctx")), bench.vocabulary)
    expected = record(vector.get("expect"))
    if "request" in expected and not _alike(expected["request"], got):
        yield "request", expected["request"], got, None


def _failplan(vector: Mapping[str, Any], admitted: Admitted, _bench: _Bench) -> Iterator[Difference]:
    for case in items(record(vector.get("expect")).get("classified")):
        reason, expected = record(case).get("kind"), record(case).get("action")
        got = classify(admitted, str(reason))
        if not _alike(expected, got):
            yield f"action on {reason}", expected, got, None


_KINDS: Final[dict[str, Callable[[Mapping[str, Any], Admitted, _Bench], Iterator[Difference]]]] = {
    "encoding": _nothing_more,
    "evidence": _nothing_more,
    "pred": _pred,
    "policy": _policy,
    "xform": _xform,
    "failplan": _failplan,
}


_COMPARED: Final = frozenset(
    ("sort", "encoding", "fingerprint", "ordered", "ordered_index", "scores", "rejected", "request", "classified")
)
"""What an expectation can hold beside `ok`."""


def _scores(expected: object) -> object:
    """Expected scores, what is not a number in whatever spelling as `wire_number` writes it."""
    if not isinstance(expected, list):
        return expected
    return ["nan" if _is_nan(score) else score for score in items(cast("object", expected))]


def _is_nan(score: object) -> bool:
    if isinstance(score, str):
        return score.lower().lstrip("+-") == "nan"
    return score is None or (isinstance(score, float) and math.isnan(score))


def _matches(expected: object, got: Sequence[Any]) -> bool:
    """A list against a list (an empty one maybe written `{}`); of a record in it only the expected keys count."""
    wanted = items(expected)
    if len(wanted) != len(got) or not (isinstance(expected, list) or expected == {}):
        return False
    return all(_covers(left, right) for left, right in zip(wanted, got, strict=True))


def _covers(expected: object, got: object) -> bool:
    if not isinstance(expected, dict):
        return _alike(expected, got)
    stated = record(got)
    return all(key in stated and _alike(value, stated[key]) for key, value in record(cast("object", expected)).items())


def _alike(left: object, right: object) -> bool:
    """Equal, numbers within the tolerance; an empty record may be written `[]`."""
    if _is_container(left) and _is_container(right):
        return _alike_inside(left, right)
    a, b = double(left), double(right)
    if a is not None and b is not None:
        return a == b or abs(a - b) <= TOLERANCE * max(1.0, abs(a), abs(b)) < math.inf
    return type(left) is type(right) and left == right


def _is_container(value: object) -> bool:
    return isinstance(value, dict | list)


def _alike_inside(left: object, right: object) -> bool:
    a, b = record(left), record(right)
    c, d = items(left), items(right)
    return (
        a.keys() == b.keys()
        and len(c) == len(d)
        and all(_alike(a[key], b[key]) for key in a)
        and all(map(_alike, c, d))
    )
