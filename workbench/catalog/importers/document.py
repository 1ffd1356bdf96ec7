"""From sources to a whole catalog document, and from a document to the bytes of its file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from workbench.boundary import files, strict_json
from workbench.catalog.importers import litellm, modelsdev
from workbench.catalog.importers.facts import Facts, Roster, load_facts
from workbench.catalog.importers.join import Selection, join
from workbench.catalog.importers.listing import Listing
from workbench.catalog.models import FORMAT, STATED, Source
from workbench.catalog.schema import Provider, ProviderFact
from workbench.errors import CatalogError, DocumentError, FileRefused, Finding

BENCHMARKS: Final = {
    "bench_intelligence": "Artificial Analysis Intelligence Index / 100",
    "bench_coding": "Artificial Analysis Coding Index / 100",
    "bench_agentic": "Artificial Analysis Agentic Index / 100",
    "bench_intelligence_estimated": "Artificial Analysis' own estimate of the index, off by up to 15 points",
}


@dataclass(frozen=True, slots=True)
class Import:
    """What to read and what to call the result."""

    name: str
    date: str
    """The day the catalog stands for."""
    litellm: Path | None = None
    litellm_source: Source | None = None
    modelsdev: Path | None = None
    modelsdev_source: Source | None = None
    since: str = "2025-01-01"
    index: str = "AA 4.1"
    """The benchmark version that the catalog compares."""
    note: str = ""
    unknown_regions: bool = True
    prices: Roster | None = None
    """The source whose prices stand for every provider, whatever its rules say."""


@dataclass(frozen=True)
class Imported:
    """A catalog document, ready for `to_bytes` and `build_catalog`, and what was noticed on the way."""

    document: dict[str, Any]
    findings: tuple[Finding, ...]


def import_catalog(order: Import, facts: Facts | None = None) -> Imported:
    """A catalog from raw files of LiteLLM and models.dev, joined with the stated facts.

    Raises `CatalogError` where a source cannot be read or where nothing is left.
    """
    facts = facts or load_facts()
    prices = _read(order.litellm, litellm.MAX_BYTES)
    models = _read(order.modelsdev, modelsdev.MAX_BYTES)
    if not prices and not models:
        raise CatalogError(
            "nothing to import",
            [Finding("no source was given", "import_empty", hint="--litellm FILE or --modelsdev FILE")],
        )
    sources = _sources(order)
    listings = _listings(prices, models, order, facts)
    released = release_days(modelsdev.release_dates(models, facts.aliases), facts)
    days = {family: release.day for family, release in released.items()}
    joined = join(listings, facts, days, {name: source.date for name, source in sources.items()}, _selection(order))
    if not joined.offers:
        raise CatalogError("the sources leave no offer", joined.findings)
    return Imported(_document(order, facts, joined.offers, released, sources), joined.findings)


def _selection(order: Import) -> Selection:
    return Selection(order.date, order.since, order.unknown_regions, order.prices)


def _read(path: Path | None, limit: int) -> Mapping[str, Any]:
    if path is None:
        return {}
    try:
        document = strict_json.loads(
            files.read_bytes(path, max_bytes=limit), source=path.name, max_bytes=limit, bom=True
        )
    except (DocumentError, FileRefused) as error:
        raise CatalogError(f"`{path.name}` cannot be read", error.findings) from error
    if not isinstance(document, dict):
        raise CatalogError(f"`{path.name}` is no price list", [Finding("expected a JSON object", "import_shape")])
    return document


def _sources(order: Import) -> dict[str, Source]:
    found: dict[str, Source] = {}
    if order.litellm is not None:
        found[litellm.SOURCE] = order.litellm_source or Source(
            title=f"LiteLLM price map, {order.litellm.name}", date=order.date, licence="MIT"
        )
    if order.modelsdev is not None:
        found[modelsdev.SOURCE] = order.modelsdev_source or Source(
            title=f"models.dev, {order.modelsdev.name}", date=order.date, licence="MIT"
        )
    return found


def _listings(prices: Mapping[str, Any], models: Mapping[str, Any], order: Import, facts: Facts) -> list[Listing]:
    regions = {
        name: str(entry.provider.region.value)
        for name, entry in facts.providers.items()
        if entry.provider.region is not None
    }
    return [
        *litellm.read(prices, facts.names("litellm"), order.date, facts.aliases),
        *modelsdev.read(models, facts.names("modelsdev"), regions, facts.aliases),
    ]


class Released(NamedTuple):
    """A release date and the id of its source."""

    day: str
    source: str


def release_days(listed: Mapping[str, Sequence[tuple[str, str]]], facts: Facts) -> dict[str, Released]:
    """One date per family: the maker's own entry in models.dev, else the stated one, else what most hosts say."""
    found = {name: Released(release.released, release.source) for name, release in facts.releases.items()}
    for family, days in listed.items():
        own = sorted(day for provider, day in days if provider == maker(family))
        if own:
            found[family] = Released(own[0], modelsdev.SOURCE)
        elif family not in found:
            counts = Counter(day for _, day in days)
            found[family] = Released(min(counts, key=lambda day: (-counts[day], day)), modelsdev.SOURCE)
    return found


