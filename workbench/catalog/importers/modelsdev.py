"""models.dev's `api.json`: providers, their models, prices per million tokens, release dates.

Owns its spelling. Reads a file; fetches nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from workbench.catalog.importers import bedrock
from workbench.catalog.importers.families import family, is_chat
from workbench.catalog.importers.listing import Listing, count, flag, per_million

SOURCE: Final = "models.dev"
MAX_BYTES: Final = 48 * 1024 * 1024

Json = Mapping[str, Any]


def read(
    document: Json, providers: Mapping[str, str], regions: Mapping[str, str], aliases: Mapping[str, str]
) -> Iterator[Listing]:
    """Text models of the known providers.

    `providers` maps models.dev's provider ids to ours; `regions` gives our providers' usual region.
    """
    for theirs, ours in providers.items():
        for model in _models(document.get(theirs)):
            listing = _listing(model, ours, regions.get(ours), aliases)
            if listing is not None:
                yield listing


def release_dates(document: Json, aliases: Mapping[str, str]) -> dict[str, list[tuple[str, str]]]:
    """Every provider's date for each family: family to (provider, `YYYY-MM-DD`), whole dates only."""
    found: dict[str, list[tuple[str, str]]] = {}
    for provider in sorted(document):
        for model in _models(document[provider]):
            day, wire_id = model.get("release_date"), model.get("id")
            if isinstance(day, str) and len(day) == 10 and isinstance(wire_id, str):
                found.setdefault(_family(provider, wire_id, aliases), []).append((provider, day))
    return found


def _models(provider: object) -> list[dict[str, Any]]:
    models = cast("Json", provider).get("models") if isinstance(provider, dict) else None
    if not isinstance(models, dict):
        return []
    return [
        cast("dict[str, Any]", model) for model in cast("dict[str, object]", models).values() if isinstance(model, dict)
    ]


def _family(provider: str, wire_id: str, aliases: Mapping[str, str]) -> str:
    if provider == "amazon-bedrock":
        parts = bedrock.take_apart(wire_id)
        if parts is not None:
            return family(parts.model, aliases)
    return family(wire_id, aliases)


def _listing(model: Json, provider: str, region: str | None, aliases: Mapping[str, str]) -> Listing | None:
    wire_id = model.get("id")
    if not isinstance(wire_id, str) or not is_chat(wire_id) or not _is_text(model):
        return None
    if provider == "amazon-bedrock":
        parts = bedrock.take_apart(wire_id)
        region = parts.region if parts is not None else None
    cost, limit = _part(model, "cost"), _part(model, "limit")
    inputs = _part(model, "modalities").get("input")
    day = model.get("release_date")
    return Listing(
        provider=provider,
        wire_id=wire_id,
        family=_family(provider, wire_id, aliases),
        region=region,
        source=SOURCE,
        price_in=per_million(cost.get("input"), scale=1.0),
        price_out=per_million(cost.get("output"), scale=1.0),
        context=count(limit.get("context")),
        max_output=count(limit.get("output")),
        tools=flag(model.get("tool_call")),
        vision="image" in cast("list[object]", inputs) if isinstance(inputs, list) else None,
        json_mode=flag(model.get("structured_output")),
        reasoning=flag(model.get("reasoning")),
        released=day if isinstance(day, str) and len(day) == 10 else None,
        deprecated=model.get("status") == "deprecated",
    )


def _is_text(model: Json) -> bool:
    modalities = _part(model, "modalities")
    inputs = modalities.get("input")
    return modalities.get("output") == ["text"] and isinstance(inputs, list) and "text" in inputs


def _part(row: Json, name: str) -> Json:
    value = row.get(name)
    return cast("Json", value) if isinstance(value, dict) else {}
