"""Importing: from two raw price lists and our facts to one catalog, on slices that hold what bites."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.catalog.support import SAMPLES, sample_import
from workbench.catalog.importers import bedrock, litellm
from workbench.catalog.importers.document import Import, import_catalog, maker, to_bytes
from workbench.catalog.importers.facts import load_facts
from workbench.catalog.importers.families import family, is_alias, is_chat, stem
from workbench.catalog.importers.listing import count, per_million
from workbench.catalog.load import build_catalog
from workbench.errors import CatalogError

Row = dict[str, Any]
FACTS = load_facts()


def offers() -> dict[tuple[str, str, str], Row]:
    """The sample's offers by provider, model and region."""
    rows: list[Row] = sample_import().document["offers"]
    return {(row["provider"], row["model"], row.get("region", "unknown")): row for row in rows}


def test_the_sample_gives_exactly_these_offers() -> None:
    assert sorted(offers()) == [
        ("amazon-bedrock", "claude-fable-5", "eu"),
        ("amazon-bedrock", "claude-opus-4.7", "eu"),
        ("amazon-bedrock", "claude-opus-4.7", "us"),
        ("amazon-bedrock", "gpt-5.5", "global"),
        ("amazon-bedrock", "gpt-5.5", "us"),
        ("amazon-bedrock", "gpt-oss-120b", "unknown"),
        ("amazon-bedrock", "minimax-m2.5", "eu"),
        ("amazon-bedrock", "minimax-m2.5", "uk"),
        ("anthropic", "claude-opus-4.7", "global"),
        ("anthropic", "claude-opus-4.7", "us"),
        ("azure", "claude-opus-4.7", "global"),
        ("azure", "gpt-5.5", "eu"),
        ("azure", "gpt-5.5", "global"),
        ("chutes", "glm-5.1", "unknown"),
        ("deepseek", "deepseek-v4-pro", "cn"),
        ("google", "gemma-4-31b", "global"),
        ("google-vertex", "claude-opus-4.7", "eu"),
        ("google-vertex", "claude-opus-4.7", "global"),
        ("google-vertex", "claude-opus-4.7", "us"),
        ("google-vertex", "deepseek-v3.1", "us"),
        ("minimax", "minimax-m2.5", "us"),
        ("mistral", "mistral-large-4", "eu"),
        ("mistral", "mistral-medium", "eu"),
        ("mistral", "mistral-medium-3.5", "eu"),
        ("openai", "gpt-5.5", "eu"),
        ("openai", "gpt-5.5", "global"),
        ("openai", "gpt-5.5", "us"),
        ("openai", "gpt-5.5-pro", "global"),
        ("scaleway", "gpt-oss-120b", "eu"),
    ]


def test_prices_are_per_million_tokens() -> None:
    row = offers()["openai", "gpt-5.5", "global"]
    assert (row["price_in"], row["price_out"]) == (5.0, 30.0)
    assert row["price_note"] == "above 272k input tokens 10 in, 45 out"


def test_regional_prices_are_derived_and_say_so() -> None:
    row = offers()["openai", "gpt-5.5", "eu"]
    assert (row["price_in"], row["price_out"]) == (5.5, 33.0)
    assert row["derived"] == "list price x 1.1 (regional uplift)"
    assert "derived" not in offers()["azure", "gpt-5.5", "eu"]


def test_dated_ids_are_aliases_of_the_plain_one() -> None:
    assert offers()["openai", "gpt-5.5", "global"]["aliases"] == ["gpt-5.5-2026-04-23"]
    assert offers()["google-vertex", "claude-opus-4.7", "global"]["aliases"] == ["claude-opus-4-7@default"]


@pytest.mark.parametrize(
    ("key", "wire_id"),
    [
        (("azure", "gpt-5.5", "eu"), "gpt-5.5"),
        (("amazon-bedrock", "claude-opus-4.7", "eu"), "eu.anthropic.claude-opus-4-7"),
        (("amazon-bedrock", "minimax-m2.5", "eu"), "minimax.minimax-m2.5"),
        (("google-vertex", "deepseek-v3.1", "us"), "deepseek-ai/deepseek-v3.1-maas"),
        (("scaleway", "gpt-oss-120b", "eu"), "gpt-oss-120b"),
    ],
)
def test_ids_are_those_of_the_providers_own_api(key: tuple[str, str, str], wire_id: str) -> None:
    assert offers()[key]["served_model_id"] == wire_id


