"""Every fact of one offer, as a person reads it: value, unit, source, date. What is unknown says so by being None."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from workbench.catalog.models import PRICE_UNIT, STATED, Figure, Model, Offer, Provider, ProviderFact

if TYPE_CHECKING:
    from workbench.catalog.catalog import Catalog

FactValue = bool | float | int | str | None


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is known, or known to be unknown, about an offer."""

    name: str
    value: FactValue
    """None where nobody says."""
    unit: str = ""
    source: str = ""
    """Title or address of where it comes from; empty where the value is None."""
    date: str = ""
    """The day it was true or was read, `YYYY-MM-DD`."""
    note: str = ""
    """What to mind: derived, unverified, in dispute."""


def facts_of(catalog: Catalog, index: int) -> tuple[Fact, ...]:
    """All facts of offer `index`, the offer's own first, then its provider's, then its model's."""
    offer = catalog.offers[index]
    provider = catalog.providers[offer.provider]
    model = catalog.models[offer.model]
    return (
        *_offer_facts(catalog, offer, provider),
        *_provider_facts(catalog, offer, provider),
        *_model_facts(catalog, model),
    )


def _title(catalog: Catalog, source: str) -> str:
    known = catalog.sources.get(source)
    return known.title if known is not None else source


def _offer_facts(catalog: Catalog, offer: Offer, provider: Provider) -> Iterator[Fact]:
    source = _title(catalog, offer.source)

    def own(name: str, value: FactValue, unit: str = "", note: str = "") -> Fact:
        known = value is not None
        return Fact(name, value, unit, source if known else "", offer.date if known else "", note)

    price_note = "; ".join(_price_notes(catalog, offer))
    yield Fact("provider", offer.provider, "", source, offer.date)
    yield Fact("model", offer.model, "", source, offer.date)
    yield Fact("served_model_id", offer.served_model_id, "", source, offer.date)
    yield _region(catalog, offer, provider)
    yield own("price_in", offer.price_in, PRICE_UNIT, price_note)
    yield own("price_out", offer.price_out, PRICE_UNIT, price_note)
    yield own("tier", offer.tier or provider.tier)
    yield _no_log(catalog, offer, provider)
    yield own("has_tee", offer.has_tee)
    yield own("latency_ms", offer.latency_ms, "ms")
    yield own("tok_s", offer.tok_s, "tokens/s")
    yield own("context", offer.capabilities.context, "tokens")
    yield own("max_output", offer.capabilities.max_output, "tokens")
    for flag in ("supports_tools", "supports_vision", "supports_json_mode", "supports_seed", "supports_reasoning"):
        yield own(flag, getattr(offer.capabilities, flag))
    yield own("base_url", offer.base_url or base_url(provider, offer.region), note=_url_note(offer, provider))
    yield own("api_kind", offer.api_kind or provider.api_kind)
    yield own("auth_env", None if offer.provider in catalog.held else provider.auth_env)
    if offer.aliases:
        yield own("aliases", ", ".join(offer.aliases))


def _region(catalog: Catalog, offer: Offer, provider: Provider) -> Fact:
    """Where the offer runs: as the provider states it for all it serves, else as the price's source spells it."""
    stated = provider.region
    if stated is not None and stated.value == offer.region:
        fact = _stated(catalog, "region", stated)
    elif offer.region is None:
        return Fact("region", None)
    else:
        fact = Fact("region", offer.region, "", _title(catalog, offer.source), offer.date)
    return replace(
        fact, note="; ".join(filter(None, (fact.note, "promises no place" if offer.region == "global" else "")))
    )


def _no_log(catalog: Catalog, offer: Offer, provider: Provider) -> Fact:
    if offer.no_log is None:
        return Fact("no_log", None, note="unknown reads as logging")
    stated = provider.no_log
    if stated is None:
        return Fact("no_log", offer.no_log, "", _title(catalog, offer.source), offer.date)
    note = "" if stated.value == offer.no_log else f"the provider's default is {str(stated.value).lower()}"
    fact = _stated(catalog, "no_log", stated)
    return replace(fact, value=offer.no_log, note="; ".join(filter(None, (fact.note, note))))


