"""What lint says of a catalog that loads."""

from __future__ import annotations

from datetime import date

from tests.catalog.support import build_catalog, document, with_offer
from workbench.catalog.lint import lint

TODAY = date(2026, 11, 22)


def codes(**changes: object) -> set[str]:
    return {finding.code for finding in lint(with_offer(**changes), TODAY)}


def test_gaps_are_counted_per_provider() -> None:
    told = {(finding.code, finding.place.path): finding.reason for finding in lint(build_catalog(document()), TODAY)}
    assert told["price_unknown", "north"] == "1 of 2 offers have no price"
    assert told["region_unknown", "south"] == "1 of 1 offers have no region"
    assert told["fact_missing", "south"] == "nothing is stated about data"
    assert told["benchmark_missing", "bench_intelligence"].startswith("1 of 2 models")


def test_prices_age() -> None:
    catalog = build_catalog(document())
    assert "price_stale" not in {finding.code for finding in lint(catalog, TODAY)}
    late = [finding for finding in lint(catalog, date(2027, 2, 1)) if finding.code in {"price_stale", "benchmark_old"}]
    assert [finding.reason.split(" (")[0] for finding in late] == [
        "1 prices are 92 days old",
        "1 figures are older than 120 days, the oldest of 2026-08-22",
    ]


def test_disputes_odd_prices_and_currencies_are_told() -> None:
    assert "price_odd" in codes(price_in=5000)
    assert "currency_uncertain" in codes(currency_uncertain=True)
    assert "price_disagrees" in codes(price_disagrees={"source": "list", "date": "2026-09-28", "price_in": 1.0})
    assert {"price_odd", "currency_uncertain", "price_disagrees"}.isdisjoint(codes())


def test_lookalike_models_are_told() -> None:
    doc = document()
    doc["offers"][2]["model"] = "opus"
    doc["offers"].append({**doc["offers"][2], "model": "оpus", "served_model_id": "three"})
    assert "name_confusable" in {finding.code for finding in lint(build_catalog(doc), TODAY)}


def test_unchecked_statements_are_told() -> None:
    doc = document()
    doc["providers"][0]["dpa"]["standing"] = "unverified"
    assert "fact_unverified" in {finding.code for finding in lint(build_catalog(doc), TODAY)}


def test_lint_repeats_what_the_load_rejected() -> None:
    findings = lint(with_offer(price_in=-1), TODAY)
    assert [finding.code for finding in findings if finding.severity == "error"] == ["row_number"]