def test_of_several_places_in_one_region_the_cheapest_stands_with_its_address() -> None:
    row = offers()["amazon-bedrock", "minimax-m2.5", "eu"]
    assert row["price_in"] == 0.31
    assert row["base_url"] == "https://bedrock-runtime.eu-north-1.amazonaws.com"


def test_no_log_belongs_to_the_model_at_the_provider() -> None:
    found = offers()
    assert found["amazon-bedrock", "claude-opus-4.7", "eu"]["no_log"] is True
    assert found["amazon-bedrock", "claude-fable-5", "eu"]["no_log"] is False
    assert found["amazon-bedrock", "claude-fable-5", "eu"]["retention_days"] == 30
    assert found["amazon-bedrock", "gpt-oss-120b", "unknown"]["no_log"] is True
    assert found["amazon-bedrock", "gpt-5.5", "us"]["no_log"] is False
    assert "no_log" not in found["chutes", "glm-5.1", "unknown"]


def test_zero_prices_are_unknown_prices() -> None:
    row = offers()["google", "gemma-4-31b", "global"]
    assert "price_in" not in row
    assert "price_out" not in row
    assert "context" not in row["capabilities"]


def test_sources_that_differ_are_both_kept() -> None:
    row = offers()["deepseek", "deepseek-v4-pro", "cn"]
    assert (row["price_in"], row["source"]) == (1.32, "litellm")
    assert row["price_disagrees"] == {
        "source": "models.dev",
        "date": "2026-11-22",
        "price_in": 0.435,
        "price_out": 0.87,
    }
    assert row["price_note"] == "off-peak 0.435 in, 0.87 out"
    assert [f.code for f in sample_import().findings if f.code == "price_disagrees"] == ["price_disagrees"]


def test_unsure_currencies_are_flagged() -> None:
    assert offers()["scaleway", "gpt-oss-120b", "eu"]["currency_uncertain"] is True


def test_a_call_for_a_region_carries_what_the_region_needs() -> None:
    assert offers()["anthropic", "claude-opus-4.7", "us"]["request"] == {"inference_geo": "us"}
    assert "request" not in offers()["anthropic", "claude-opus-4.7", "global"]


def test_unknown_flags_stay_unknown_and_gaps_are_filled_from_the_other_source() -> None:
    known = offers()["openai", "gpt-5.5", "global"]["capabilities"]
    assert known == {
        "context": 1_050_000, "max_output": 128_000, "supports_tools": True, "supports_vision": True,
        "supports_json_mode": True, "supports_reasoning": True,
    }  # fmt: skip
    assert offers()["azure", "gpt-5.5", "eu"]["capabilities"] == {"context": 922_000}


def test_what_is_left_out_is_counted_with_a_reason() -> None:
    told = {str(finding.place): finding.reason for finding in sample_import().findings if finding.code == "left_out"}
    reasons = [f"{finding.place}: {finding.reason}" for finding in sample_import().findings]
    assert told
    assert "openai: 1 left out: was released before 2025-01-01" in reasons
    assert "openai: 2 left out: is deprecated" in reasons
    assert "scaleway: 1 left out: is deprecated" in reasons
    assert "scaleway: 1 left out: is not listed by models.dev" in reasons
    assert "amazon-bedrock: 2 left out: names no place, and its siblings do" in reasons


def test_an_older_day_leaves_out_what_came_later() -> None:
    models = {row["model"] for row in sample_import(date="2026-05-01").document["offers"]}
    assert "gpt-5.5" in models
    assert "gpt-5" in models, "its last day lies ahead"
    assert "claude-fable-5" not in models
    assert "deepseek-v4-pro" not in models


