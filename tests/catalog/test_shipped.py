"""The catalogs that travel with the program: how much they hold, and that every figure says where it comes from."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from workbench.catalog import DEFAULT, Catalog, build_catalog, load_catalog, packaged_catalogs
from workbench.catalog.checks import DECLARED_KEY_NAMES
from workbench.catalog.importers.document import to_bytes
from workbench.catalog.importers.facts import load_facts
from workbench.catalog.packaged import checked_digests

NAMES = sorted(packaged_catalogs())


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(packaged_catalogs()[DEFAULT])


@pytest.fixture(scope="module", params=NAMES)
def each(request: pytest.FixtureRequest) -> Catalog:
    return load_catalog(packaged_catalogs()[str(request.param)])


def test_there_are_two_and_the_default_is_one() -> None:
    assert DEFAULT in NAMES
    assert len(NAMES) >= 2


def test_the_default_is_large_enough(catalog: Catalog) -> None:
    assert len(catalog) >= 800
    assert len({offer.provider for offer in catalog.offers}) >= 15
    assert sum(offer.region == "eu" for offer in catalog.offers) >= 60
    assert sum(offer.price_in is not None for offer in catalog.offers) >= 300


def test_it_has_what_the_demonstration_needs(catalog: Catalog) -> None:
    providers = {offer.provider for offer in catalog.offers}
    assert {
        "openai", "anthropic", "azure", "amazon-bedrock", "google-vertex", "mistral", "deepseek", "groq", "scaleway",
        "ovhcloud", "nebius", "xai", "togetherai", "fireworks-ai",
    } <= providers  # fmt: skip
    places = {(offer.provider, offer.region) for offer in catalog.offers if offer.model == "gpt-5.5"}
    assert {
        ("openai", "global"), ("openai", "eu"), ("openai", "us"), ("azure", "eu"), ("amazon-bedrock", "us")
    } <= places  # fmt: skip
    assert any(offer.price_in is None for offer in catalog.offers), "unknown prices are shown as such"
    assert any(offer.region is None for offer in catalog.offers)
    assert any(offer.no_log and offer.region == "eu" for offer in catalog.offers)


def test_every_row_is_good_and_every_file_is_as_written(each: Catalog) -> None:
    assert each.findings == ()
    assert not each.held
    path = packaged_catalogs()[each.name]
    assert path.stem == each.name
    document = json.loads(path.read_bytes())
    assert to_bytes(document) == path.read_bytes()


def test_the_list_of_checked_files_is_that_of_the_packaged_ones() -> None:
    """`cd catalogs && sha256sum *.json > SHA256SUMS` writes it."""
    digests = {hashlib.sha256(path.read_bytes()).hexdigest() for path in packaged_catalogs().values()}
    assert checked_digests() == digests


def test_checked_files_are_what_a_full_check_makes_of_them(each: Catalog) -> None:
    document = json.loads(packaged_catalogs()[each.name].read_bytes())
    judged = build_catalog(document, source=f"{each.name}.json", checked=False)
    assert judged.candidates == each.candidates
    assert (judged.offers, judged.models, judged.providers) == (each.offers, each.models, each.providers)
    assert judged.sha256 == each.sha256


def test_a_checked_file_loads_without_pydantic() -> None:
    code = (
        "import sys; from workbench.catalog import *; "
        "[load_catalog(path) for path in packaged_catalogs().values()]; sys.exit('pydantic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_changed_copy_is_looked_at_again(tmp_path: Path) -> None:
    text = packaged_catalogs()[DEFAULT].read_text(encoding="utf-8").replace('"price_in": 5.5,', '"price_in": -5.5,', 1)
    path = tmp_path / "c.json"
    path.write_text(text, encoding="utf-8")
    assert [finding.code for finding in load_catalog(path).findings] == ["row_number"]


def test_offers_stand_in_the_stated_order(each: Catalog) -> None:
    order = [(o.provider, o.model, o.region or "~", o.served_model_id) for o in each.offers]
    assert order == sorted(order)


def test_offer_ids_are_unique_and_found(each: Catalog) -> None:
    assert len(set(each.offer_ids)) == len(each)
    assert all(each.find(name) == index for index, name in enumerate(each.offer_ids))


def test_every_fact_has_source_and_date(each: Catalog) -> None:
    for index in range(len(each)):
        for fact in each.facts(index):
            if fact.value is not None:
                assert fact.source, (each.offer_id(index), fact)
                date.fromisoformat(fact.date)


def test_every_source_that_is_named_is_listed(each: Catalog) -> None:
    assert {offer.source for offer in each.offers} <= set(each.sources)
    for model in each.models.values():
        assert model.source is None or model.source in each.sources
        assert {figure.source for figure in model.bench.values()} <= set(each.sources)


def test_figures_are_of_the_declared_version_and_no_later_than_the_catalog(each: Catalog) -> None:
    for model in each.models.values():
        for name, figure in model.bench.items():
            assert figure.version == each.benchmark_versions[name]
            assert figure.date <= each.date
            assert ("bench_intelligence" in model.bench) + ("bench_intelligence_estimated" in model.bench) <= 1


def test_models_are_of_2025_and_later(each: Catalog) -> None:
    since = load_facts().since
    for model in each.models.values():
        assert (model.released or since[model.id]) >= "2025-01-01", model
        assert (model.released or since[model.id]) <= each.date


def test_nothing_comes_from_where_it_may_not(each: Catalog) -> None:
    assert {offer.source for offer in each.offers} <= {"litellm", "models.dev"}
    assert not any(offer.provider.startswith("openrouter") for offer in each.offers)


def test_key_variables_are_on_the_declared_list(each: Catalog) -> None:
    assert {p.auth_env for p in each.providers.values() if p.auth_env is not None} <= DECLARED_KEY_NAMES


def test_a_pinned_region_never_falls_back_to_the_default_address(each: Catalog) -> None:
    for offer, row in zip(each.offers, each.candidates, strict=True):
        urls = each.providers[offer.provider].base_urls
        regional = set(urls) - {"default", "global"}
        if offer.region not in {None, "global"} and regional and offer.base_url is None:
            assert row.get("base_url") == urls.get(offer.region or ""), each.offer_id(0)


def test_price_of_a_derived_offer_follows_from_its_list_price(each: Catalog) -> None:
    listed = {
        (o.provider, o.model, o.served_model_id): o for o in each.offers if o.region == "global" and o.derived is None
    }
    derived = [offer for offer in each.offers if offer.derived is not None]
    assert derived
    for offer in derived:
        base = listed[offer.provider, offer.model, offer.served_model_id]
        factor = float(offer.derived.split(" x ")[1].split(" ")[0]) if offer.derived else 1.0
        assert abs((offer.price_in or 0) - (base.price_in or 0) * factor) < 1e-6, offer
