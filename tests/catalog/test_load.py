"""Loading: what the catalog offers to the language, and what unknown reads as."""

from __future__ import annotations

import hashlib
import math

import pytest

from tests.catalog.support import build_catalog, document, with_offer, with_provider
from workbench.boundary import strict_json
from workbench.errors import UsageError
from workbench.language.vocabulary import UNKNOWN


def test_candidates_have_the_wire_form_in_file_order() -> None:
    catalog = build_catalog(document())
    assert [row["region"] for row in catalog.candidates] == ["eu", "us", UNKNOWN]
    first = catalog.candidates[0]
    assert first["provider_id"] == "north"
    assert first["model_family"] == "m1"
    assert first["capabilities"] == {"context": 1000, "supports_tools": True}
    assert (first["price_in"], first["price_out"], first["no_log"], first["dpa"]) == (5.5, 33.0, True, True)
    assert (first["released"], first["bench_intelligence"], first["bench_intelligence_rank"]) == (20260423, 0.5, 1)
    assert first["region_eu"] is True
    assert "region_us" not in first


def test_the_unknown_has_no_key() -> None:
    last = build_catalog(document()).candidates[2]
    unknown = {
        "price_in",
        "price_out",
        "no_log",
        "has_tee",
        "dpa",
        "baa",
        "trains_on_data",
        "retention_days",
        "released",
    }
    assert unknown.isdisjoint(last)
    assert last["region_unknown"] is True
    assert last["capabilities"] == {}


def test_defaults_never_grant_what_is_unknown() -> None:
    fields = build_catalog(document()).vocabulary.fields
    assert fields["trains_on_data"].default is True
    assert fields["dpa"].default is False
    assert fields["baa"].default is False
    assert fields["retention_days"].default == math.inf
    assert fields["released"].default == 0
    assert fields["bench_intelligence"].default == 0
    assert fields["bench_intelligence_rank"].default == 1e9
    assert {"region_eu", "region_us", "region_global", "region_apac", "region_unknown"} <= set(fields)


def test_an_offer_without_log_keeps_for_no_day() -> None:
    assert build_catalog(document()).candidates[0]["retention_days"] == 0
    assert with_offer(no_log=False).candidates[0]["retention_days"] == 30
    assert with_offer(no_log=False, retention_days=7).candidates[0]["retention_days"] == 7


def test_a_call_is_not_moved_to_another_region() -> None:
    rows = build_catalog(document()).candidates
    assert rows[0]["base_url"] == "https://eu.north.example/v1"
    assert "base_url" not in rows[1], "the us offer must not fall back to the default address"


def test_ranks_count_models_and_not_offers() -> None:
    doc = document()
    figure = doc["models"][0]["bench"]["bench_intelligence"]
    doc["models"] += [{"id": "m2", "bench": {"bench_intelligence": figure}}]
    doc["models"] += [{"id": "m3", "bench": {"bench_intelligence": {**figure, "value": 0.4}}}]
    doc["models"] += [{"id": "unserved", "bench": {"bench_intelligence": {**figure, "value": 0.9}}}]
    doc["offers"].append({**doc["offers"][2], "model": "m3", "served_model_id": "three"})
    ranks = [row["bench_intelligence_rank"] for row in build_catalog(doc).candidates]
    assert ranks == [1, 1, 1, 3]


def test_a_figure_of_another_index_version_counts_as_unknown() -> None:
    doc = document()
    doc["models"][0]["bench"]["bench_intelligence"]["version"] = "AA 4.0"
    catalog = build_catalog(doc)
    assert "bench_intelligence" not in catalog.candidates[0]
    assert [finding.code for finding in catalog.findings] == ["benchmark_mixed"]
    fact = {fact.name: fact for fact in catalog.facts(0)}["bench_intelligence"]
    assert (fact.value, fact.date) == (0.5, "2026-08-22")
    assert "not used" in fact.note


def test_the_identity_is_that_of_the_canonical_document() -> None:
    doc = document()
    assert build_catalog(doc).sha256 == hashlib.sha256(strict_json.canonical(doc)).hexdigest()
    swapped = document()
    swapped["offers"].reverse()
    assert build_catalog(swapped).sha256 != build_catalog(doc).sha256


def test_offer_ids_name_the_region_only_where_they_must() -> None:
    catalog = build_catalog(document())
    assert [catalog.offer_id(i) for i in range(3)] == ["north/m1@eu", "north/m1@us", "south/two"]
    assert [catalog.find(name) for name in ("north/m1@us", "south/two", "south/two@unknown", "TWO")] == [1, 2, 2, 2]


@pytest.mark.parametrize(
    ("text", "reason"), [("north/m1", "north/m1@us"), ("nroth/m1@eu", "did you mean"), ("zzzz", "catalog show")]
)
def test_an_offer_that_is_not_found_comes_with_a_way_out(text: str, reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        build_catalog(document()).find(text)
    assert reason in str(caught.value)


def test_facts_carry_value_source_and_date_or_say_unknown() -> None:
    catalog = build_catalog(document())
    for index in range(len(catalog)):
        for fact in catalog.facts(index):
            assert (fact.value is None) == (fact.source == ""), fact
            assert (fact.value is None) == (fact.date == ""), fact
    facts = {fact.name: fact for fact in catalog.facts(0)}
    assert (facts["dpa"].value, facts["dpa"].source, facts["dpa"].date) == (True, "A price list", "2026-11-01")
    assert facts["price_in"].unit == "USD per million tokens"
    assert facts["baa"].value is None


def test_values_for_completion() -> None:
    values = build_catalog(document()).values
    assert values["provider"] == ("north", "south")
    assert values["model"] == ("m1", "m2")
    assert values["capability"] == ("supports_tools",)
    assert values["region"][-1] == UNKNOWN


def test_a_catalog_may_have_regions_of_its_own() -> None:
    catalog = with_offer(region="mars")
    assert "region_mars" in catalog.vocabulary.fields
    assert catalog.candidates[0]["region_mars"] is True


def test_mistyped_statements_of_a_provider_count_as_unknown() -> None:
    fact = {"value": "true", "source": "list", "date": "2026-11-01"}
    catalog = with_provider(dpa=fact, trains_on_data={**fact, "value": 0})
    assert len(catalog) == 3
    assert "dpa" not in catalog.candidates[0]
    assert "trains_on_data" not in catalog.candidates[0]
    assert [finding.code for finding in catalog.findings] == ["flag_mistyped", "flag_mistyped"]
