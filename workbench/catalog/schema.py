"""What a catalog file may hold: the rows' keys, types and ranges, as pydantic models.

Owns the shape of the file and nothing else; what the rows mean is `models.py`. Refuses unknown keys, numbers in strings
and non-finite numbers. Imported only where a file has to be judged: pydantic costs a tenth of a second to start.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Annotated, Any, Final, Literal, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from workbench.catalog.models import ApiKind, RequestKey, Standing

MAX_PRICE: Final = 1_000_000.0
"""USD per million tokens. Above it the unit is wrong, not the model dear."""


def _day(text: str) -> str:
    """`YYYY-MM-DD`, and a day that exists."""
    date.fromisoformat(text)
    return text


Name = Annotated[str, StringConstraints(min_length=1, max_length=256)]
Text = Annotated[str, StringConstraints(max_length=4096)]
Day = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$"), AfterValidator(_day)]
Price = Annotated[float, Field(ge=0, le=MAX_PRICE, allow_inf_nan=False)]
Index = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Tokens = Annotated[int, Field(ge=0, le=2**53)]
Days = Annotated[float, Field(ge=0, le=36_500, allow_inf_nan=False)]
Url = Annotated[str, StringConstraints(min_length=1, max_length=2048)]
Region = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
BenchName = Annotated[str, StringConstraints(pattern=r"^bench_[a-z][a-z0-9_]{0,40}$")]
Variable = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")]


class Row(BaseModel):
    """What all rows share: frozen, strict, no keys beyond the declared ones."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False, defer_build=True)


class Source(Row):
    """Where facts come from. Rows name it by its id."""

    title: Text
    date: Day
    """The day the fact was true or was read."""
    url: Url | None = None
    licence: Text | None = None


class ProviderFact(Row):
    """One statement about a provider, with where it comes from."""

    value: bool | float | str
    source: Name
    """An id in the catalog's `sources`, or an address."""
    date: Day
    standing: Standing = "first_party"


class Provider(Row):
    """Who takes the call."""

    id: Name
    name: Name
    api_kind: ApiKind = "openai_compatible"
    auth_env: Variable | None = None
    """Name of the environment variable that holds the key; a key never enters a catalog."""
    base_urls: dict[Region, Url] = Field(default_factory=dict[str, str])
    """By region; `default` serves where the region has none of its own."""
    base_url_env: Variable | None = None
    """Where the address belongs to the customer's account (Azure, Vertex): the variable that holds it."""
    tier: Name = "partner"
    hq: Name | None = None
    region: ProviderFact | None = None
    """Where it serves from, unless an offer says otherwise."""
    no_log: ProviderFact | None = None
    """What it does by default. Only an offer's own `no_log` counts: models differ."""
    dpa: ProviderFact | None = None
    baa: ProviderFact | None = None
    trains_on_data: ProviderFact | None = None
    retention_days: ProviderFact | None = None
    zero_retention: ProviderFact | None = None
    """How a contract or a switch gets zero retention; never the default."""
    source: Name
    date: Day


class Benchmark(Row):
    """A benchmark field that the catalog declares."""

    version: Name
    """The one index version that is compared: `AA 4.1`."""
    meaning: Text = ""


class Figure(Row):
    """One benchmark figure, 0..1, with the index version it belongs to."""

    value: Index
    version: Name
    """Index and version: `AA 4.1`. Figures of different versions are never compared."""
    date: Day
    source: Name


class Model(Row):
    """A model family, wherever it is served."""

    id: Name
    released: Day | None = None
    source: Name | None = None
    """Where `released` comes from."""
    bench: dict[BenchName, Figure] = Field(default_factory=dict[str, Figure])
    """`bench_intelligence`, `bench_coding`, ...; estimates under a name that ends in `_estimated`."""


class Capabilities(Row):
    """What an offer can do. An absent flag is unknown."""

    context: Tokens | None = None
    max_output: Tokens | None = None
    supports_tools: bool | None = None
    supports_vision: bool | None = None
    supports_json_mode: bool | None = None
    supports_seed: bool | None = None
    supports_reasoning: bool | None = None


class OtherPrice(Row):
    """What another source says that the same thing costs."""

    source: Name
    date: Day
    price_in: Price | None = None
    price_out: Price | None = None


class Offer(Row):
    """One model at one provider, served from one place: what a policy chooses between."""

    provider: Name
    model: Name
    served_model_id: Name
    """The id on the wire, as the provider's own API takes it."""
    region: Region | None = None
    """Where it runs; `global` promises no place."""
    price_in: Price | None = None
    price_out: Price | None = None
    """USD per million tokens."""
    capabilities: Capabilities = Capabilities()
    no_log: bool | None = None
    has_tee: bool | None = None
    retention_days: Days | None = None
    """Of this offer, where it differs from its provider's."""
    tier: Name | None = None
    base_url: Url | None = None
    api_kind: ApiKind | None = None
    latency_ms: Annotated[float, Field(ge=0, le=1e7, allow_inf_nan=False)] | None = None
    tok_s: Annotated[float, Field(ge=0, le=1e7, allow_inf_nan=False)] | None = None
    request: dict[RequestKey, Name] = Field(default_factory=dict[RequestKey, str])
    """Parameters without which a call is not a call of this offer (`inference_geo` = `us`)."""
    price_note: Text | None = None
    """What the one list price leaves out: dearer long prompts, cheaper hours."""
    derived: Text | None = None
    """How the price follows from another one: `list price x 1.1 (regional uplift)`."""
    currency_uncertain: bool | None = None
    """The source does not say the currency, and it may not be the dollar."""
    price_disagrees: OtherPrice | None = None
    aliases: Annotated[tuple[Name, ...], Field(strict=False)] = ()
    """Other ids that reach the same thing: dated ones, `-latest`."""
    source: Name
    date: Day


class Header(Row):
    """The document around the rows. The rows themselves are read one by one, so that one bad row costs one row."""

    format: Literal["workbench-catalog/1"]
    name: Name
    date: Day
    note: Text = ""
    sources: dict[Name, Source]
    benchmarks: dict[BenchName, Benchmark] = Field(default_factory=dict[str, Benchmark])
    providers: list[object]
    models: list[object] = Field(default_factory=list[object])
    offers: list[object]


Kind = Literal["providers", "models", "offers"]
Fault = dict[str, Any]
"""One of pydantic's errors: `loc`, `type`, `msg`, `input`."""

_ROWS: Final[dict[Kind, type[Row]]] = {"providers": Provider, "models": Model, "offers": Offer}
_OFFERS: Final = TypeAdapter(list[Offer])


def faults(kind: Kind, row: object) -> list[Fault]:
    """Everything that is wrong with the shape of one row; empty where it is good."""
    return _faults(_ROWS[kind].model_validate, row)


def header_faults(document: object) -> list[Fault]:
    """Everything that is wrong with the document around the rows."""
    return _faults(Header.model_validate, document)


def all_good(offers: Sequence[object]) -> bool:
    """Whether every offer row has the right shape: one look at all of them, which is the rule."""
    return not _faults(_OFFERS.validate_python, offers)


def _faults(validate: Callable[[Any], object], value: object) -> list[Fault]:
    try:
        validate(value)
    except ValidationError as error:
        return [cast("Fault", item) for item in error.errors(include_url=False)]
    return []
