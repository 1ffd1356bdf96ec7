"""Reads values that come from outside as the language does: null or of the wrong type counts as absent.

A JSON boolean is not a number, and a NaN is not a fact. Nothing here raises.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

EMPTY: Mapping[str, Any] = {}


def number(value: object) -> float | None:
    """The value as a double, or None where it is no number."""
    if value is None:
        return None
    if type(value) is float:  # the common cases, without a question to a class
        return None if math.isnan(value) else value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        result = float(value)
    except OverflowError:
        return None
    return None if math.isnan(result) else result


def text(value: object) -> str | None:
    """The value where it is a string."""
    return value if isinstance(value, str) else None


def flag(value: object) -> bool | None:
    """The value where it is a boolean."""
    return value if isinstance(value, bool) else None


def record(value: object) -> Mapping[str, Any]:
    """The value where it is a record, else an empty one (an empty record may be written `[]`)."""
    if type(value) is dict or isinstance(value, Mapping):  # the first is the common case, and the faster question
        return cast("Mapping[str, Any]", value)
    return EMPTY


def items(value: object) -> Sequence[Any]:
    """The value where it is a list, else an empty one."""
    return cast("Sequence[Any]", value) if isinstance(value, list | tuple) else ()


def same(left: object, right: object) -> bool:
    """Whether two scalars are equal on the wire, where `true` is not 1. Records and lists equal nothing."""
    if isinstance(left, str) or isinstance(right, str):
        return isinstance(left, str) and isinstance(right, str) and left == right
    if isinstance(left, bool) or isinstance(right, bool):
        return isinstance(left, bool) and isinstance(right, bool) and left == right
    a, b = number(left), number(right)
    return a is not None and a == b


def wire_number(value: float) -> float | str:
    """A score as JSON may hold it: the double, or `"inf"`, `"-inf"`, `"nan"`."""
    if math.isfinite(value):
        return value
    if math.isnan(value):
        return "nan"
    return "inf" if value > 0 else "-inf"
