"""The columns as one version of the language sees them in one context: the state's columns, and what may be kept."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, Final

import numpy as np

from workbench.engine.columnar.columns import Coded, Columns, Numbers, filled
from workbench.engine.columnar.memory import Mask
from workbench.engine.context import Context
from workbench.engine.pool import declared
from workbench.engine.values import number, record
from workbench.language.signature import V1, V2, Version

_AVERAGED: Final[Mapping[Version, Mapping[str, str]]] = {
    V1: {
        "price_in": "price_in",
        "price_out": "price_out",
        "latency_ms": "ema_latency_ms",
        "tok_s": "ema_tok_s",
        "success_rate": "success_rate_ewma",
        "quality": "last_quality_eval",
    },
    V2: {"price_in": "price_in", "price_out": "price_out"},
}
"""Fields that the state's averages have a say in, and their names there."""

_MEASURED_ALONE: Final = frozenset(("latency_ms", "tok_s", "success_rate"))
"""Fields that v1 reads from the state alone."""

_CONNECTIVES: Final = frozenset(("and", "or", "not"))

_FROM_STATE: Final = {"credits": "credits", "breaker_open": "breakers", "disabled": "disabled"}
"""Fields that are the state's own, and the record that holds them."""

_REQUEST_BOUND: Final = frozenset(("meets_req", "scope_matches"))

_SWAYED: Final = frozenset((*_FROM_STATE, *_AVERAGED[V1], *_REQUEST_BOUND))
"""Whatever request or state may change, in either version."""


def frozen(term: list[Any]) -> Hashable:
    """A predicate as a key."""
    return (term[0], *map(frozen, term[1:])) if term[0] in _CONNECTIVES else tuple(term)


def swayed_by(term: list[Any]) -> frozenset[str]:
    """The fields and operations in a predicate that request or state may change."""
    op = term[0]
    if op in _CONNECTIVES:
        return frozenset[str]().union(*map(swayed_by, term[1:]))
    return _SWAYED.intersection(term[1:2] if op in {"is", "cmp"} else (op,))


class View:
    """One look at a pool. Lives as long as one decision."""

    __slots__ = ("_averages", "_numbers", "columns", "context", "live", "version")

    def __init__(self, columns: Columns, version: Version, context: Context) -> None:
        self.columns = columns
        self.version: Version = version
        self.context = context
        self._averages = record(context.state.get("ema"))
        self._numbers: dict[str, Numbers] = {}
        self.live = self._live()
        """The fields and operations that request and state do have a say in."""

    def numbers(self, name: str) -> Numbers:
        """A number field of every candidate, defaults filled in."""
        if not self._is_own(name):
            return self.columns.numbers(name)
        known = self._numbers.get(name)
        if known is None:
            known = self._numbers[name] = self._observed(name)
        return known

    def flags(self, name: str) -> Mask:
        """A yes-or-no field of every candidate."""
        providers = self.columns.provider()
        if name == "breaker_open":
            breakers = record(self.context.state.get("breakers"))
            return providers.where([breakers.get(provider) is True for provider in providers.values])
        if name == "disabled":
            disabled = record(self.context.state.get("disabled"))
            return providers.where([provider in disabled for provider in providers.values])
        return self.columns.flags(name)

    def averages(self, key: str) -> Numbers:
        """One of the state's averages per candidate, NaN where there is none."""
        routes = self.columns.route()
        table = np.full(len(routes.values), np.nan)
        codes = self.columns.routes_by_key()
        for route, averages in self._averages.items():
            value = number(record(averages).get(key))
            if value is not None and route in codes:
                table[codes[route]] = value
        return routes.spread(table)

    def credits(self) -> Numbers:
        """The state's credits per candidate, NaN where its provider has no entry."""
        providers = self.columns.provider()
        entries = record(self.context.state.get("credits"))
        known = (number(entries.get(provider)) for provider in providers.values)
        return providers.spread(np.array([np.nan if value is None else value for value in known], dtype=np.float64))

    def tiers(self) -> Coded:
        """The candidates' tiers."""
        return self.columns.tier()

    def key(self, term: list[Any]) -> Hashable | None:
        """A key for keeping the mask of a predicate; None where request or state may change it."""
        return (self.version, frozen(term)) if self.live.isdisjoint(swayed_by(term)) else None

    def _live(self) -> frozenset[str]:
        state = self.context.state
        if not state:
            return _REQUEST_BOUND
        held = {name for name, entry in _FROM_STATE.items() if state.get(entry)}
        return _REQUEST_BOUND.union(held, _AVERAGED[self.version] if self._averages else ())

    def _is_own(self, name: str) -> bool:
        """Whether the field needs more than the candidates' own column."""
        return name in self.live or (self.version == V1 and (name in _MEASURED_ALONE or name == "quality"))

    def _observed(self, name: str) -> Numbers:
        default = float(declared(self.columns.vocabulary, name).default)
        if name == "credits":
            return filled(self.credits(), default)
        measured = self.averages(_AVERAGED[self.version][name])
        if self.version != V1:
            return filled(filled(self.columns.raw(name), measured), default)
        if name in _MEASURED_ALONE:
            return filled(measured, default)
        stated = self.columns.raw("quality_hint" if name == "quality" else name)
        return filled(filled(measured, stated), default)
