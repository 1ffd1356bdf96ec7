"""Short forms for writing JSON Schema down."""

from __future__ import annotations

from typing import Any, Final

Schema = dict[str, Any]

ANY: Final[Schema] = {}
TEXT: Final[Schema] = {"type": "string"}
NUMBER: Final[Schema] = {"type": "number"}
WHOLE: Final[Schema] = {"type": "integer"}
FLAG: Final[Schema] = {"type": "boolean"}
OBJECT: Final[Schema] = {"type": "object"}
TERM: Final[Schema] = {"type": "array", "items": {}, "description": "a term: [op, arg, ...]"}


def ref(name: str) -> Schema:
    """A schema of `components`."""
    return {"$ref": f"#/components/schemas/{name}"}


def maybe(schema: Schema) -> Schema:
    """The schema, or null."""
    kind = schema.get("type")
    if "enum" in schema or not isinstance(kind, str):
        return {"anyOf": [schema, {"type": "null"}]}
    return {**schema, "type": [kind, "null"]}


def many(schema: Schema, most: int | None = None) -> Schema:
    """A list of it."""
    made: Schema = {"type": "array", "items": schema}
    return made if most is None else {**made, "maxItems": most}


def record(required: tuple[str, ...] = (), /, **properties: Schema) -> Schema:
    """An object with these properties, and others where a later version has them."""
    made: Schema = {"type": "object", "properties": properties}
    return {**made, "required": list(required)} if required else made


def closed(required: tuple[str, ...] = (), /, **properties: Schema) -> Schema:
    """A body of a request, in which any other key is refused."""
    return {**record(required, **properties), "additionalProperties": False}


def whole(**properties: Schema) -> Schema:
    """An object that always has all of these properties."""
    return record(tuple(properties), **properties)


def one_of(*words: str) -> Schema:
    """One of a few words."""
    return {"type": "string", "enum": list(words)}


def between(low: float, high: float) -> Schema:
    """A number within bounds."""
    return {"type": "number", "minimum": low, "maximum": high}