def test_figures_are_of_one_index_version() -> None:
    def figure(index: str) -> Any:
        models: list[Row] = sample_import(index=index).document["models"]
        return next(row for row in models if row["id"] == "gpt-5.5")["bench"]["bench_intelligence"]

    assert (figure("AA 4.1")["value"], figure("AA 4.1")["date"]) == (0.563, "2026-08-22")
    assert (figure("AA 4.0")["value"], figure("AA 4.0")["version"]) == (0.602, "AA 4.0")


def test_the_result_loads_without_a_finding() -> None:
    assert build_catalog(sample_import().document).findings == ()


def test_one_row_per_line() -> None:
    imported = sample_import()
    text = to_bytes(imported.document).decode()
    assert json.loads(text) == imported.document
    for offer in imported.document["offers"]:
        assert (
            text.splitlines().count(json.dumps(offer, ensure_ascii=False))
            + text.splitlines().count(json.dumps(offer, ensure_ascii=False) + ",")
            == 1
        )


@given(st.integers(0, 2**32))
def test_the_order_of_the_sources_rows_changes_no_byte(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    folder = tmp_path_factory.mktemp("shuffled")
    prices: Row = json.loads((SAMPLES / "litellm.json").read_text())
    models: Row = json.loads((SAMPLES / "modelsdev.json").read_text())
    draw = random.Random(seed)
    files: dict[str, Path] = {}
    for name, document in (("litellm", prices), ("modelsdev", models)):
        keys = list(document)
        draw.shuffle(keys)
        files[name] = folder / f"{name}.json"
        files[name].write_text(json.dumps({key: document[key] for key in keys}))
    assert to_bytes(sample_import(**files).document) == to_bytes(sample_import().document)


# Sources that are not what they should be


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"a": NaN}', "not json"])
def test_a_source_that_cannot_be_read_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "prices.json"
    path.write_text(text)
    with pytest.raises(CatalogError) as caught:
        import_catalog(Import("x", "2026-11-22", litellm=path))
    assert caught.value.findings


def test_nothing_to_import_is_an_error() -> None:
    with pytest.raises(CatalogError, match="nothing to import"):
        import_catalog(Import("x", "2026-11-22"))


STRANGE = st.one_of(st.none(), st.booleans(), st.floats(), st.text(max_size=9), st.lists(st.none(), max_size=2))
KEYS = (
    "input_cost_per_token",
    "output_cost_per_token",
    "max_input_tokens",
    "supported_regions",
    "deprecation_date",
    "supports_vision",
    "provider_specific_entry",
    "off_peak_pricing",
    "regional_endpoint_uplift_multiplier",
    "input_cost_per_token_above_200k_tokens",
    "regional_processing_uplift_multiplier_eu",
)
ROWS = st.fixed_dictionaries(
    {
        "litellm_provider": st.sampled_from(["openai", "azure", "bedrock", "vertex_ai", "x"]),
        "mode": st.just("chat"),
    },
    optional=dict.fromkeys(KEYS, STRANGE),
)
MAPS = st.dictionaries(st.text(max_size=20), st.one_of(st.none(), st.integers(), st.text(max_size=5), ROWS), max_size=8)


@given(MAPS)
def test_a_strange_price_map_never_crashes_the_reader(document: Row) -> None:
    facts = FACTS
    for listing in litellm.read(document, facts.names("litellm"), "2026-11-22", facts.aliases):
        assert listing.price_in is None or 0 < listing.price_in <= 1e6
        assert listing.context is None or listing.context > 0


def test_without_the_roster_the_other_source_says_what_is_served() -> None:
    alone = sample_import(modelsdev=None).document["offers"]
    assert {row["source"] for row in alone} == {"litellm"}
    assert ("scaleway", "gpt-oss-120b") in {(row["provider"], row["model"]) for row in alone}


def test_an_installed_map_is_found_without_importing_the_package() -> None:
    path = litellm.installed_map()
    assert path is None or path.is_file()
    assert "litellm" not in sys.modules


# Names


