"""A trace as the store keeps it: short JSON with digests and places, read back by type.

Owns the row's form. What does not have the type a field declares is refused, so a damaged row is an error with a name
and never a wrong record.
"""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, Literal, Union, cast, get_args, get_origin, get_type_hints

from workbench.boundary import strict_json
from workbench.engine.values import wire_number
from workbench.errors import DocumentError, Finding
from workbench.traces.record import SCHEMA, AnyTrace, QuietTrace, Trace

MAX_BYTES: Final = 64 * 1024 * 1024


def to_row(trace: AnyTrace) -> bytes:
    """The row of a trace: canonical JSON, the same bytes for the same trace."""
    kind = "quiet" if isinstance(trace, QuietTrace) else "full"
    return strict_json.canonical({"schema": SCHEMA, "kind": kind, "trace": plain(trace)})


def from_row(data: bytes) -> AnyTrace:
    """The trace of a row. Raises `DocumentError` where it is none."""
    document = strict_json.loads(data, source="stored trace", max_bytes=MAX_BYTES, max_depth=200)
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise _refused("it is of another schema")
    kind = document.get("kind")
    if kind not in {"quiet", "full"}:
        raise _refused("its kind is unknown")
    return cast("AnyTrace", _read(QuietTrace if kind == "quiet" else Trace, document.get("trace")))


def _refused(reason: str) -> DocumentError:
    return DocumentError("a stored trace cannot be read", [Finding(reason, "trace_row")])


def plain(value: Any) -> Any:
    """A part of a trace as JSON values; fields that have their default are left out."""
    fields = _fields(cast("object", type(value)))
    if fields is not None:
        found: dict[str, Any] = {}
        for name, default in fields:
            inner = getattr(value, name)
            if inner is not default and inner != default:
                found[name] = plain(inner)
        return found
    if isinstance(value, tuple):
        return [plain(inner) for inner in cast("tuple[Any, ...]", value)]
    return wire_number(value) if isinstance(value, float) else value


def written(value: Any) -> str:
    """`plain` as canonical JSON, without the values in between: of parts of a trace that hold no free JSON."""
    kind = cast("object", type(value))
    scalar = _SCALARS.get(kind)
    if scalar is not None:
        return scalar(value)
    if kind is tuple:
        return f"[{','.join([written(inner) for inner in value])}]"
    fields = _named(kind)
    if fields is None:
        return _plain_json(plain(value))
    found: list[str] = []
    for name, key, default in fields:
        inner = getattr(value, name)
        if inner is not default and inner != default:
            scalar = _SCALARS.get(cast("object", type(inner)))
            found.append(key + (written(inner) if scalar is None else scalar(inner)))
    return f"{{{','.join(found)}}}"


def _float(value: float) -> str:
    return repr(value) if math.isfinite(value) else _plain_json(wire_number(value))


def _plain_json(value: Any) -> str:
    return strict_json.canonical(value).decode()


def _text(value: str) -> str:
    return f'"{value}"' if value.isalnum() and value.isascii() else _plain_json(value)


_SCALARS: Final[Mapping[object, Callable[[Any], str]]] = {
    str: _text,
    float: _float,
    int: int.__repr__,
    bool: lambda value: "true" if value else "false",
    type(None): lambda _value: "null",
}


@cache
def _named(kind: Any) -> tuple[tuple[str, str, Any], ...] | None:
    """The fields in the order of their names, each with how its member begins."""
    fields = _fields(kind)
    return None if fields is None else tuple((name, f'"{name}":', default) for name, default in sorted(fields))


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


@cache
def _fields(kind: Any) -> tuple[tuple[str, Any], ...] | None:
    """The fields of a part of a trace with their defaults (`MISSING` for none); None for anything else."""
    if not dataclasses.is_dataclass(kind):
        return None
    defaults = _defaults(kind)
    return tuple((name, defaults.get(name, dataclasses.MISSING)) for name in _hints(cast("type", kind)))


@cache
def _defaults(kind: Any) -> dict[str, Any]:
    """The fields that a row leaves out where they have this value."""
    return {f.name: f.default for f in dataclasses.fields(kind) if f.default is not dataclasses.MISSING}


def _read(kind: Any, value: Any) -> Any:
    """`value` as the annotated type says, refused where it is another."""
    origin = get_origin(kind)
    if kind is Any:
        return value
    if origin in {Union, types.UnionType}:
        return _one_of(get_args(kind), value)
    if origin is Literal:
        return _expect(value in get_args(kind) and isinstance(value, str), value)
    if origin is tuple:
        return _tuple(get_args(kind), value)
    if dataclasses.is_dataclass(kind):
        return _record(cast("type", kind), value)
    return _leaf(kind, value)


def _one_of(kinds: tuple[Any, ...], value: Any) -> Any:
    if value is None:
        return _expect(types.NoneType in kinds, value)
    for kind in kinds:
        if kind is not types.NoneType:
            try:
                return _read(kind, value)
            except DocumentError:
                continue
    raise _refused("a field has the wrong type")


def _tuple(kinds: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    items = cast("list[Any]", _expect(isinstance(value, list), value))
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return tuple(_read(kinds[0], item) for item in items)
    _expect(len(items) == len(kinds), value)
    return tuple(_read(kind, item) for kind, item in zip(kinds, items, strict=True))


def _record(kind: type, value: Any) -> Any:
    held = cast("Mapping[str, Any]", _expect(isinstance(value, dict), value))
    hints = _hints(kind)
    if not held.keys() <= hints.keys() or not hints.keys() - _defaults(kind).keys() <= held.keys():
        raise _refused("its fields are others")
    return kind(**{name: _read(hints[name], inner) for name, inner in held.items()})


_WORDS: Final = {"inf": float("inf"), "-inf": float("-inf")}


def _leaf(kind: Any, value: Any) -> Any:
    if kind is bool:
        return _expect(isinstance(value, bool), value)
    if kind is int:
        return _expect(isinstance(value, int) and not isinstance(value, bool), value)
    if kind is float:
        if isinstance(value, str):
            return _WORDS[value] if value in _WORDS else _expect(False, value)
        return _expect(isinstance(value, int | float) and not isinstance(value, bool), value)
    _expect(isinstance(value, str), value)
    return value if kind is str else kind(value)


def _expect(holds: bool, value: Any) -> Any:
    if not holds:
        raise _refused("a field has the wrong type")
    return value
