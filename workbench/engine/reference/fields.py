"""Named observations of one candidate, the only way in which a policy sees it (LANGUAGE.md 5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from workbench.boundary.sealed import sealed
from workbench.engine.context import Context
from workbench.engine.pool import declared
from workbench.engine.values import flag, number, record, text
from workbench.language.signature import V1, Version
from workbench.language.vocabulary import Vocabulary

Candidate = Mapping[str, Any]


@sealed
class Scene:
    """All that an observation may look at beside the candidate."""

    vocabulary: Vocabulary
    version: Version
    context: Context


def provider(candidate: Candidate) -> str | None:
    """The provider's id."""
    return text(candidate.get("provider_id"))


def family(candidate: Candidate) -> str | None:
    """The model family."""
    return text(candidate.get("model_family"))


def served_by(candidate: Candidate) -> str | None:
    """The executed route: the marketplace peer, else the provider."""
    peer = text(record(candidate.get("offer")).get("peer_id"))
    return provider(candidate) if peer is None else peer


def has_capability(candidate: Candidate, name: str) -> bool:
    """Whether the capability flag of this whole name is true."""
    return record(candidate.get("capabilities")).get(name) is True


def averages(candidate: Candidate, scene: Scene) -> Mapping[str, Any]:
    """What the state has measured for this provider and family."""
    name, model = provider(candidate), family(candidate)
    if name is None or model is None:
        return {}
    return record(record(scene.context.state.get("ema")).get(f"{name}|{model}"))


def credit_entry(candidate: Candidate, scene: Scene) -> float | None:
    """The state's credits at this provider; None where it has no entry."""
    return number(record(scene.context.state.get("credits")).get(cast("str", provider(candidate))))


def number_field(name: str, candidate: Candidate, scene: Scene) -> float:
    """A number field's value, or its default."""
    value = stated_number(name, candidate, scene)
    return float(declared(scene.vocabulary, name).default) if value is None else value


def bool_field(name: str, candidate: Candidate, scene: Scene) -> bool:
    """A yes-or-no field's value, or its default."""
    value = stated_flag(name, candidate, scene)
    return declared(scene.vocabulary, name).default is True if value is None else value


def stated_number(name: str, candidate: Candidate, scene: Scene) -> float | None:
    """What candidate and state say of a number field, None where neither knows."""
    observe = (_NUMBERS_V1 if scene.version == V1 else _NUMBERS_V2).get(name)
    return number(candidate.get(name)) if observe is None else observe(name, candidate, scene)


def stated_flag(name: str, candidate: Candidate, scene: Scene) -> bool | None:
    """What candidate and state say of a yes-or-no field, None where neither knows."""
    observe = _FLAGS.get(name)
    return flag(candidate.get(name)) if observe is None else observe(candidate, scene)


def _first(left: float | None, right: float | None) -> float | None:
    return right if left is None else left


def _catalog_then_average(name: str, candidate: Candidate, scene: Scene) -> float | None:
    return _first(number(candidate.get(name)), number(averages(candidate, scene).get(name)))


def _average_then_catalog(name: str, candidate: Candidate, scene: Scene) -> float | None:
    return _first(number(averages(candidate, scene).get(name)), number(candidate.get(name)))


def _average_of(key: str) -> Callable[[str, Candidate, Scene], float | None]:
    return lambda _name, candidate, scene: number(averages(candidate, scene).get(key))


def _quality(_name: str, candidate: Candidate, scene: Scene) -> float | None:
    measured = number(averages(candidate, scene).get("last_quality_eval"))
    return _first(measured, number(candidate.get("quality_hint")))


def _credits(_name: str, candidate: Candidate, scene: Scene) -> float | None:
    return credit_entry(candidate, scene)


def _context(_name: str, candidate: Candidate, _scene: Scene) -> float | None:
    return number(record(candidate.get("capabilities")).get("context"))


def _breaker_open(candidate: Candidate, scene: Scene) -> bool:
    return record(scene.context.state.get("breakers")).get(cast("str", provider(candidate))) is True


def _disabled(candidate: Candidate, scene: Scene) -> bool:
    return provider(candidate) in record(scene.context.state.get("disabled"))


_NUMBERS_V2: Final[dict[str, Callable[[str, Candidate, Scene], float | None]]] = {
    "price_in": _catalog_then_average,
    "price_out": _catalog_then_average,
    "credits": _credits,
    "context": _context,
}
_NUMBERS_V1: Final[dict[str, Callable[[str, Candidate, Scene], float | None]]] = {
    "price_in": _average_then_catalog,
    "price_out": _average_then_catalog,
    "latency_ms": _average_of("ema_latency_ms"),
    "tok_s": _average_of("ema_tok_s"),
    "success_rate": _average_of("success_rate_ewma"),
    "credits": _credits,
    "context": _context,
    "quality": _quality,
}
_FLAGS: Final[dict[str, Callable[[Candidate, Scene], bool]]] = {
    "breaker_open": _breaker_open,
    "disabled": _disabled,
}