def retention(offer: Offer, provider: Provider) -> float | None:
    """Days that prompts may be kept: of the offer, else none where it keeps no log, else the provider's."""
    if offer.retention_days is not None:
        return offer.retention_days
    if offer.no_log:
        return 0.0
    stated = provider.retention_days
    return None if stated is None or isinstance(stated.value, str) else float(stated.value)


def _retention(catalog: Catalog, offer: Offer, provider: Provider) -> Fact:
    days = retention(offer, provider)
    own = offer.retention_days is not None
    if not own and not offer.no_log:
        return _stated(catalog, "retention_days", provider.retention_days, "days", "unknown reads as forever")
    basis = _no_log(catalog, offer, provider)
    return Fact(
        "retention_days", days, "days", basis.source, basis.date, "of this offer" if own else "follows from no_log"
    )


def _price_notes(catalog: Catalog, offer: Offer) -> Iterator[str]:
    if offer.derived:
        yield f"derived: {offer.derived}"
    if offer.currency_uncertain:
        yield "the currency may be the euro"
    if offer.price_note:
        yield offer.price_note
    other = offer.price_disagrees
    if other is not None:
        figures = f"{_money(other.price_in)} in, {_money(other.price_out)} out"
        yield f"{_title(catalog, other.source)} ({other.date}) says {figures}"


def _money(price: float | None) -> str:
    return "unknown" if price is None else f"{price:g}"


def _url_note(offer: Offer, provider: Provider) -> str:
    if offer.base_url is None and provider.base_url_env is not None:
        return f"of your own account: read from {provider.base_url_env}"
    return ""


def base_url(provider: Provider, region: str | None) -> str | None:
    """Where the provider takes calls for `region`.

    A provider with addresses per region has to have one for this region: a call must not leave the place it was
    promised by falling back to the default address. None where no address is known.
    """
    urls = provider.base_urls
    own = urls.get(region) if region is not None else None
    if own is not None:
        return own
    regional = any(name not in {"default", "global"} for name in urls)
    if regional and region not in {None, "global"}:
        return None
    return urls.get("default")


def stated_facts(provider: Provider) -> Iterator[ProviderFact]:
    """Every statement about a provider that somebody made."""
    for name in STATED:
        fact = getattr(provider, name)
        if fact is not None:
            yield fact


def _provider_facts(catalog: Catalog, offer: Offer, provider: Provider) -> Iterator[Fact]:
    yield _retention(catalog, offer, provider)
    yield _stated(catalog, "trains_on_data", provider.trains_on_data, unknown="unknown reads as training")
    yield _stated(catalog, "dpa", provider.dpa, unknown="unknown reads as none")
    yield _stated(catalog, "baa", provider.baa, unknown="unknown reads as none")
    yield _stated(catalog, "zero_retention", provider.zero_retention)
    known = provider.hq is not None
    yield Fact("hq", provider.hq, "", _title(catalog, provider.source) if known else "", provider.date if known else "")


def _stated(catalog: Catalog, name: str, fact: ProviderFact | None, unit: str = "", unknown: str = "") -> Fact:
    if fact is None:
        return Fact(name, None, unit, note=unknown)
    note = "" if fact.standing == "first_party" else fact.standing
    return Fact(name, fact.value, unit, _title(catalog, fact.source), fact.date, note)


def _model_facts(catalog: Catalog, model: Model) -> Iterator[Fact]:
    if model.released is None:
        yield Fact("released", None)
    else:
        source = catalog.sources.get(model.source or "")
        yield Fact(
            "released", model.released, "", _title(catalog, model.source or ""), source.date if source else catalog.date
        )
    for name in sorted({*catalog.benchmark_versions, *model.bench}):
        yield _figure(catalog, name, model.bench.get(name))


def _figure(catalog: Catalog, name: str, figure: Figure | None) -> Fact:
    if figure is None:
        return Fact(name, None)
    wanted = catalog.benchmark_versions.get(name)
    note = figure.version
    if wanted is not None and wanted != figure.version:
        note += f"; not used, the catalog compares {wanted}"
    if name.endswith("_estimated"):
        note += "; an estimate, off by up to 15 points"
    return Fact(name, figure.value, "", _title(catalog, figure.source), figure.date, note)
