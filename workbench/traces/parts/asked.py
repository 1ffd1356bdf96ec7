"""What a request asked of the decision, and what the host knew then: no more than a decision reads.

The request's text is not here and cannot be. A name the request gives is kept as the place of an offer that has it, so
a record holds no text of the caller's; a name that no offer has is `UNLISTED`, which decides the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from workbench.engine.context import Context
from workbench.engine.reference.predicates import needs
from workbench.engine.values import number, record, same, wire_number
from workbench.traces.parts.catalogs import KeptCatalog
from workbench.traces.parts.words import NUMBERS, PRIVACIES, Need, NumberName, Privacy

UNLISTED: Final = -1
"""The place of a name that no offer has."""
_NOT_LISTED: Final = "(not in the catalog)"
_MEASURES: Final = (
    "price_in", "price_out", "ema_latency_ms", "ema_tok_s", "ema_success", "ema_success_rate", "last_quality_eval",
    "latency_ms", "tok_s", "success_rate",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """The request's requirements (LANGUAGE.md 6.2), by closed words, numbers and places of offers."""

    needs: tuple[Need, ...] = ()
    """What the request needs of a model, those included that its images and tools imply."""
    numbers: tuple[tuple[NumberName, float], ...] = ()
    privacy: Privacy | None = None
    model_family: int | None = None
    tier: int | None = None
    scope: int | None = None

    @property
    def quiet(self) -> bool:
        """Whether the request itself asks that nothing be kept."""
        return self.privacy == "no_log"


def asked_of(context: Context, catalog: KeptCatalog) -> Asked:
    """What of a request a decision can see."""
    wanted = context.requirements
    privacy = wanted.get("privacy")
    found: list[tuple[NumberName, float | None]] = [(name, number(wanted.get(name))) for name in NUMBERS]
    return Asked(
        cast("tuple[Need, ...]", needs(context)),
        tuple((name, value) for name, value in found if value is not None),
        cast("Privacy", privacy) if isinstance(privacy, str) and privacy in PRIVACIES else None,
        _place("model_family", wanted.get("model_family"), catalog),
        _place("tier", wanted.get("tier"), catalog),
        _scope(context.request.get("scope"), catalog),
    )


def _place(key: str, value: object, catalog: KeptCatalog) -> int | None:
    return catalog.first_with.get((key, value), UNLISTED) if isinstance(value, str) else None


def _scope(value: object, catalog: KeptCatalog) -> int | None:
    if value is None:
        return None
    found = (index for index, candidate in enumerate(catalog.candidates) if same(candidate.get("scope"), value))
    return next(found, UNLISTED)


def request_of(asked: Asked, catalog: KeptCatalog) -> dict[str, Any]:
    """A request that asks the same: what a replay decides with, and what a record shows."""
    wanted: dict[str, Any] = {}
    if asked.needs:
        wanted["needs"] = list(asked.needs)
    wanted.update(asked.numbers)
    if asked.privacy is not None:
        wanted["privacy"] = asked.privacy
    for key, place in (("model_family", asked.model_family), ("tier", asked.tier)):
        if place is not None:
            wanted[key] = _named(key, place, catalog)
    request: dict[str, Any] = {"requirements": wanted}
    if asked.scope is not None:
        request["scope"] = _NOT_LISTED if asked.scope == UNLISTED else catalog.candidates[asked.scope]["scope"]
    return request


def _named(key: str, place: int, catalog: KeptCatalog) -> str:
    return _NOT_LISTED if place == UNLISTED else str(catalog.candidates[place].get(key))


def known_state(state: Mapping[str, Any], catalog: KeptCatalog) -> dict[str, Any]:
    """The host's state as a decision reads it (LANGUAGE.md 5): the catalog's names, numbers, yes and no."""
    providers = {value for key, value in catalog.first_with if key == "provider_id"}
    pairs = {f"{c.get('provider_id')}|{c.get('model_family')}" for c in catalog.candidates} if state.get("ema") else ()
    found: dict[str, Any] = {}
    averages = {
        pair: {name: value for name in _MEASURES if (value := number(record(row).get(name))) is not None}
        for pair, row in record(state.get("ema")).items()
        if pair in pairs
    }
    credit = {name: value for name, raw in record(state.get("credits")).items() if (value := number(raw)) is not None}
    breakers = {name: True for name, value in record(state.get("breakers")).items() if value is True}
    disabled: dict[str, Any] = {name: {} for name in record(state.get("disabled"))}
    for key, table in (("ema", averages), ("credits", credit), ("breakers", breakers), ("disabled", disabled)):
        kept: dict[str, Any] = {name: table[name] for name in sorted(table) if key == "ema" or name in providers}
        if kept:
            found[key] = kept
    threshold = number(state.get("free_credit_threshold_usd"))
    if threshold is not None:
        found["free_credit_threshold_usd"] = threshold
    return found


def state_wire(state: Mapping[str, Any]) -> dict[str, Any]:
    """A known state as JSON may hold it: `"inf"` for an infinite number."""
    return {name: _wired(value) for name, value in state.items()}


def _wired(value: object) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _wired(inner) for name, inner in cast("Mapping[object, object]", value).items()}
    return wire_number(value) if isinstance(value, float) else value


def state_of(wire: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `state_wire`."""
    return {name: _unwired(value) for name, value in wire.items()}


def _unwired(value: object) -> Any:
    if isinstance(value, dict):
        return {name: _unwired(inner) for name, inner in cast("dict[str, object]", value).items()}
    return float(value) if value in {"inf", "-inf"} else value  # pyright: ignore[reportArgumentType] - one of two words
