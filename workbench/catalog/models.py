"""What a catalog holds, as frozen values: sources, providers, models, offers.

Owns the meaning of the rows. What is unknown is `None`: never 0, never false. Which shapes a file may have
is `schema.py`; the builders here take rows that it has found good.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

FORMAT: Final = "workbench-catalog/1"
PRICE_UNIT: Final = "USD per million tokens"

ApiKind = Literal["openai_compatible", "openai_responses", "anthropic", "vertex_anthropic", "gemini", "bedrock"]

RequestKey = Literal["inference_geo"]
"""The request parameters that an offer may fix: a closed list, so that no catalog can steer a call elsewhere."""

Standing = Literal["first_party", "secondary", "unverified"]
"""How well a provider fact is known: the provider says so, somebody else says so, nobody has checked."""


@dataclass(frozen=True)
class Source:
    """Where facts come from. Rows name it by its id."""

    title: str
    date: str
    """The day the fact was true or was read, `YYYY-MM-DD`."""
    url: str | None = None
    licence: str | None = None


@dataclass(frozen=True)
class ProviderFact:
    """One statement about a provider, with where it comes from."""

    value: bool | float | str
    source: str
    """An id in the catalog's `sources`, or an address."""
    date: str
    standing: Standing = "first_party"


@dataclass(frozen=True)
class Provider:
    """Who takes the call."""

    id: str
    name: str
    source: str
    date: str
    api_kind: ApiKind = "openai_compatible"
    auth_env: str | None = None
    """Name of the environment variable that holds the key; a key never enters a catalog."""
    base_urls: Mapping[str, str] = field(default_factory=dict[str, str])
    """By region; `default` serves where the region has none of its own."""
    base_url_env: str | None = None
    """Where the address belongs to the customer's account (Azure, Vertex): the variable that holds it."""
    tier: str = "partner"
    hq: str | None = None
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


STATED: Final = ("region", "no_log", "dpa", "baa", "trains_on_data", "retention_days", "zero_retention")
"""The fields of a provider that are statements with a source."""


@dataclass(frozen=True)
class Benchmark:
    """A benchmark field that the catalog declares."""

    version: str
    """The one index version that is compared: `AA 4.1`."""
    meaning: str = ""


@dataclass(frozen=True)
class Figure:
    """One benchmark figure, 0..1, with the index version it belongs to."""

    value: float
    version: str
    """Index and version: `AA 4.1`. Figures of different versions are never compared."""
    date: str
    source: str


@dataclass(frozen=True)
class Model:
    """A model family, wherever it is served."""

    id: str
    released: str | None = None
    source: str | None = None
    """Where `released` comes from."""
    bench: Mapping[str, Figure] = field(default_factory=dict[str, Figure])
    """`bench_intelligence`, `bench_coding`, ...; estimates under a name that ends in `_estimated`."""


@dataclass(frozen=True)
class Capabilities:
    """What an offer can do. An absent flag is unknown."""

    context: int | None = None
    max_output: int | None = None
    supports_tools: bool | None = None
    supports_vision: bool | None = None
    supports_json_mode: bool | None = None
    supports_seed: bool | None = None
    supports_reasoning: bool | None = None


NOTHING_KNOWN: Final = Capabilities()


@dataclass(frozen=True)
class OtherPrice:
    """What another source says that the same thing costs."""

    source: str
    date: str
    price_in: float | None = None
    price_out: float | None = None


@dataclass(frozen=True)
class Offer:
    """One model at one provider, served from one place: what a policy chooses between."""

    provider: str
    model: str
    served_model_id: str
    """The id on the wire, as the provider's own API takes it."""
    source: str
    date: str
    region: str | None = None
    """Where it runs; `global` promises no place."""
    price_in: float | None = None
    price_out: float | None = None
    """USD per million tokens."""
    capabilities: Capabilities = NOTHING_KNOWN
    no_log: bool | None = None
    has_tee: bool | None = None
    retention_days: float | None = None
    """Of this offer, where it differs from its provider's."""
    tier: str | None = None
    base_url: str | None = None
    api_kind: ApiKind | None = None
    latency_ms: float | None = None
    tok_s: float | None = None
    request: Mapping[RequestKey, str] = field(default_factory=dict[RequestKey, str])
    """Parameters without which a call is not a call of this offer (`inference_geo` = `us`)."""
    price_note: str | None = None
    """What the one list price leaves out: dearer long prompts, cheaper hours."""
    derived: str | None = None
    """How the price follows from another one: `list price x 1.1 (regional uplift)`."""
    currency_uncertain: bool | None = None
    """The source does not say the currency, and it may not be the dollar."""
    price_disagrees: OtherPrice | None = None
    aliases: tuple[str, ...] = ()
    """Other ids that reach the same thing: dated ones, `-latest`."""


Row = Mapping[str, Any]


def build_provider(row: Row) -> Provider:
    """A provider from a row of the right shape."""
    stated: dict[str, Any] = {name: ProviderFact(**row[name]) for name in STATED if row.get(name) is not None}
    return Provider(**{**row, **stated})


def build_model(row: Row) -> Model:
    """A model from a row of the right shape."""
    parts: dict[str, Any] = {"bench": {name: Figure(**figure) for name, figure in row.get("bench", {}).items()}}
    return Model(**{**row, **parts})


def build_offer(row: Row) -> Offer:
    """An offer from a row of the right shape."""
    parts: dict[str, Any] = {}
    if "capabilities" in row:
        parts["capabilities"] = Capabilities(**row["capabilities"])
    if row.get("price_disagrees") is not None:
        parts["price_disagrees"] = OtherPrice(**row["price_disagrees"])
    if "aliases" in row:
        parts["aliases"] = tuple(row["aliases"])
    return Offer(**{**row, **parts})
