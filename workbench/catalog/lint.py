"""What a catalog leaves open or may have wrong, as warnings: it loads all the same.

Counts per provider rather than per row, so that the findings of a thousand offers can be read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Final

from workbench.boundary.sanitiser import confusable
from workbench.catalog.catalog import Catalog
from workbench.catalog.facts import stated_facts
from workbench.catalog.models import Offer
from workbench.errors import Finding, Place

STALE_PRICE_DAYS: Final = 60
OLD_FIGURE_DAYS: Final = 120
ODD_PRICE: Final = 1000.0
"""USD per million tokens above which a price is more likely in another unit."""


def lint(catalog: Catalog, today: date) -> tuple[Finding, ...]:
    """Everything worth a look: what the load found, then gaps, ages, disputes and names, as `today` sees them."""
    return (
        *catalog.findings,
        *_gaps(catalog),
        *_prices(catalog),
        *_ages(catalog, today),
        *_figures(catalog, today),
        *_statements(catalog),
        *_names(catalog),
    )


def _warn(catalog: Catalog, where: str, reason: str, code: str, hint: str | None = None) -> Finding:
    return Finding(reason, code, Place(catalog.name, path=where), hint, "warning")


def _gaps(catalog: Catalog) -> Iterator[Finding]:
    def missing(what: str, code: str, hint: str, open_: list[Offer]) -> Iterator[Finding]:
        for provider, count in sorted(Counter(offer.provider for offer in open_).items()):
            yield _warn(catalog, provider, f"{count} of {totals[provider]} offers have no {what}", code, hint)

    totals = Counter(offer.provider for offer in catalog.offers)
    unpriced = [offer for offer in catalog.offers if offer.price_in is None or offer.price_out is None]
    yield from missing("price", "price_unknown", "an unknown price passes no ceiling and ranks last", unpriced)
    nowhere = [offer for offer in catalog.offers if offer.region is None]
    yield from missing("region", "region_unknown", "they hold `region = unknown` and no other place", nowhere)


def _prices(catalog: Catalog) -> Iterator[Finding]:
    for index, offer in enumerate(catalog.offers):
        other = offer.price_disagrees
        if other is not None:
            here, there = _pair(offer.price_in, offer.price_out), _pair(other.price_in, other.price_out)
            reason = f"{offer.source} ({offer.date}) says {here}, {other.source} ({other.date}) says {there}"
            yield _warn(catalog, catalog.offer_id(index), reason, "price_disagrees")
        if max(offer.price_in or 0, offer.price_out or 0) > ODD_PRICE:
            pair = _pair(offer.price_in, offer.price_out)
            hint = "prices are USD per million tokens"
            yield _warn(catalog, catalog.offer_id(index), f"{pair} is a lot", "price_odd", hint)
    unsure = Counter(offer.provider for offer in catalog.offers if offer.currency_uncertain)
    for provider, count in sorted(unsure.items()):
        reason = f"{count} prices may be in euros, and are read as dollars"
        yield _warn(catalog, provider, reason, "currency_uncertain", "check them against the provider's page")


def _pair(price_in: float | None, price_out: float | None) -> str:
    return "/".join("unknown" if price is None else f"{price:g}" for price in (price_in, price_out))


def _ages(catalog: Catalog, today: date) -> Iterator[Finding]:
    stale: Counter[tuple[str, str]] = Counter()
    for offer in catalog.offers:
        if offer.price_in is not None and age(offer.date, today) > STALE_PRICE_DAYS:
            stale[offer.source, offer.date] += 1
    for (source, day), count in sorted(stale.items()):
        reason = f"{count} prices are {age(day, today)} days old ({day})"
        yield _warn(catalog, source, reason, "price_stale", "`workbench catalog import` makes a new catalog")


def age(day: str, today: date) -> int:
    """Days from `day` (`YYYY-MM-DD`) to `today`; never below 0."""
    return max((today - date.fromisoformat(day)).days, 0)


def _figures(catalog: Catalog, today: date) -> Iterator[Finding]:
    for name, version in catalog.benchmark_versions.items():
        figures = [figure for model in catalog.models.values() if (figure := model.bench.get(name)) is not None]
        without = len(catalog.models) - sum(figure.version == version for figure in figures)
        if without:
            reason = f"{without} of {len(catalog.models)} models have no figure ({version})"
            yield _warn(catalog, name, reason, "benchmark_missing", "they pass no floor and stand last in rank")
        oldest = min((figure.date for figure in figures), default=None)
        if oldest is not None and age(oldest, today) > OLD_FIGURE_DAYS:
            count = sum(age(figure.date, today) > OLD_FIGURE_DAYS for figure in figures)
            reason = f"{count} figures are older than {OLD_FIGURE_DAYS} days, the oldest of {oldest}"
            yield _warn(catalog, name, reason, "benchmark_old")


def _statements(catalog: Catalog) -> Iterator[Finding]:
    for provider in catalog.providers.values():
        doubtful = [
            name
            for name in ("region", "no_log", "dpa", "baa", "trains_on_data", "retention_days")
            if (fact := getattr(provider, name)) is not None and fact.standing == "unverified" and fact.value
        ]
        if doubtful:
            reason = f"nobody has checked {', '.join(f'`{name}`' for name in doubtful)}"
            yield _warn(catalog, provider.id, reason, "fact_unverified", "ask the provider before you rely on it")
        if not any(True for _ in stated_facts(provider)):
            yield _warn(
                catalog, provider.id, "nothing is stated about data", "fact_missing", "it counts as training on data"
            )


def _names(catalog: Catalog) -> Iterator[Finding]:
    known: list[str] = []
    for name in catalog.models:
        like = confusable(name, known)
        if like is not None:
            yield _warn(catalog, name, f"can be mistaken for `{like}`", "name_confusable", "rename one of the two")
        known.append(name)
