"""The shape that a file may have and the values it becomes: the same keys, the same defaults."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from workbench.catalog import models, schema

NAMES = ("Source", "ProviderFact", "Provider", "Benchmark", "Figure", "Model", "Capabilities", "OtherPrice", "Offer")


def defaults(made: Any) -> dict[str, Any]:
    return dataclasses.asdict(made)


@pytest.mark.parametrize("name", NAMES)
def test_values_have_the_keys_of_the_schema(name: str) -> None:
    value, shape = getattr(models, name), getattr(schema, name)
    fields = {field.name: field for field in dataclasses.fields(value)}
    assert set(fields) == set(shape.model_fields)
    for key, field in fields.items():
        optional = field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
        assert shape.model_fields[key].is_required() is not optional, key


def test_defaults_agree() -> None:
    rows: dict[str, dict[str, Any]] = {
        "Provider": {"id": "p", "name": "P", "source": "s", "date": "2026-11-01"},
        "Model": {"id": "m"},
        "Capabilities": {},
        "Offer": {"provider": "p", "model": "m", "served_model_id": "w", "source": "s", "date": "2026-11-01"},
        "OtherPrice": {"source": "s", "date": "2026-11-01"},
        "ProviderFact": {"value": True, "source": "s", "date": "2026-11-01"},
    }
    for name, row in rows.items():
        shape = getattr(schema, name)(**row).model_dump()
        assert defaults(getattr(models, name)(**row)) == shape, name


def test_statements_are_the_facts_of_a_provider() -> None:
    stated = [name for name, field in schema.Provider.model_fields.items() if "ProviderFact" in str(field.annotation)]
    assert sorted(stated) == sorted(models.STATED)


def test_a_row_of_null_is_no_row() -> None:
    for kind in ("providers", "models", "offers"):
        assert schema.faults(kind, None)
    assert schema.all_good([])
    assert not schema.all_good([None])
