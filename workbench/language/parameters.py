"""Parameters of operations: what each sort admits, its size caps, and its encoding (LANGUAGE 1, RELIABILITY R4).

Each check is total, looks at sizes before contents, and gives the value as the normal form holds it together with its
encoding. Containers are copied, so that nobody can change an admitted term from outside.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, cast

from workbench.language.encoding import EXACT_INTEGER, encode_number, encode_string, encode_value
from workbench.language.refusal import Refusal, did_you_mean, kind_of, null, shown
from workbench.language.signature import ACTIONS, RELATIONS, V1, Version
from workbench.language.vocabulary import V1_FIELDS, Vocabulary

MAX_NAME_BYTES: Final = 256
MAX_STRING_BYTES: Final = 4096
MAX_RECIPE: Final = 64
MAX_CHAIN: Final = 256
MAX_ACTION_KEYS: Final = 16
MAX_BACKOFF: Final = 16

Checked = tuple[Any, str]
"""The value as the normal form holds it, and its encoding."""


@dataclass(slots=True)
class Names:
    """What a term may name under one version."""

    numbers: frozenset[str]
    flags: frozenset[str]
    tiers: tuple[str, ...]


def names_of(vocabulary: Vocabulary, version: Version) -> Names:
    """The names in force; v1 has two number fields of its own."""
    numbers = vocabulary.numbers
    if version == V1:
        numbers = numbers | {known.name for known in V1_FIELDS}
    return Names(numbers, vocabulary.flags, vocabulary.tiers)


def _mismatch(code: Any, expected: str, value: Any) -> Refusal:
    return null() if value is None else Refusal(code, f"expected {expected}, got {kind_of(value)}")


def _number(value: Any, _names: Names | None = None) -> Checked:
    if type(value) is float:
        if math.isfinite(value):
            return value, encode_number(value)
        raise Refusal("number", "expected a finite number")
    if type(value) is not int:
        raise _mismatch("number", "a number", value)
    if -EXACT_INTEGER <= value <= EXACT_INTEGER:
        return value, str(value)
    try:
        double = float(value)
    except OverflowError:
        raise Refusal("number", "expected a finite number; this one is too large for a double") from None
    return double, encode_number(double)


def _count(value: Any, _names: Names) -> Checked:
    if value is None:
        raise null()
    message = "expected a positive integer (Count >= 1)"
    if type(value) not in (int, float):
        raise Refusal("count", f"{message}, got {kind_of(value)}")
    number, encoded = _number(value)
    if number < 1 or number != math.floor(number):
        raise Refusal("count", message)
    return number, encoded


def text(value: Any, cap: int, what: str) -> str:
    """A string of Unicode scalar values of at most `cap` bytes."""
    if type(value) is not str:
        raise _mismatch("string", "a string", value)
    size = len(value)
    if size <= cap and not value.isascii():
        try:
            size = len(value.encode())
        except UnicodeEncodeError:
            raise Refusal("surrogate", f"{shown(value)} holds a lone surrogate, which is no character") from None
    if size > cap:
        raise Refusal("size", f"{what} {shown(value, 32)} is too long; at most {cap} bytes")
    return value


def _name(value: Any, _names: Names | None = None) -> Checked:
    return value, encode_string(text(value, MAX_NAME_BYTES, "the name"))


def _relation(value: Any, _names: Names) -> Checked:
    if type(value) is str and value in RELATIONS:
        return value, f'"{value}"'
    if type(value) is not str:
        raise _mismatch("relation", "a relation", value)
    raise Refusal("relation", f"unknown relation {shown(value)}", f"one of {', '.join(RELATIONS)}")


def _field(value: Any, wanted: frozenset[str], other: frozenset[str], sorts: tuple[str, str, str]) -> Checked:
    if type(value) is str and value in wanted:
        return value, encode_string(value)
    if type(value) is not str:
        raise _mismatch("field", "a field name", value)
    sort, found, instead = sorts
    if value in other:
        raise Refusal("field", f"field {shown(value)} is {found}, expected {sort}", f"use {instead}")
    raise Refusal("field", f"undeclared field {shown(value)}", did_you_mean(value, sorted(wanted)))


def _number_field(value: Any, names: Names) -> Checked:
    return _field(value, names.numbers, names.flags, ("Num", "Bool", '["is", FIELD]'))


def _flag_field(value: Any, names: Names) -> Checked:
    return _field(value, names.flags, names.numbers, ("Bool", "Num", '["cmp", FIELD, REL, NUMBER]'))


def _tier(value: Any, names: Names) -> Checked:
    if type(value) is str and value in names.tiers:
        return value, encode_string(value)
    if type(value) is not str:
        raise _mismatch("tier", "a tier", value)
    hint = did_you_mean(value, names.tiers) or f"one of {', '.join(names.tiers)}"[:200]
    raise Refusal("tier", f"unknown tier {shown(value)}", hint)


def _scalar(value: Any, _names: Names) -> Checked:
    if type(value) is bool:
        return value, encode_value(value)
    if type(value) is str:
        return value, encode_string(text(value, MAX_STRING_BYTES, "the string"))
    if type(value) not in (int, float):
        raise _mismatch("scalar", "a number, a string or a boolean", value)
    return _number(value)


def _step(key: object) -> str:
    """A path step into a record."""
    return f".{shown(str(key), 40)[1:-1]}"


def _record(value: Any, cap: int, code: Any, what: str) -> dict[str, Any]:
    if type(value) is not dict:
        raise _mismatch(code, what, value)
    record = cast("dict[str, Any]", value)
    if len(record) > cap:
        raise Refusal("size", f"too many keys; at most {cap}")
    for key in record:
        text(key, MAX_NAME_BYTES, "the key")
    return record


def _array(value: Any, cap: int, code: Any, what: str) -> list[Any]:
    if type(value) is not list:
        raise _mismatch(code, what, value)
    items = cast("list[Any]", value)
    if len(items) > cap:
        raise Refusal("size", f"too many entries; at most {cap}")
    return items


def _each(items: list[Any], check: Callable[[Any], Any]) -> list[Any]:
    """Every item checked, its place named where one is refused."""
    copy: list[Any] = []
    for index, item in enumerate(items, 1):
        try:
            copy.append(check(item))
        except Refusal as refusal:
            raise refusal.at(f"[{index}]") from None
    return copy


def _action_word(value: Any) -> str:
    if type(value) is str and value in ACTIONS:
        return value
    if type(value) is not str:
        raise _mismatch("action", "an action", value)
    hint = did_you_mean(value, ACTIONS) or f"one of {', '.join(ACTIONS)}"
    raise Refusal("action", f"unknown action {shown(value)}", hint)


def _backoff(value: Any) -> Any:
    if type(value) is not list:
        return _number(value)[0]
    return _each(_array(value, MAX_BACKOFF, "action", "a list"), lambda item: _number(item)[0])


_ACTION_KEYS: Final[dict[str, Callable[[Any], Any]]] = {
    "action": _action_word,
    "then_action": _action_word,
    "backoff_ms": _backoff,
}


def _knob(value: Any) -> Any:
    return _number(value)[0]


def _action(value: Any, _names: Names) -> Checked:
    record = _record(value, MAX_ACTION_KEYS, "action", "an action record")
    copy: dict[str, Any] = {}
    for key, entry in record.items():
        try:
            copy[key] = _ACTION_KEYS.get(key, _knob)(entry)
        except Refusal as refusal:
            raise refusal.at(_step(key)) from None
    if "action" not in copy:
        raise Refusal("action", "an action record needs the key 'action'", f"one of {', '.join(ACTIONS)}")
    return copy, encode_value(copy)


def _recipe_step(value: Any) -> Any:
    if type(value) is str:
        return text(value, MAX_STRING_BYTES, "the string")
    if value == [] and type(value) is list:
        return {}  # an empty record may be written as an empty array
    copy: dict[str, Any] = {}
    for key, entry in _record(value, MAX_NAME_BYTES, "recipe", "a string or a flat record of numbers").items():
        try:
            copy[key] = _number(entry)[0]
        except Refusal as refusal:
            raise refusal.at(_step(key)) from None
    return copy


def _recipe(value: Any, _names: Names) -> Checked:
    copy = _each(_array(value, MAX_RECIPE, "recipe", "a recipe (a list)"), _recipe_step)
    return copy, encode_value(copy)


_CHAIN_KEYS: Final = ("provider", "provider_id", "model", "model_family")


def _chain_entry(value: Any) -> dict[str, str]:
    record = _record(value, len(_CHAIN_KEYS), "chain", "a record with provider and model")
    for key, entry in record.items():
        if key not in _CHAIN_KEYS:
            hint = f"one of {', '.join(_CHAIN_KEYS)}"
            raise Refusal("chain", f"unknown key {shown(key)}", hint).at(_step(key))
        try:
            _name(entry)
        except Refusal as refusal:
            raise refusal.at(_step(key)) from None
    if not {"provider", "provider_id"} & record.keys() or not {"model", "model_family"} & record.keys():
        raise Refusal("chain", "a chain entry needs provider and model")
    return dict(record)


def _chain(value: Any, _names: Names) -> Checked:
    copy = _each(_array(value, MAX_CHAIN, "chain", "a chain (a list)"), _chain_entry)
    return copy, encode_value(copy)


CHECKS: Final[dict[str, Callable[[Any, Names], Checked]]] = {
    "Num": _number,
    "Count": _count,
    "Rel": _relation,
    "NumField": _number_field,
    "BoolField": _flag_field,
    "Tier": _tier,
    "Family": _name,
    "Provider": _name,
    "ServedBy": _name,
    "Capability": _name,
    "ParamName": _name,
    "Sym": _name,
    "Provenance": _name,
    "FailReason": _name,
    "Scalar": _scalar,
    "Action": _action,
    "Recipe": _recipe,
    "Chain": _chain,
}
"""By parameter sort. Each raises `Refusal`."""
