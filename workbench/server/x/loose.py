"""The normal form of a term that need not be admitted: what the public host's `normalize` takes.

A check of its own, looser than admission: every operation is known and has its arguments, the term is not too deep and
not too large, nothing in it is null. Names of fields, sorts of arguments and values of parameters are not judged, but
where the normal form itself stands on them.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple, cast

from workbench.boundary import strict_json
from workbench.boundary.sanitiser import one_line
from workbench.errors import AdmissionError, Finding, Place
from workbench.language.admission import MAX_BYTES, Term, version_of
from workbench.language.encoding import fingerprint, versioned
from workbench.language.lowering import SPELLINGS, lower
from workbench.language.normal_form import form_of
from workbench.language.signature import MAX_DEPTH, MAX_NODES, OPS, SORTS, Op, Version
from workbench.language.vocabulary import Vocabulary
from workbench.server.x.refusal import because

TITLE: Final = "policy_ir can't be normalized"
_KINDS: Final[tuple[tuple[tuple[type, ...], str], ...]] = (
    ((bool,), "a boolean"),
    ((int, float), "a number"),
    ((str,), "a string"),
    ((list,), "a list"),
    ((dict,), "a record"),
)
_PLANS: Final = frozenset(("always", "override"))


class Normalized(NamedTuple):
    """A term's normal form and its name."""

    term: Term
    fingerprint: str
    version: Version


class _Odd(Exception):
    def __init__(self, path: str, code: str, reason: str) -> None:
        super().__init__(reason)
        self.finding = Finding(reason, code, Place(path=path))


def normalized(term: object, vocabulary: Vocabulary) -> Normalized:
    """The normal form of `term`, of any sort. Raises `Refused` (400 `invalid_policy`)."""
    try:
        plain = lower(term, vocabulary) if _spelled(term) else term
        _Look().term(plain, "$", 1)
    except AdmissionError as error:
        raise because(400, "invalid_policy", TITLE, error.findings) from None
    except _Odd as odd:
        raise because(400, "invalid_policy", TITLE, [odd.finding]) from None
    version = version_of(plain)
    normal, encoded, _ = form_of(cast("Term", plain), version)
    encoding = versioned(version, encoded).encode()
    if len(encoding) > MAX_BYTES:
        found = Finding(f"more than {MAX_BYTES // 1024} KiB", "size", Place(path="$"))
        raise because(400, "invalid_policy", TITLE, [found])
    return Normalized(normal, fingerprint(encoding), version)


def _spelled(term: object) -> bool:
    """Whether one of the JSON spellings may be in it; only then does lowering have anything to say."""
    return any(f'"{word}"' in strict_json.dumps(term) for word in SPELLINGS)


class _Look:
    """One walk over one term."""

    def __init__(self) -> None:
        self.left = MAX_NODES

    def term(self, term: object, path: str, depth: int, *, plan: bool = False) -> None:
        if type(term) is not list:
            raise _Odd(path, "null" if term is None else "shape", f"expected a term [op, ...], got {_kind(term)}")
        items = cast("list[Any]", term)
        self.left -= 1
        if depth > MAX_DEPTH:
            raise _Odd(path, "depth", f"deeper than {MAX_DEPTH} levels")
        if self.left < 0:
            raise _Odd(path, "nodes", f"more than {MAX_NODES} sub-terms")
        op = _operation(items, path)
        if plan and op.name not in _PLANS:
            raise _Odd(path, "sort", f"expected a FailPlan term, got {op.sort}")
        for index, (kind, arg) in enumerate(zip(_kinds(op, items, path), items[1:], strict=True), 1):
            place = f"{path}.{op.name}[{index}]"
            if kind in SORTS:
                self.term(arg, place, depth + 1, plan=op.name == "override")
            else:
                self.value(arg, place, kind)

    def value(self, value: object, path: str, kind: str) -> None:
        if kind == "FailReason" and not isinstance(value, str):
            raise _Odd(path, "string", f"expected a string, got {_kind(value)}")
        if value is None:
            raise _Odd(path, "null", "null is not allowed in a term")
        if isinstance(value, list):
            for index, item in enumerate(cast("list[Any]", value), 1):
                self.value(item, f"{path}[{index}]", "")
        elif isinstance(value, dict):
            for key, item in cast("dict[str, Any]", value).items():
                self.value(item, f"{path}.{one_line(key, limit=40)}", "")


def _operation(items: list[Any], path: str) -> Op:
    name = items[0] if items else "nil"
    if not isinstance(name, str):
        raise _Odd(path, "op", f"expected an op name, got {_kind(name)}")
    op = OPS.get(name)
    if op is None:
        raise _Odd(path, "op", f"unknown op '{one_line(name, limit=80)}'")
    return op


def _kinds(op: Op, items: list[Any], path: str) -> tuple[str, ...]:
    given = len(items) - 1
    if op.variadic:
        return op.args * given
    kinds = op.alternative if op.alternative is not None and given == len(op.alternative) else op.args
    if given != len(kinds):
        raise _Odd(path, "arity", f"{op.name} takes {len(op.args)} argument(s), got {given}")
    return kinds


def _kind(value: object) -> str:
    for kinds, words in _KINDS:
        if isinstance(value, kinds):
            return words
    return "null"
