"""Rows for showing a catalog: filtered, each value with what stands for unknown, and how old its facts are."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from workbench.catalog.catalog import Catalog
from workbench.catalog.facts import retention
from workbench.catalog.lint import age


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which offers to show; None asks nothing."""

    text: str | None = None
    """Part of the offer's id or of the model's name, in any case."""
    provider: str | None = None
    model: str | None = None
    region: str | None = None
    """`unknown` for those whose place nobody states."""


@dataclass(frozen=True, slots=True)
class OfferRow:
    """One offer as a table shows it. None is unknown."""

    index: int
    offer: str
    provider: str
    model: str
    region: str | None
    price_in: float | None
    price_out: float | None
    context: int | None
    no_log: bool | None
    trains_on_data: bool | None
    retention_days: float | None
    bench_intelligence: float | None
    released: str | None
    source: str
    date: str
    age_days: int
    notes: tuple[str, ...]
    """`derived`, `currency uncertain`, `price disputed`, `price unknown`."""

    def as_json(self) -> dict[str, Any]:
        """The row as JSON values; unknown is null."""
        return asdict(self)


def offer_rows(catalog: Catalog, today: date, wanted: Wanted = Wanted()) -> tuple[OfferRow, ...]:
    """The wanted offers in catalog order."""
    return tuple(row for index in range(len(catalog)) if _fits(row := _row(catalog, index, today), wanted))


def _fits(row: OfferRow, wanted: Wanted) -> bool:
    text = (wanted.text or "").casefold()
    return (
        (text in row.offer.casefold() or text in row.model.casefold())
        and wanted.provider in {None, row.provider}
        and wanted.model in {None, row.model}
        and wanted.region in {None, row.region or "unknown"}
    )


def _row(catalog: Catalog, index: int, today: date) -> OfferRow:
    offer, wire = catalog.offers[index], catalog.candidates[index]
    signs = {
        "derived": offer.derived is not None,
        "currency uncertain": bool(offer.currency_uncertain),
        "price disputed": offer.price_disagrees is not None,
        "price unknown": offer.price_in is None or offer.price_out is None,
    }
    return OfferRow(
        index=index,
        offer=catalog.offer_id(index),
        provider=offer.provider,
        model=offer.model,
        region=offer.region,
        price_in=offer.price_in,
        price_out=offer.price_out,
        context=offer.capabilities.context,
        no_log=offer.no_log,
        trains_on_data=wire.get("trains_on_data"),
        retention_days=retention(offer, catalog.providers[offer.provider]),
        bench_intelligence=wire.get("bench_intelligence"),
        released=catalog.models[offer.model].released,
        source=offer.source,
        date=offer.date,
        age_days=age(offer.date, today),
        notes=tuple(sign for sign, holds in signs.items() if holds),
    )


def summary(catalog: Catalog) -> dict[str, Any]:
    """What the catalog holds, in numbers: for `catalog show` without a filter and for `--json`."""
    places = [offer.region or "unknown" for offer in catalog.offers]
    return {
        "name": catalog.name,
        "date": catalog.date,
        "sha256": catalog.sha256,
        "note": catalog.note,
        "offers": len(catalog),
        "providers": len({offer.provider for offer in catalog.offers}),
        "models": len(catalog.models),
        "regions": {
            place: places.count(place) for place in catalog.vocabulary.categories["region"].values if place in places
        },
        "without_price": sum(offer.price_in is None or offer.price_out is None for offer in catalog.offers),
        "benchmarks": dict(catalog.benchmark_versions),
        "sources": {name: {"title": source.title, "date": source.date} for name, source in catalog.sources.items()},
        "rejected": sum(finding.severity == "error" for finding in catalog.findings),
    }
