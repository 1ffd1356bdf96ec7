"""A value that fits a JSON schema, the same each time; as far as a schema can be met without solving it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from workbench.engine.values import items, number, record, text

WORD: Final = "emulated"
MOST_DEPTH: Final = 24
MOST_VALUES: Final = 10_000
MOST_ITEMS: Final = 16
MOST_LETTERS: Final = 4096

_FORMATS: Final = {
    "date": "2026-01-01",
    "date-time": "2026-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "duration": "PT1S",
    "email": "emulated@example.com",
    "uri": "https://example.com/emulated",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "hostname": "example.com",
}


def instance(schema: object) -> Any:
    """A value for the schema; what cannot be told from it is the word `emulated`. `pattern` and `not` are not met."""
    return _made(record(schema), _Root(record(schema)), 0)


@dataclass(slots=True)
class _Root:
    """The whole schema, and how many more values may be made: one that names itself twice doubles at each step."""

    schema: Mapping[str, Any]
    left: int = MOST_VALUES


def _made(schema: Mapping[str, Any], root: _Root, depth: int) -> Any:
    root.left -= 1
    if depth > MOST_DEPTH or root.left < 0:
        return None
    if "const" in schema:
        return schema["const"]
    if choices := items(schema.get("enum")):
        return choices[0]
    if (name := text(schema.get("$ref"))) is not None:
        return _made(_referred(name, root), root, depth + 1)
    for word in ("anyOf", "oneOf"):
        if found := items(schema.get(word)):
            return _made({**{k: v for k, v in schema.items() if k != word}, **record(found[0])}, root, depth + 1)
    if parts := items(schema.get("allOf")):
        return _made(_joined(schema, parts, root), root, depth + 1)
    return _by_type(schema, root, depth)


def _by_type(schema: Mapping[str, Any], root: _Root, depth: int) -> Any:
    kind = schema.get("type")
    first = kind if isinstance(kind, str) else str(next(iter(items(kind)), ""))
    match first.lower():
        case "object":
            return _object(schema, root, depth)
        case "array":
            least = int(min(max(number(schema.get("minItems")) or 1, 0), MOST_ITEMS))
            if number(schema.get("maxItems")) == 0:
                return []
            return [_made(record(schema.get("items")), root, depth + 1) for _ in range(max(least, 1))]
        case "integer":
            return int(_number(schema, whole=True))
        case "number":
            return _number(schema, whole=False)
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return _object(schema, root, depth) if "properties" in schema else _string(schema)


def _object(schema: Mapping[str, Any], root: _Root, depth: int) -> dict[str, Any]:
    required = {name for name in items(schema.get("required")) if isinstance(name, str)}
    shallow = depth < MOST_DEPTH // 4
    properties = record(schema.get("properties"))
    wanted = {name: known for name, known in properties.items() if shallow or name in required}
    found = {name: _made(record(known), root, depth + 1) for name, known in wanted.items()}
    for name in sorted(required - found.keys()):
        found[name] = WORD
    return found


def _string(schema: Mapping[str, Any]) -> str:
    known = _FORMATS.get(str(schema.get("format")))
    if known is not None:
        return known
    least = int(min(max(number(schema.get("minLength")) or 0, 0), MOST_LETTERS))
    most = number(schema.get("maxLength"))
    made = WORD * (least // len(WORD) + 1) if least > len(WORD) else WORD
    made = made[: max(least, len(WORD))]
    return made if most is None else made[: int(max(most, 0))]


def _number(schema: Mapping[str, Any], *, whole: bool) -> float:
    step = number(schema.get("multipleOf")) or (1.0 if whole else 0.0)
    low, above = number(schema.get("minimum")), number(schema.get("exclusiveMinimum"))
    high, below = number(schema.get("maximum")), number(schema.get("exclusiveMaximum"))
    value = 1.0
    if low is not None:
        value = max(value, low) if high is None or high >= 1 else low
    if above is not None:
        value = max(value, above + (step or 1.0))
    if high is not None:
        value = min(value, high)
    if below is not None and value >= below:
        value = below - (step or 1.0)
    if step:
        value = -(-value // step) * step if high is None or -(-value // step) * step <= high else value // step * step
    return value


def _joined(schema: Mapping[str, Any], parts: Any, root: _Root) -> dict[str, Any]:
    found: dict[str, Any] = {name: value for name, value in schema.items() if name != "allOf"}
    for raw in parts:
        part = record(raw)
        if (name := text(part.get("$ref"))) is not None:
            part = _referred(name, root)
        properties = {**record(found.get("properties")), **record(part.get("properties"))}
        required = [*items(found.get("required")), *items(part.get("required"))]
        found.update(part)
        if properties:
            found["properties"] = properties
        if required:
            found["required"] = required
    return found


def _referred(name: str, root: _Root) -> Mapping[str, Any]:
    """What `#/$defs/NAME` names; an empty schema for anything else."""
    at: Mapping[str, Any] = root.schema
    for step in name.removeprefix("#").strip("/").split("/"):
        if step:
            at = record(at.get(step.replace("~1", "/").replace("~0", "~")))
    return at
