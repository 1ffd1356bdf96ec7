"""What a policy may name: the core fields, the fields and categories a catalog declares, the tier order.

An undeclared field is an admission error and never a run-time surprise (LANGUAGE.md 5).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal

FieldSort = Literal["Num", "Bool"]
Group = Literal["provider", "model", "route", "tenant"]

UNKNOWN: Final = "unknown"
"""The value that every category has for candidates whose place in it is not known."""


@dataclass(frozen=True, slots=True)
class Field:
    """One named observation of a candidate."""

    name: str
    sort: FieldSort
    default: float | bool
    """What an absent value, a null or one of the wrong type reads as."""
    unit: str = ""
    meaning: str = ""
    group: Group = "model"
    core: bool = False
    category: str | None = None
    """The category this yes-or-no field is a value of: `region` for `region_eu`."""
    value: str | None = None
    """Which value of the category: `eu` for `region_eu`."""


@dataclass(frozen=True, slots=True)
class Category:
    """A fact with one of a few named values; each value is a yes-or-no field `NAME_VALUE`."""

    name: str
    values: tuple[str, ...]
    meaning: str = ""
    group: Group = "route"

    def field_name(self, value: str) -> str:
        """The yes-or-no field that says this value: `region_eu`."""
        return f"{self.name}_{value}"

    def fields(self) -> tuple[Field, ...]:
        """One yes-or-no field per value."""
        return tuple(
            Field(self.field_name(v), "Bool", False, "", f"{self.name} is {v}", self.group, False, self.name, v)
            for v in self.values
        )


_INF: Final = math.inf

CORE_FIELDS: Final = (
    Field("price_in", "Num", _INF, "USD per million tokens", "price of input tokens", "provider", True),
    Field("price_out", "Num", _INF, "USD per million tokens", "price of output tokens", "provider", True),
    Field("latency_ms", "Num", _INF, "ms", "median time to the first token", "provider", True),
    Field("tok_s", "Num", 0.0, "tokens/s", "output speed", "provider", True),
    Field("success_rate", "Num", 1.0, "", "share of calls that succeed", "provider", True),
    Field("credits", "Num", 0.0, "USD", "credit left at the provider", "provider", True),
    Field("context", "Num", 0.0, "tokens", "context window", "model", True),
    Field("has_tee", "Bool", False, "", "runs inside a trusted execution environment", "provider", True),
    Field("no_log", "Bool", False, "", "the provider keeps no prompt and no answer", "provider", True),
    Field("breaker_open", "Bool", False, "", "the provider's circuit breaker is open", "provider", True),
    Field("disabled", "Bool", False, "", "the provider is disabled by now", "provider", True),
)

V1_FIELDS: Final = (
    Field("quality", "Num", 0.0, "0..1", "measured quality, else the hint", "model", True),
    Field("quality_hint", "Num", 0.0, "0..1", "the catalog's guess at quality", "model", True),
)
"""Fields that only sigma-pol/v1 has beside the core."""

DEFAULT_TIERS: Final = ("fallback", "marketplace", "partner")


@dataclass(frozen=True)
class Vocabulary:
    """The names in force. Immutable; `extend` gives a larger one."""

    fields: Mapping[str, Field] = field(default_factory=lambda: {f.name: f for f in CORE_FIELDS})
    """Every declared field by name, core fields first, in declaration order; category values included."""
    categories: Mapping[str, Category] = field(default_factory=dict[str, Category])
    tiers: tuple[str, ...] = DEFAULT_TIERS
    """Lowest first."""

    @cached_property
    def numbers(self) -> frozenset[str]:
        """Names of the number fields."""
        return frozenset(self.of_sort("Num"))

    @cached_property
    def flags(self) -> frozenset[str]:
        """Names of the yes-or-no fields."""
        return frozenset(self.of_sort("Bool"))

    def extend(
        self,
        fields: Iterable[Field] = (),
        categories: Iterable[Category] = (),
        tiers: tuple[str, ...] | None = None,
    ) -> Vocabulary:
        """A vocabulary with more names. Raises `ValueError` where one is already taken (a core field included)."""
        known = dict(self.fields)
        groups = dict(self.categories)
        for category in categories:
            if category.name in groups or category.name in known:
                raise ValueError(f"`{category.name}` is declared twice")
            groups[category.name] = category
            fields = (*fields, *category.fields())
        for new in fields:
            if new.name in known or new.name in groups:
                raise ValueError(f"`{new.name}` is declared twice")
            known[new.name] = new
        return Vocabulary(known, groups, self.tiers if tiers is None else tiers)

    def of_sort(self, sort: FieldSort) -> tuple[str, ...]:
        """Names of the fields of one sort, in declaration order."""
        return tuple(name for name, known in self.fields.items() if known.sort == sort)


CORE: Final = Vocabulary()
"""The core fields alone."""

CORE_V1: Final = CORE.extend(V1_FIELDS)
"""The core fields as sigma-pol/v1 has them."""
