"""LiteLLM's price map (`model_prices_and_context_window_backup.json`), from a file or from the installed package.

Owns how its keys spell provider and region (`azure/eu/`, `eu.`, `bedrock/REGION/`, `vertex_ai/`), its per-token
prices, its regional multipliers and its deprecation dates. Nothing of LiteLLM
is imported or run: its data file is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any, Final, cast

from workbench.catalog.importers import bedrock
from workbench.catalog.importers.families import family, is_chat
from workbench.catalog.importers.listing import Listing, count, flag, per_million

SOURCE: Final = "litellm"
MAP_FILE: Final = "litellm/model_prices_and_context_window_backup.json"
MAX_BYTES: Final = 32 * 1024 * 1024

_AZURE_ZONES: Final = {
    "eu": "eu", "us": "us", "us-gov": "us_gov", "apac": "apac", "global": "global", "global-standard": "global",
}  # fmt: skip
_REGION_OF_GCP: Final = {"us": "us", "europe": "eu", "asia": "apac", "global": "global"}
_UPLIFT: Final = re.compile(r"^regional_processing_uplift_multiplier_([a-z]+)$")
_TIER: Final = re.compile(r"^input_cost_per_token_above_(\d+)k_tokens$")


def installed_map() -> Path | None:
    """The data file of an installed LiteLLM, found without importing it; None where it is not installed."""
    try:
        found = metadata.distribution("litellm").locate_file(MAP_FILE)
    except metadata.PackageNotFoundError:
        return None
    path = Path(str(found))
    return path if path.is_file() else None


def read(
    document: Mapping[str, Any], providers: Mapping[str, str], today: str, aliases: Mapping[str, str]
) -> Iterator[Listing]:
    """Chat models of the known providers.

    `providers` maps LiteLLM's provider names to ours; `today` (`YYYY-MM-DD`) decides what is past its last day.
    """
    for key, raw in document.items():
        if not isinstance(raw, dict) or key == "sample_spec":
            continue
        row = cast("dict[str, Any]", raw)
        provider = providers.get(str(row.get("litellm_provider")))
        if provider is None or row.get("mode") not in {"chat", "responses"} or not _is_text(key, row):
            continue
        listing = _listing(key, row, provider, aliases)
        if listing is not None:
            last = row.get("deprecation_date")
            yield replace(listing, deprecated=isinstance(last, str) and last[:10] < today)


def _is_text(key: str, row: Mapping[str, Any]) -> bool:
    outputs = row.get("supported_output_modalities")
    return is_chat(key) and (not outputs or outputs == ["text"])


def _listing(key: str, row: Mapping[str, Any], provider: str, aliases: Mapping[str, str]) -> Listing | None:
    base = Listing(
        provider=provider, wire_id=key, family="", region=None, source=SOURCE,
        price_in=per_million(row.get("input_cost_per_token")),
        price_out=per_million(row.get("output_cost_per_token")),
        context=count(row.get("max_input_tokens")),
        max_output=count(row.get("max_output_tokens")),
        tools=flag(row.get("supports_function_calling")),
        vision=flag(row.get("supports_vision")),
        json_mode=flag(row.get("supports_response_schema")),
        reasoning=flag(row.get("supports_reasoning")),
        api_kind="openai_responses" if row.get("mode") == "responses" else None,
        price_note=_price_note(row),
    )  # fmt: skip
    if provider == "amazon-bedrock":
        return _on_bedrock(base, key, aliases)
    if provider == "azure":
        return _on_azure(base, key, aliases)
    if provider == "google-vertex":
        return _on_vertex(base, key, row, aliases)
    return _elsewhere(base, key, row, aliases)


def _on_bedrock(base: Listing, key: str, aliases: Mapping[str, str]) -> Listing | None:
    parts = bedrock.take_apart(key)
    if parts is None:
        return None
    kind = "openai_compatible" if parts.mantle else None
    return replace(
        base,
        wire_id=parts.wire_id,
        region=parts.region,
        family=family(parts.model, aliases),
        base_url=parts.base_url,
        api_kind=kind,
    )


def _on_azure(base: Listing, key: str, aliases: Mapping[str, str]) -> Listing:
    steps = key.split("/")[1:] if "/" in key else [key]
    region = "global"
    if len(steps) > 1 and steps[0] in _AZURE_ZONES:
        region = _AZURE_ZONES[steps[0]]
        steps = steps[1:]
    wire_id = "/".join(steps)
    kind = "anthropic" if wire_id.startswith("claude") else base.api_kind
    return replace(base, wire_id=wire_id, region=region, family=family(wire_id, aliases), api_kind=kind)


def _on_vertex(base: Listing, key: str, row: Mapping[str, Any], aliases: Mapping[str, str]) -> Listing:
    wire_id = key.removeprefix("vertex_ai/")
    places = row.get("supported_regions")
    region = "global"
    if isinstance(places, list) and places and "global" not in places:
        region = _REGION_OF_GCP.get(str(cast("list[object]", places)[0]).split("-")[0], "global")
    factor = row.get("regional_endpoint_uplift_multiplier")
    uplifts = (
        tuple((zone, float(factor)) for zone in ("eu", "us"))
        if isinstance(factor, float) and region == "global"
        else ()
    )
    kind = (
        "gemini"
        if wire_id.startswith("gemini")
        else "vertex_anthropic"
        if wire_id.startswith("claude")
        else "openai_compatible"
    )
    return replace(
        base, wire_id=wire_id, region=region, family=family(wire_id, aliases), uplifts=uplifts, api_kind=kind
    )


def _elsewhere(base: Listing, key: str, row: Mapping[str, Any], aliases: Mapping[str, str]) -> Listing:
    prefix = f"{row.get('litellm_provider')}/"
    wire_id = key.removeprefix(prefix)
    found = [(match[1], value) for name, value in row.items() if (match := _UPLIFT.match(name)) is not None]
    entry = row.get("provider_specific_entry")
    if isinstance(entry, dict):
        found += [("us", value) for name, value in cast("dict[str, Any]", entry).items() if name == "us"]
    uplifts = tuple(sorted((zone, float(value)) for zone, value in found if isinstance(value, float | int)))
    return replace(base, wire_id=wire_id, family=family(wire_id, aliases), uplifts=uplifts)


def _price_note(row: Mapping[str, Any]) -> str | None:
    """What the one list price leaves out: dearer long prompts, cheaper hours."""
    notes: list[str] = []
    for name in sorted(row):
        tier = _TIER.match(name)
        if tier is not None:
            over_in = per_million(row[name])
            over_out = per_million(row.get(name.replace("input_", "output_")))
            if over_in is not None and over_out is not None:
                notes.append(f"above {tier[1]}k input tokens {over_in:g} in, {over_out:g} out")
    quiet = row.get("off_peak_pricing")
    if isinstance(quiet, dict):
        hours = cast("dict[str, Any]", quiet)
        low_in, low_out = (
            per_million(hours.get("input_cost_per_token")),
            per_million(hours.get("output_cost_per_token")),
        )
        if low_in is not None and low_out is not None:
            notes.append(f"off-peak {low_in:g} in, {low_out:g} out")
    return "; ".join(notes) or None
