"""What we state ourselves, as data beside the catalogs: providers, benchmark figures, names of families.

Owns the three files in `catalogs/facts/` and their shape. Every stated value has source and date.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar, cast

from pydantic import Field, ValidationError

from workbench.boundary import files, strict_json
from workbench.catalog.models import RequestKey
from workbench.catalog.packaged import catalogs_folder
from workbench.catalog.rows import finding_of
from workbench.catalog.schema import Day, Figure, Name, Provider, Region, Row, Source
from workbench.errors import CatalogError, DocumentError, FileRefused, Place

MAX_BYTES: Final = 4 * 1024 * 1024
T = TypeVar("T", bound=Row)
Roster = Literal["litellm", "modelsdev"]


class NoLogRule(Row):
    """Whether models whose family matches are served without logging. The first match of a provider's list counts."""

    match: Name
    """A shell pattern over the family: `gpt-oss*`."""
    value: bool | None = None
    """None: not stated, which never grants."""
    retention_days: float | None = None


class Regional(Row):
    """Families that a provider also serves from a region, at a multiple of the list price."""

    region: Region
    multiplier: Annotated[float, Field(gt=0, le=10)]
    families: list[Name]
    source: Name
    date: Day


class Rules(Row):
    """How the sources' rows about one provider are read."""

    litellm: list[Name] = Field(default_factory=list[str])
    """LiteLLM's names for the provider."""
    modelsdev: list[Name] = Field(default_factory=list[str])
    """models.dev's ids for it."""
    roster: Roster = "modelsdev"
    """The source that says what is served today, and whose price stands where the two differ unless `prices` says
    otherwise. A price map keeps a host's rows long after the model has gone; for makers and clouds it is the more
    complete one."""
    prices: Roster | None = None
    """The source whose price stands, where it is not the roster's."""
    currency_uncertain: bool = False
    no_log: list[NoLogRule] = Field(default_factory=list[NoLogRule])
    request: dict[Region, dict[RequestKey, Name]] = Field(default_factory=dict[str, dict[RequestKey, str]])
    """Parameters that a call must carry for a region."""
    regional: list[Regional] = Field(default_factory=list[Regional])
    tee: Name | None = None
    """A shell pattern over wire ids that run in a trusted execution environment."""

    def logging(self, family: str) -> NoLogRule | None:
        """The rule for a family, or None where nobody says."""
        return next((rule for rule in self.no_log if fnmatchcase(family, rule.match)), None)


class ProviderFacts(Row):
    """One provider: what goes into the catalog, and how its rows are read."""

    provider: Provider
    rules: Rules


class FigureRow(Figure):
    """One figure of one family."""

    model: Name
    name: Name


class Release(Row):
    """A release date that models.dev does not have."""

    model: Name
    released: Day
    source: Name


class _ProvidersFile(Row):
    format: Literal["workbench-provider-facts/1"]
    note: str = ""
    sources: dict[Name, Source] = Field(default_factory=dict[str, Source])
    providers: list[ProviderFacts]


class _BenchmarksFile(Row):
    format: Literal["workbench-benchmarks/1"]
    note: str = ""
    sources: dict[Name, Source]
    figures: list[FigureRow]
    releases: list[Release]


class _FamiliesFile(Row):
    format: Literal["workbench-families/1"]
    note: str = ""
    aliases: dict[Name, Name]
    since: dict[Name, Day] = Field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Facts:
    """Everything that is stated, in one value."""

    providers: dict[str, ProviderFacts]
    figures: tuple[FigureRow, ...]
    releases: dict[str, Release]
    aliases: dict[str, str]
    since: dict[str, str]
    """Families without a known release date, and a day after which they came out (a map of that day lacks them)."""
    sources: dict[str, Source]

    def names(self, source: Roster) -> dict[str, str]:
        """A source's provider names, mapped to ours."""
        return {theirs: ours for ours, entry in self.providers.items() for theirs in getattr(entry.rules, source)}


def load_facts(folder: Path | None = None) -> Facts:
    """The facts in `folder`, else the packaged ones. Raises `CatalogError` with every fault."""
    folder = folder or catalogs_folder() / "facts"
    providers = _load(folder / "providers.json", _ProvidersFile)
    benchmarks = _load(folder / "benchmarks.json", _BenchmarksFile)
    families = _load(folder / "families.json", _FamiliesFile)
    return Facts(
        providers={entry.provider.id: entry for entry in providers.providers},
        figures=tuple(benchmarks.figures),
        releases={release.model: release for release in benchmarks.releases},
        aliases=families.aliases,
        since=families.since,
        sources={**providers.sources, **benchmarks.sources},
    )


def _load(path: Path, shape: type[T]) -> T:
    try:
        document = strict_json.loads(
            files.read_bytes(path, max_bytes=MAX_BYTES), source=path.name, max_bytes=MAX_BYTES, bom=True
        )
        return shape.model_validate(document)
    except (DocumentError, FileRefused) as error:
        raise CatalogError(f"`{path.name}` cannot be read", error.findings) from error
    except ValidationError as error:
        found = [
            finding_of(cast("dict[str, Any]", item), Place(path.name), "$") for item in error.errors(include_url=False)
        ]
        raise CatalogError(f"`{path.name}` is not what it should be", found) from error
