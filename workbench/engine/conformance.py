"""Replays golden vectors of `sigma-pol/v1`, `sigma-pol/v2` and `sigma-flow/v1` through the evaluators.

Owns the file format and the comparison; a vector that cannot be run is a failure of that vector and never an exception.
Prints nothing. Terms are admitted as they stand: no spelling is lowered here.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, cast

from workbench.boundary import strict_json
from workbench.boundary.files import read_bytes
from workbench.engine.columnar import sift
from workbench.engine.context import Context
from workbench.engine.decide import Evaluator, decide
from workbench.engine.failplan import classify
from workbench.engine.pool import Pool
from workbench.engine.reference import holds
from workbench.engine.transform import transform
from workbench.engine.values import items, number, record, text, wire_number
from workbench.errors import DocumentError, Finding, WorkbenchError
from workbench.language.admission import Admitted, check
from workbench.language.flow import FLOW_VERSION, check_flow
from workbench.language.signature import V1, V2, Version
from workbench.language.vocabulary import CORE, Field, FieldSort, Vocabulary

MAX_BYTES: Final = 64 * 1024 * 1024
"""Most bytes of a vector file, unpacked."""
MAX_DEPTH: Final = 256
"""Vectors hold terms that are too deep on purpose."""
TOLERANCE: Final = 1e-12

VERSIONS: Final = (V1, V2, FLOW_VERSION)

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


def read(path: Path) -> Mapping[str, Any]:
    """A vector file, `.json` or `.json.gz`. Raises `DocumentError` or `FileRefused`."""
    data = read_bytes(path, max_bytes=MAX_BYTES)
    if path.suffix == ".gz":
        data = _unpacked(data, str(path))
    document = strict_json.loads(data, source=str(path), max_bytes=MAX_BYTES, max_depth=MAX_DEPTH, bom=True)
    if not isinstance(document, dict):
        raise DocumentError("not a vector file", [Finding("expected an object with `version` and `vectors`", "shape")])
    return document


def run(document: Mapping[str, Any], *, evaluator: Chosen = "both") -> Report:
    """Runs every vector of a document. Raises `DocumentError` where the document itself is none."""
    vectors, bench = _opened(document, evaluator)
    failures: list[Failure] = []
    failed = 0
    for place, vector in enumerate(vectors):
        name = text(record(vector).get("name")) or f"vector {place}"
        found = [Failure(name, *difference) for difference in _differences(record(vector), bench)]
        failed += bool(found)
        failures += found
    return Report(len(vectors) - failed, failed, tuple(failures))


def _opened(document: Mapping[str, Any], evaluator: Chosen) -> tuple[Sequence[Any], _Bench]:
    version, vectors = document.get("version"), document.get("vectors")
    if version not in VERSIONS or not isinstance(vectors, list):
        reason = f"expected `version` (one of {', '.join(VERSIONS)}) and a list `vectors`"
        raise DocumentError("not a vector file", [Finding(reason, "shape")])
    evaluators: tuple[Evaluator, ...] = ("reference", "columnar") if evaluator == "both" else (evaluator,)
    spoken: Version = V1 if version == V1 else V2
    vocabulary = _extended(record(document.get("extensions")))
    return cast("list[Any]", vectors), _Bench(vocabulary, spoken, evaluators)


def _extended(extensions: Mapping[str, Any]) -> Vocabulary:
    fields: list[Field] = []
    for name, declaration in extensions.items():
        sort: object = record(declaration).get("sort")
        if sort not in ("Num", "Bool"):
            raise DocumentError("not a vector file", [Finding(f"extension `{name}` has no sort Num or Bool", "shape")])
        default: object = record(declaration).get("default")
        known: FieldSort = sort
        fields.append(Field(name, known, default is True if known == "Bool" else _double(default) or 0.0))
    try:
        return CORE.extend(fields)
    except ValueError as error:
        raise DocumentError("not a vector file", [Finding(str(error), "shape")]) from None


def _differences(vector: Mapping[str, Any], bench: _Bench) -> Iterator[Difference]:
    kind: object = vector.get("kind")
    try:
        if kind == "admission":
            yield from _admission(vector, bench)
        elif kind == "flow":
            yield from _flow(vector, bench)
        elif isinstance(kind, str) and kind in _KINDS:
            admitted = check(vector.get("term"), bench.vocabulary, version=bench.version)
            yield from _names(vector, admitted)
            yield from _KINDS[kind](vector, admitted, bench)
        else:
            yield "kind", " ".join(("admission", "flow", *_KINDS)), kind, None
    except WorkbenchError as error:
        yield "error", "no error", str(error), None


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
    try:
        flow = check_flow(vector.get("flow"), bench.vocabulary)
    except WorkbenchError as error:
        if expected.get("ok") is not False:
            yield "ok", expected.get("ok"), str(error), None
        return
    if expected.get("ok") is not True:
        yield "ok", expected.get("ok"), True, None
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
            if what in expected and not _matches(expected[what], value):
                yield what, expected[what], value, evaluator


def _xform(vector: Mapping[str, Any], admitted: Admitted, bench: _Bench) -> Iterator[Difference]:
    request, candidate = record(vector.get("request")), record(vector.get("candidate"))
    got = transform(request, admitted, candidate, Context.of(vector.get("ctx")), bench.vocabulary)
    expected = record(vector.get("expect")).get("request")
    if not _alike(expected, got):
        yield "request", expected, got, None


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


def _matches(expected: object, got: Sequence[Any]) -> bool:
    """A list against a list; of a record in it only the keys that are expected count."""
    wanted = items(expected)
    if len(wanted) != len(got) or not isinstance(expected, list):
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
    a, b = _double(left), _double(right)
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


def _double(value: object) -> float | None:
    """A number as a double, the words for infinity too."""
    return float(value) if isinstance(value, str) and value in {"inf", "-inf"} else number(value)


def _unpacked(data: bytes, source: str) -> bytes:
    unpacker = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        unpacked = unpacker.decompress(data, MAX_BYTES + 1)
    except zlib.error as error:
        raise DocumentError(f"{source} is not a gzip file", [Finding(str(error), "gzip")]) from None
    if len(unpacked) > MAX_BYTES:
        raise DocumentError(f"{source} is too large", [Finding(f"over {MAX_BYTES} bytes when unpacked", "size")])
    if not unpacker.eof:
        raise DocumentError(f"{source} is cut short", [Finding("the gzip stream has no end", "gzip")])
    return unpacked
