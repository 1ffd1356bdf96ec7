"""From rows to what the language sees: the vocabulary a catalog declares, and each offer in the wire form.

An unknown fact has no key, so that the field's default answers for it; a benchmark figure of another index version
than the catalog compares counts as unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from workbench.catalog.facts import base_url, retention
from workbench.catalog.models import Benchmark, Model, Offer, Provider, ProviderFact
from workbench.language.vocabulary import CORE, UNKNOWN, Category, Field, Vocabulary

REGIONS: Final = ("eu", "us", "global", "apac", "au", "ca", "cn", "in", "jp", "kr", "sa", "sg", "uk", "us_gov")
"""Regions that every catalog declares, so that a policy runs on a catalog that happens to have no offer there."""

NO_RANK: Final = 1e9

_DECLARED: Final = (
    Field("max_output", "Num", 0.0, "tokens", "most tokens of one answer", "model"),
    Field("released", "Num", 0.0, "yyyymmdd", "the model's release date as a number", "model"),
    Field("trains_on_data", "Bool", True, "", "the provider may train on prompts; unknown counts as yes", "provider"),
    Field("dpa", "Bool", False, "", "the provider signs a data processing agreement", "provider"),
    Field("baa", "Bool", False, "", "the provider signs a business associate agreement (HIPAA)", "provider"),
    Field(
        "retention_days", "Num", float("inf"), "days", "how long prompts may be kept; unknown is forever", "provider"
    ),
)


def vocabulary_of(benchmarks: Mapping[str, Benchmark], offers: Sequence[Offer], tiers: tuple[str, ...]) -> Vocabulary:
    """The core fields and what this catalog declares; regions beyond `REGIONS` follow in order of appearance.

    Raises `ValueError` where a benchmark's name is already taken.
    """
    others = dict.fromkeys(offer.region for offer in offers if offer.region is not None)
    regions = (*REGIONS, *(name for name in others if name not in REGIONS and name != UNKNOWN), UNKNOWN)
    region = Category("region", regions, "where the model runs; `global` promises no place", "route")
    benches: list[Field] = []
    for name, bench in benchmarks.items():
        meaning = bench.meaning or name
        benches.append(Field(name, "Num", 0.0, "", f"{meaning}, 0 to 1 ({bench.version})", "model"))
        benches.append(
            Field(f"{name}_rank", "Num", NO_RANK, "place", f"place among the catalog's models by {name}", "model")
        )
    return CORE.extend((*benches, *_DECLARED), (region,), tiers)


def ranks_of(benchmarks: Mapping[str, Benchmark], models: Mapping[str, Model]) -> dict[str, dict[str, int]]:
    """For each benchmark field, each model's place: 1 is best, equal figures share the lower number.

    Models stand in the list once each, however many offers they have.
    """
    ranks: dict[str, dict[str, int]] = {}
    for name, bench in benchmarks.items():
        figures = [
            (figure.value, model.id)
            for model in models.values()
            if (figure := model.bench.get(name)) is not None and figure.version == bench.version
        ]
        figures.sort(key=lambda pair: -pair[0])
        places: dict[str, int] = {}
        place, last = 0, -1.0
        for count, (value, model_id) in enumerate(figures, start=1):
            if value != last:
                place, last = count, value
            places[model_id] = place
        ranks[name] = places
    return ranks


def candidate(offer: Offer, provider: Provider, shared: Mapping[str, Any], *, held: bool) -> dict[str, Any]:
    """The wire form of one offer. `shared` is what its model brings; `held` keeps the key variable back."""
    row: dict[str, Any] = {
        "provider_id": offer.provider,
        "model_family": offer.model,
        "served_model_id": offer.served_model_id,
        "api_kind": offer.api_kind or provider.api_kind,
        "tier": offer.tier or provider.tier,
        "region": offer.region or UNKNOWN,
        f"region_{offer.region or UNKNOWN}": True,
        "capabilities": _known(offer.capabilities.__dict__),
    }
    optional = {
        "base_url": offer.base_url or base_url(provider, offer.region),
        "auth_env": None if held else provider.auth_env,
        "price_in": offer.price_in,
        "price_out": offer.price_out,
        "no_log": offer.no_log,
        "has_tee": offer.has_tee,
        "latency_ms": offer.latency_ms,
        "tok_s": offer.tok_s,
        "max_output": offer.capabilities.max_output,
        "trains_on_data": _value(provider.trains_on_data),
        "dpa": _value(provider.dpa),
        "baa": _value(provider.baa),
        "retention_days": retention(offer, provider),
        "request": offer.request or None,
    }
    row.update(_known(optional))
    row.update(shared)
    return row


def model_facts(
    model: Model, benchmarks: Mapping[str, Benchmark], ranks: Mapping[str, Mapping[str, int]]
) -> dict[str, Any]:
    """What every offer of one model has in common: release date, benchmark figures and places."""
    row: dict[str, Any] = {}
    if model.released is not None:
        row["released"] = int(model.released.replace("-", ""))
    for name in benchmarks:
        place = ranks[name].get(model.id)
        if place is not None:
            row[name] = model.bench[name].value
            row[f"{name}_rank"] = place
    return row


def _known(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}


def _value(fact: ProviderFact | None) -> bool | float | str | None:
    return None if fact is None else fact.value
