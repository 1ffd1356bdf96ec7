"""The normal form, built bottom-up together with its encoding (LANGUAGE 3).

A `Form` is a term in normal form with its encoding and its parts; `combine` makes the form of an operation from those
of its arguments. So that one walk over a term admits, normalizes and encodes it, admission calls `combine` too.
No arithmetic is done on numbers: they are only compared with 0 and 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from workbench.language.encoding import encode_value
from workbench.language.signature import OPS, SORTS, Version

Form = tuple[list[Any], str, Any]
"""The term, its unversioned encoding, and its parts: the argument forms of `and` `or` `add` `seq` `ev_add` `policy`,
the form that a `not` negates, the `_Plan` of a failure plan, None elsewhere."""

_Plan = tuple[Form, dict[str, tuple[Any, str, str]]]
"""The base (`always`), and by reason the action, the encoded reason and the encoded action."""

_Argument = tuple[Any, str]
"""A parameter and its encoding; a `Form` of a sub-term starts likewise."""

_UNITS: Final = {"and": "top", "or": "bot", "add": "zero", "seq": "id", "ev_add": "ev_zero"}
_ABSORBING: Final = {"and": "bot", "or": "top"}


def _encoding_of(form: Form) -> str:
    return form[1]


def _plain(op: str, args: Sequence[Any]) -> Form:
    if not args:
        return [op], f"({op})", None
    term = [op]
    encoded = f"({op}"
    for arg in args:
        term.append(arg[0])
        encoded += f" {arg[1]}"
    return term, encoded + ")", None


def _listing(op: str, args: Sequence[Any]) -> Form:
    """`and` `or` `add` `ev_add` (any order is the same) and `seq` (order kept)."""
    unit = _UNITS[op]
    absorbing = _ABSORBING.get(op)
    children: list[Form] = []
    child: Form
    for child in args:
        name = child[0][0]
        if name == absorbing:
            return child
        if name == op:
            children.extend(child[2])
        elif name != unit:
            children.append(child)
    if len(children) < 2:
        return children[0] if children else _plain(unit, ())
    if op != "seq":
        children.sort(key=_encoding_of)
    term, encoded, _ = _plain(op, children)
    return term, encoded, children


def _not(op: str, args: Sequence[Any]) -> Form:
    child: Form = args[0]
    inner = child[0][0]
    if inner in {"top", "bot"}:
        return _plain("bot" if inner == "top" else "top", ())
    if inner == "not":
        negated: Form = child[2]  # a `not` keeps the form it negates as its parts
        return negated
    return [op, child[0]], f"(not {child[1]})", child


def _scale(op: str, args: Sequence[Any]) -> Form:
    factor, child = args
    if factor[0] == 0 or child[1] == "(zero)":
        return _plain("zero", ())
    return child if factor[0] == 1 else _plain(op, args)


def _gate(op: str, args: Sequence[Any]) -> Form:
    condition, child = args
    if condition[1] == "(bot)" or child[1] == "(zero)":
        return _plain("zero", ())
    return child if condition[1] == "(top)" else _plain(op, args)


def _normalize(op: str, args: Sequence[Any]) -> Form:
    return args[0] if args[0][0][0] == "normalize" else _plain(op, args)


def _always(op: str, args: Sequence[Any]) -> Form:
    term, encoded, _ = _plain(op, args)
    base: Form = (term, encoded, None)
    return term, encoded, (base, {})


def _override(_op: str, args: Sequence[Any]) -> Form:
    """The plan inside, with this action for this reason: what is further out wins."""
    inner, reason, action = args
    plan: _Plan = inner[2]
    base, overrides = plan
    overrides = {**overrides, reason[0]: (action[0], reason[1], action[1])}
    if action[1] == base[1][len("(always ") : -1]:
        del overrides[reason[0]]
    term, encoded, _ = base
    for name in sorted(overrides):
        act, encoded_name, encoded_act = overrides[name]
        term = ["override", term, name, act]
        encoded = f"(override {encoded} {encoded_name} {encoded_act})"
    return term, encoded, (base, overrides)


def _policy(op: str, args: Sequence[Any]) -> Form:
    term, encoded, _ = _plain(op, args)
    return term, encoded, tuple(args)


_RULES: Final[dict[str, Callable[[str, Sequence[Any]], Form]]] = {
    **dict.fromkeys(_UNITS, _listing),
    "not": _not,
    "scale": _scale,
    "gate": _gate,
    "normalize": _normalize,
    "always": _always,
    "override": _override,
    "policy": _policy,
}

COMBINE: Final[dict[str, Callable[[str, Sequence[Any]], Form]]] = {name: _RULES.get(name, _plain) for name in OPS}
"""By op: (op, its arguments in normal form, each with its encoding) to the form of the whole."""


def form_of(term: Sequence[Any], version: Version) -> Form:
    """The form of an admitted term (at most 64 deep). Unlike admission it also takes `["and"]`, which is its unit."""
    op = OPS[term[0]]
    kinds = op.args * (len(term) - 1) if op.variadic else op.arguments(version)
    args: list[Any] = [
        form_of(arg, version) if kind in SORTS else (arg, encode_value(arg))
        for kind, arg in zip(kinds, term[1:], strict=True)
    ]
    return COMBINE[op.name](op.name, args)


def normalize(term: Sequence[Any], version: Version) -> list[Any]:
    """The normal form of an admitted term; normalizing twice changes nothing."""
    return form_of(term, version)[0]
