"""What lint says and what show gives."""

from __future__ import annotations

import json
from datetime import date

from tests.catalog.support import build_catalog, document, with_offer
from workbench.catalog.lint import lint
from workbench.catalog.show import Wanted, offer_rows, summary

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


def test_rows_are_filtered_and_keep_the_order() -> None:
    catalog = build_catalog(document())
    assert [row.offer for row in offer_rows(catalog, TODAY)] == ["north/m1@eu", "north/m1@us", "south/two"]
    for wanted, found in (
        (Wanted(text="M1"), [0, 1]),
        (Wanted(provider="south"), [2]),
        (Wanted(model="m1", region="eu"), [0]),
        (Wanted(region="unknown"), [2]),
        (Wanted(text="nothing"), []),
    ):
        assert [row.index for row in offer_rows(catalog, TODAY, wanted)] == found


def test_a_row_says_what_is_unknown_and_how_old_it_is() -> None:
    first, second, third = offer_rows(build_catalog(document()), TODAY)
    assert (first.price_in, first.age_days, first.retention_days, first.notes) == (5.5, 21, 0, ())
    assert (second.price_in, second.notes) == (None, ("price unknown",))
    assert (third.region, third.no_log, third.released, third.bench_intelligence) == (None, None, None, None)
    assert json.loads(json.dumps(third.as_json(), allow_nan=False))["region"] is None


def test_the_summary_counts() -> None:
    counts = summary(build_catalog(document()))
    assert (counts["offers"], counts["providers"], counts["models"], counts["without_price"]) == (3, 2, 2, 2)
    assert counts["regions"] == {"eu": 1, "us": 1, "unknown": 1}
    json.dumps(counts, allow_nan=False)