@pytest.mark.parametrize(
    ("wire_id", "name"),
    [
        ("claude-opus-4-7@default", "claude-opus-4.7"),
        ("anthropic/claude-opus-4.7", "claude-opus-4.7"),
        ("claude-haiku-4-5-20251001", "claude-haiku-4.5"),
        ("accounts/fireworks/models/glm-5p3-flash", "glm-5.3-flash"),
        ("FW-DeepSeek-V4-Pro", "deepseek-v4-pro"),
        ("meta-llama/Llama-4-Scout-17B-16E-Instruct", "llama-4-scout"),
        ("Meta-Llama-3_3-70B-Instruct", "llama-3.3-70b"),
        ("Qwen/Qwen3-235B-A22B-Instruct-2507", "qwen3-235b-a22b-instruct-2507"),
        ("Qwen/Qwen3-Next-80B-A3B-Thinking", "qwen3-next-80b-a3b-thinking"),
        ("gpt-5.4-mini-2026-03-17", "gpt-5.4-mini"),
        ("gpt-oss-120b-1:0", "gpt-oss-120b"),
        ("zai-org/GLM-5.1-TEE", "glm-5.1"),
        ("deepseek-v3", "deepseek-v3"),
        ("nemotron-nano-9b-v2", "nemotron-nano-9b-v2"),
        ("deepseek-v4-flash-0731", "deepseek-v4-flash-0731"),
    ],
)
def test_many_spellings_are_one_family(wire_id: str, name: str) -> None:
    assert family(wire_id) == name
    assert family(name) == name


@given(st.text(max_size=60))
def test_naming_a_family_is_total_and_settles(wire_id: str) -> None:
    assert stem(stem(wire_id)) == stem(wire_id)
    assert isinstance(family(wire_id), str)
    assert is_alias(wire_id) in {True, False}
    assert is_chat(wire_id) in {True, False}
    assert maker(wire_id) is None or maker(wire_id)


@pytest.mark.parametrize(
    "name", ["text-embedding-3-large", "gpt-audio", "whisper-1", "gpt-image-2", "llama-guard-3-8b", "ft:gpt-4o"]
)
def test_what_is_no_chat_model_is_told_apart(name: str) -> None:
    assert not is_chat(name)


@pytest.mark.parametrize(
    ("key", "region", "wire_id"),
    [
        ("eu.anthropic.claude-opus-4-7", "eu", "eu.anthropic.claude-opus-4-7"),
        ("us-gov.openai.gpt-oss-120b-1:0", "us_gov", "us-gov.openai.gpt-oss-120b-1:0"),
        ("anthropic.claude-opus-4-7", None, "anthropic.claude-opus-4-7"),
        ("bedrock/eu-west-1/x.y", "eu", "x.y"),
        ("bedrock/eu-west-2/x.y", "uk", "x.y"),
        ("bedrock/eu-central-2/x.y", "ch", "x.y"),
        ("bedrock/us-gov-east-1/x.y", "us_gov", "x.y"),
        ("bedrock/ap-south-1/x.y", "in", "x.y"),
        ("bedrock_mantle/us-gov-west-1/openai.gpt-oss-20b", "us_gov", "openai.gpt-oss-20b"),
    ],
)
def test_bedrock_keys_promise_what_they_say(key: str, region: str | None, wire_id: str) -> None:
    parts = bedrock.take_apart(key)
    assert parts is not None
    assert (parts.region, parts.wire_id) == (region, wire_id)


@pytest.mark.parametrize(
    "key", ["bedrock/*/1-month-commitment/cohere.x", "bedrock/eu-central-1/6-month-commitment/a.b", "gpt-4"]
)
def test_what_is_no_plain_bedrock_id_is_left(key: str) -> None:
    assert bedrock.take_apart(key) is None


@pytest.mark.parametrize(
    ("price", "value"), [(5e-06, 5.0), (0, None), (-1, None), (True, None), ("1", None), (None, None), (1e308, None)]
)
def test_only_a_positive_number_is_a_price(price: object, value: float | None) -> None:
    assert per_million(price) == value


@pytest.mark.parametrize(
    ("tokens", "value"),
    [(8192, 8192), (8192.0, 8192), (0, None), (-1, None), ("1", None), (True, None), (float("nan"), None)],
)
def test_only_a_positive_whole_number_is_a_count(tokens: object, value: int | None) -> None:
    assert count(tokens) == value
