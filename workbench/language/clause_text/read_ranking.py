"""What predicates and scorers in clause text mean: one small function per form of the grammar."""

from __future__ import annotations

from typing import Any, Final, cast

from lark import Token, Tree

from workbench.language.clause_text.reader import (
    Action,
    Reader,
    Subject,
    at,
    column_of,
    did_you_mean,
    fault,
    some,
    text,
)
from workbench.language.clause_text.spelling import RELATIONS, SUBJECTS, WHOLE, quote

Node = Tree[Token]
_CONDITION_WORDS: Final = frozenset(("always", "never", "top", "bot"))
_RANKING_WORDS: Final = ("cheapest by", "lowest by", "highest by", "normalize(", "clamp(", "zero")
_COMPOSITES: Final = ("quality", "speed", "cost", "free_credit", "partner")


# ---- predicates


def _any_of(_reader: Reader, _node: Node, parts: list[Any]) -> Any:
    return ["or", *parts]


def _all_of(_reader: Reader, _node: Node, parts: list[Any]) -> Any:
    return ["and", *parts]


def _refused(_reader: Reader, _node: Node, parts: list[Any]) -> Any:
    return ["not", parts[0]]


def _holds(reader: Reader, _node: Node, parts: list[Any]) -> Any:
    (token,) = parts
    word = text(token)
    if token.type == "SUBJECT" and word in WHOLE and (not reader.condition or word in _CONDITION_WORDS):
        return [WHOLE[word]]
    subject = reader.subject(token)
    if subject.kind == "Bool":
        return ["is", word]
    if subject.kind == "Num":
        reason, hint = f"`{word}` is a number, not a yes-or-no field", f"compare it, as in `{word} <= 1`"
    else:
        reason, hint = f"`{word}` must be compared with a value", f"as in `{word} = {_example(reader, subject)}`"
    raise fault(reason, at(token) + len(token), "wrong_sort", hint=hint, expected=("an operator",))


def _example(reader: Reader, subject: Subject) -> str:
    values = _values(reader, subject)
    return values[-1] if values else "NAME"


def _values(reader: Reader, subject: Subject) -> tuple[str, ...]:
    if subject.kind == "tier":
        return reader.vocabulary.tiers
    return reader.vocabulary.categories[subject.name].values if subject.kind == "category" else ()


def _known_value(reader: Reader, subject: Subject, token: Token) -> str:
    value, values = reader.name(token), _values(reader, subject)
    if values and value not in values:
        said = f"`{token}`, which is `{value}`," if token.type == "BINDING" else f"`{value}`"
        near = did_you_mean(value, values)
        raise fault(
            f"{said} is no value of `{subject.name}`", at(token), "unknown_value",
            hint=near or f"it is one of {some(values)}", expected=values,
        )  # fmt: skip
    return value


def _equals(reader: Reader, subject: Subject, token: Token) -> Any:
    value = _known_value(reader, subject, token)
    if subject.kind == "category":
        return ["is", reader.vocabulary.categories[subject.name].field_name(value)]
    return [SUBJECTS[subject.name], value]


def _flag(reader: Reader, subject: Subject, relation: str, token: Token) -> Any:
    value = reader.scalar(token)
    if token.type == "VALUE" and token.lower() in ("true", "false"):
        value = token.lower() == "true"
    if not isinstance(value, bool) or relation not in ("eq", "ne"):
        raise fault(
            f"`{subject.name}` is a yes-or-no field and cannot be compared with `{token}`", at(token), "wrong_sort",
            hint=f"write `{subject.name}` or `not {subject.name}`", expected=("true", "false"),
        )  # fmt: skip
    return ["is", subject.name] if value == (relation == "eq") else ["not", ["is", subject.name]]


def _tier(reader: Reader, subject: Subject, relation: str, token: Token) -> Any:
    """Tiers are ordered, lowest first; `<=` and `>` go by the next one up."""
    tier, tiers = _known_value(reader, subject, token), reader.vocabulary.tiers
    if relation in ("eq", "ne"):
        term: Any = ["tier_eq", tier]
    elif relation in ("ge", "lt"):
        term = ["min_tier", tier]
    else:
        above = tiers.index(tier) + 1
        term = ["min_tier", tiers[above]] if above < len(tiers) else ["bot"]
    return ["not", term] if relation in ("ne", "lt", "le") else term