_MAKERS: Final = (
    ("gpt-oss", "openai"), ("gpt-", "openai"), ("o1", "openai"), ("o3", "openai"), ("o4", "openai"),
    ("claude", "anthropic"), ("gemini", "google"), ("gemma", "google"),
    ("mistral", "mistral"), ("ministral", "mistral"), ("magistral", "mistral"),
    ("devstral", "mistral"), ("codestral", "mistral"), ("deepseek", "deepseek"), ("grok", "xai"), ("qwen", "alibaba"),
    ("kimi", "moonshotai"), ("glm", "zai"), ("minimax", "minimax"), ("command", "cohere"), ("sonar", "perplexity"),
    ("llama", "llama"), ("solar", "upstage"), ("step", "stepfun"), ("mimo", "xiaomi"), ("muse", "meta"),
)  # fmt: skip


def maker(family: str) -> str | None:
    """models.dev's id of the company that makes a family, or None where the name does not say."""
    return next((provider for prefix, provider in _MAKERS if family.startswith(prefix)), None)


def _document(
    order: Import,
    facts: Facts,
    offers: Sequence[dict[str, Any]],
    released: Mapping[str, Released],
    sources: Mapping[str, Source],
) -> dict[str, Any]:
    used = {offer["provider"] for offer in offers}
    models, figure_sources = _models({offer["model"] for offer in offers}, facts, released, order)
    figure_sources |= {facts.providers[name].provider.source for name in used}
    figure_sources |= {fact.source for name in used for fact in _stated(facts.providers[name].provider)}
    named = {**sources}
    for name in sorted(figure_sources & set(facts.sources)):
        named[name] = Source(**facts.sources[name].model_dump())
    return {
        "format": FORMAT,
        "name": order.name,
        "date": order.date,
        "note": order.note,
        "sources": {name: _source_row(source) for name, source in named.items()},
        "benchmarks": {name: {"version": order.index, "meaning": meaning} for name, meaning in BENCHMARKS.items()},
        "providers": [_dump(facts.providers[name].provider) for name in sorted(used)],
        "models": models,
        "offers": list(offers),
    }


def _models(
    families: Iterable[str], facts: Facts, released: Mapping[str, Released], order: Import
) -> tuple[list[dict[str, Any]], set[str]]:
    figures: dict[str, dict[str, Any]] = {}
    for figure in facts.figures:
        if figure.version == order.index and figure.date <= order.date:
            figures.setdefault(figure.model, {})[figure.name] = figure.model_dump(exclude={"model", "name"})
    rows: list[dict[str, Any]] = []
    sources: set[str] = set()
    for family in sorted(families):
        row: dict[str, Any] = {"id": family}
        if family in released:
            row["released"], row["source"] = released[family]
        if family in figures:
            row["bench"] = dict(sorted(figures[family].items()))
        sources.update(found["source"] for found in figures.get(family, {}).values())
        sources.add(row.get("source", ""))
        rows.append(row)
    return rows, sources


def _source_row(source: Source) -> dict[str, str]:
    return {name: value for name, value in asdict(source).items() if value is not None}


def _stated(provider: Provider) -> list[ProviderFact]:
    return [fact for name in STATED if (fact := getattr(provider, name)) is not None]


def _dump(provider: Provider) -> dict[str, Any]:
    return provider.model_dump(exclude_none=True, exclude_defaults=True)


def to_bytes(document: Mapping[str, Any]) -> bytes:
    """The file: JSON with one provider, model or offer per line, so that a changed row is a changed line."""
    parts: list[str] = []
    for name, value in document.items():
        if name in {"providers", "models", "offers"}:
            rows = ",\n".join(strict_json.dumps(row) for row in cast("list[object]", value))
            parts.append(f'"{name}": [\n{rows}\n]')
        else:
            parts.append(f'"{name}": {strict_json.dumps(value)}')
    return ("{\n" + ",\n".join(parts) + "\n}\n").encode()
