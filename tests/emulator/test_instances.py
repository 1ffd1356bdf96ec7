"""A value for a schema that names itself."""

from __future__ import annotations

from typing import Any

from workbench.server.emulator.instances import MOST_VALUES, instance


def count(value: Any) -> int:
    """How many values are in one."""
    return 1 + sum(count(part) for part in value.values()) if isinstance(value, dict) else 1  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType, reportUnknownArgumentType]


def test_a_schema_that_names_itself_three_times_ends() -> None:
    names = ["a", "b", "c"]
    schema = {"type": "object", "required": names, "properties": {name: {"$ref": "#"} for name in names}}
    assert count(instance(schema)) < 2 * MOST_VALUES


def test_one_that_names_itself_once_is_as_deep_as_it_may_be() -> None:
    schema = {"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#"}, "b": {"type": "integer"}}}
    assert instance(schema)["b"] == 1