def _compared(reader: Reader, _node: Node, parts: list[Any]) -> Any:
    left, sign, right = parts
    subject, relation = reader.subject(left), RELATIONS[" ".join(sign.lower().split())]
    if subject.kind == "Num":
        if right.type in ("BINDING", "NUMBER"):
            return ["cmp", subject.name, relation, reader.number(right)]
        raise fault(
            f"`{subject.name}` is compared with a number, not `{right}`", at(right), "wrong_sort",
            expected=("a number",),
        )  # fmt: skip
    if subject.kind == "Bool":
        return _flag(reader, subject, relation, right)
    if subject.kind == "tier":
        return _tier(reader, subject, relation, right)
    if relation not in ("eq", "ne"):
        raise fault(
            f"`{subject.name}` has no order, so `{sign}` says nothing", at(sign), "wrong_sort",
            hint="write =, !=, in or not in", expected=("=", "!=", "in", "not in"),
        )  # fmt: skip
    equal = _equals(reader, subject, right)
    return equal if relation == "eq" else ["not", equal]


def _members(_reader: Reader, _node: Node, parts: list[Any]) -> Any:
    return list(parts)


def _bound_members(reader: Reader, _node: Node, parts: list[Any]) -> Any:
    (token,) = parts
    values = reader.bound(token)
    if not isinstance(values, tuple):
        raise fault(
            f"`{token}` holds one value, `{values}`, and no list", at(token), "binding_sort",
            hint=f"write `= {token}`", expected=("a list",),
        )  # fmt: skip
    return [_stand_in(token, value) for value in cast("tuple[Any, ...]", values)]


def _stand_in(token: Token, value: Any) -> Token:
    """A member of a bound list, at the place of its `$name`."""
    if not isinstance(value, str):
        raise fault(f"`{token}` must hold names, not `{value}`", at(token), "binding_sort", expected=("a name",))
    return Token("STRING", quote(value), start_pos=at(token))


def _listed(reader: Reader, _node: Node, parts: list[Any]) -> Any:
    left, sign, members = parts
    subject = reader.subject(left)
    if subject.kind in ("Num", "Bool"):
        what = "a number" if subject.kind == "Num" else "a yes-or-no field"
        raise fault(
            f"`{subject.name}` is {what}; `{sign}` needs something that has names as values", at(sign), "wrong_sort",
            hint="write <= or >=" if subject.kind == "Num" else f"write `{subject.name}` or `not {subject.name}`",
        )  # fmt: skip
    choices = [_equals(reader, subject, member) for member in members]
    inside = choices[0] if len(choices) == 1 else ["or", *choices] if choices else ["bot"]
    if sign.type == "IN":
        return inside
    return ["not", inside] if choices else ["top"]


def _supports(reader: Reader, _node: Node, parts: list[Any]) -> Any:
    keyword, name = parts
    _no_condition(reader, keyword)
    return ["has_cap", f"supports_{text(name)}"]


def _has_capability(reader: Reader, _node: Node, parts: list[Any]) -> Any:
    keyword, name = parts
    _no_condition(reader, keyword)
    return ["has_cap", text(name)]


def _no_condition(reader: Reader, keyword: Token) -> None:
    if reader.condition:
        raise fault(f"`{keyword}` is about a candidate; this condition is about a tenant", at(keyword), "condition")


# ---- scorers


def _gated(_reader: Reader, _node: Node, parts: list[Any]) -> Any:
    if len(parts) == 3 and (parts[2] != "0"):
        raise fault("only 0 can stand after `else`", at(parts[2]), "syntax", expected=("0",))
    return ["gate", parts[1], parts[0]]


def _cheapest(_reader: Reader, _node: Node, parts: list[Any]) -> Any:
    return ["neg", ["normalize", parts[1]]]


