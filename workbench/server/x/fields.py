"""`GET /x/fields`: the names that a policy may use, the core first, then what the catalog declares."""

from __future__ import annotations

import math
from typing import Any, Final

from workbench.language.vocabulary import CORE_FIELDS, Field, Vocabulary

_GROUPS: Final = frozenset(("provider", "model", "route"))


def fields_json(vocabulary: Vocabulary) -> dict[str, Any]:
    """`{"fields": [...], "categories": [...], "tiers": [...]}`.

    `name`, `sort`, `group` and `core` are what every client knows; default, unit, meaning and category stand beside.
    A default that JSON has no number for is the string `inf`.
    """
    core = [field.name for field in CORE_FIELDS]
    others = [name for name in vocabulary.fields if name not in core]
    return {
        "fields": [_field(vocabulary.fields[name]) for name in (*core, *others)],
        "categories": [
            {"name": category.name, "values": list(category.values), "meaning": category.meaning}
            for category in vocabulary.categories.values()
        ],
        "tiers": list(vocabulary.tiers),
    }


def _field(field: Field) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "name": field.name,
        "sort": field.sort,
        "group": field.group if field.group in _GROUPS else "route",
        "core": field.core,
        "default": _plain(field.default),
        "unit": field.unit,
        "meaning": field.meaning,
    }
    return shown if field.category is None else {**shown, "category": field.category, "value": field.value}


def _plain(value: float | bool) -> float | bool | str:
    if isinstance(value, bool) or math.isfinite(value):
        return value
    return "inf" if value > 0 else "-inf"