def _highest(_reader: Reader, _node: Node, parts: list[Any]) -> Any:
    return ["normalize", parts[1]]


def _is_literal(term: Any) -> bool:
    return term[0] == "lit"


def _negative(term: Any) -> Any:
    return ["lit", -term[1]] if _is_literal(term) else ["scale", -1, term]


def _sum(_reader: Reader, _node: Node, parts: list[Any]) -> Any:
    """A sum; `1 - s` at its head is the reversal of s."""
    terms = [parts[0]]
    for sign, term in zip(parts[1::2], parts[2::2], strict=True):
        if sign == "-" and terms == [["lit", 1]]:
            terms = [["neg", term]]
        else:
            terms.append(_negative(term) if sign == "-" else term)
    return terms[0] if len(terms) == 1 else ["add", *terms]


def _product(_reader: Reader, node: Node, parts: list[Any]) -> Any:
    others = [place for place, part in enumerate(parts) if not _is_literal(part)]
    if len(others) > 1:
        column = column_of(node.children[others[1]])
        raise fault("a score can only be multiplied by a number", column, "wrong_sort", expected=("a number",))
    core = others[0] if others else len(parts) - 1
    term = parts[core]
    for place in range(len(parts) - 1, -1, -1):
        if place != core:
            term = ["scale", parts[place][1], term]
    return term


def _literal(reader: Reader, _node: Node, parts: list[Any]) -> Any:
    return ["lit", reader.number(parts[0])]


def _signed(_reader: Reader, _node: Node, parts: list[Any]) -> Any:
    return _negative(parts[1]) if parts[0] == "-" else parts[1]


def _operand(reader: Reader, _node: Node, parts: list[Any]) -> Any:
    (token,) = parts
    name = text(token)
    if token.type == "OPERAND" and name == "zero":
        return ["zero"]
    known = reader.field(name)
    if known is None:
        if name in _COMPOSITES and token.type == "OPERAND":
            raise fault(f"unknown field `{name}`", at(token), "unknown_field", hint=f"`composite {name}` is v1's score")
        numbers = reader.vocabulary.of_sort("Num")
        raise fault(
            f"unknown field `{name}`", at(token), "unknown_field", hint=did_you_mean(name, (*numbers, *_RANKING_WORDS)),
            expected=("a number field",),
        )  # fmt: skip
    if known.sort != "Num":
        raise fault(
            f"`{name}` is a yes-or-no field, and a score needs a number", at(token), "wrong_sort",
            hint=f"write `1 if {name} else 0`", expected=("a number field",),
        )  # fmt: skip
    return ["field", name]


def _normalized(_reader: Reader, _node: Node, parts: list[Any]) -> Any:
    return ["normalize", parts[1]]


def _clamped(reader: Reader, _node: Node, parts: list[Any]) -> Any:
    _keyword, term, low, high = parts
    return ["clamp", reader.number(low), reader.number(high), term]


def _composite(_reader: Reader, _node: Node, parts: list[Any]) -> Any:
    name = str(parts[1])
    if name not in _COMPOSITES:
        hint = did_you_mean(name, _COMPOSITES)
        raise fault(f"unknown composite `{name}`", at(parts[1]), "unknown_value", hint=hint, expected=_COMPOSITES)
    return [name]


PRED_ACTIONS: Final[dict[str, Action]] = {
    "pred": _any_of,
    "conjunction": _all_of,
    "refused": _refused,
    "holds": _holds,
    "compared": _compared,
    "listed": _listed,
    "members": _members,
    "bound_members": _bound_members,
    "supports": _supports,
    "has_capability": _has_capability,
}
SCORER_ACTIONS: Final[dict[str, Action]] = {
    **PRED_ACTIONS,
    "gated": _gated,
    "cheapest": _cheapest,
    "highest": _highest,
    "sum": _sum,
    "product": _product,
    "literal": _literal,
    "signed": _signed,
    "operand": _operand,
    "normalized": _normalized,
    "clamped": _clamped,
    "composite": _composite,
}
