"""A seeded stream of decisions to take: pools with gaps, wrong types, ties and infinities; policies; contexts.

Made without a shrinker, so that hundreds of thousands fit into minutes. The values of policies and pools come from the
same few numbers and names: comparisons meet equality, scores tie, and filters leave somebody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from tests.mutation import sound
from tests.strategies import CAPABILITIES, FAMILIES, PARAMETERS, PROVIDERS, SAMPLE
from workbench.engine.context import Context
from workbench.engine.pool import Pool
from workbench.language.signature import ACTIONS, FAIL_REASONS, RELATIONS, V1, V2, Version
from workbench.language.vocabulary import V1_FIELDS

Term = list[Any]
Record = dict[str, Any]

INF: Final = float("inf")
ODD: Final[tuple[Any, ...]] = (None, "5", True, False, [], {}, float("nan"), 10**400)
"""What may stand where a number belongs, and does not count."""
FACTS: Final = (0, -0.0, 0.5, 1, 2, 2.0, 5, 40, 1000, 2**53 + 1, 1e308, -1e308, 5e-324, INF, -INF)
BOUNDS: Final = (0, -0.0, 0.5, 1, 2, 5, 40, 1000, -1, 1e308, -1e308, 5e-324, 0.1, 1e-7)
WEIGHTS: Final = (0, 1, -1, 0.1, 0.3, 0.7, 3, 1e308, -1e-308)
TEMPERATURES: Final = (0, 0.01, 0.5, 1, 2, 50, 1e308, -1)
KNOBS: Final = (0, 1, 2.5, -3, 250, 1e308)
TIERS: Final = ("fallback", "marketplace", "partner", "elsewhere")
SYMBOLS: Final = ("trim", "tag")
"""Transforms that the host of these runs has registered."""


@dataclass(frozen=True, slots=True)
class Case:
    """One decision to take, in wire form."""

    version: Version
    policy: Term
    candidates: tuple[Record, ...]
    context: Record
    """`request`, `state`, `seed`."""

    def pool(self) -> Pool:
        """A population of its own, with nothing kept in it."""
        return Pool(self.candidates, SAMPLE)


@dataclass(frozen=True, slots=True)
class Round:
    """One pool, several policies, several contexts: kept columns and masks meet other policies and states."""

    pool: Pool
    policies: tuple[tuple[Version, Term], ...]
    contexts: tuple[Record, ...]

    def cases(self) -> Iterator[Case]:
        """Every policy in every context."""
        for version, policy in self.policies:
            for context in self.contexts:
                yield Case(version, policy, tuple(dict(one) for one in self.pool.candidates), context)


def fact(random: Random) -> Any:
    """A number as a catalog or a state may hold it."""
    draw = random.random()
    if draw < 0.1:
        return random.choice(ODD)
    return random.choice(FACTS) if draw < 0.8 else round(random.uniform(-5, 1000), random.choice((0, 2, 12)))


def _flag(random: Random) -> Any:
    return random.choice((True, True, False, False, None, 1, "true", []))


def _name(random: Random, known: Sequence[str]) -> Any:
    return random.choice(known) if random.random() < 0.9 else random.choice((None, 3, "a|b", "", "é"))


def _some(random: Random, makers: dict[str, Callable[[Random], Any]], share: float = 0.6) -> Record:
    return {key: make(random) for key, make in makers.items() if random.random() < share}


def _capabilities(random: Random) -> Any:
    if random.random() < 0.1:
        return random.choice((None, [], "x"))
    return _some(random, {"context": fact, **dict.fromkeys(CAPABILITIES, _flag)})


_CANDIDATE: Final[dict[str, Callable[[Random], Any]]] = {
    **{
        name: fact if field.sort == "Num" else _flag
        for name, field in SAMPLE.fields.items()
        if name not in {"credits", "context", "breaker_open", "disabled"}
    },
    "provider_id": lambda random: _name(random, PROVIDERS),
    "model_family": lambda random: _name(random, FAMILIES),
    "tier": lambda random: _name(random, TIERS),
    "capabilities": _capabilities,
    "quality_hint": fact,
    "offer": lambda random: random.choice(({"peer_id": "peer-1"}, {"peer_id": "openai"}, {"peer_id": None}, [], {})),
    "scope": lambda random: random.choice((None, None, "a", "b", True, 1, 1.0, [])),
}


def pool(random: Random) -> tuple[Record, ...]:
    """Candidates: nobody, one, a dozen, or (seldom) a few hundred; the last ones are the first ones again."""
    draw = random.random()
    size = (
        0 if draw < 0.02 else 1 if draw < 0.05 else random.randint(70, 220) if draw > 0.985 else random.randint(2, 14)
    )
    share = random.choice((0.3, 0.7, 0.95))
    made = [_some(random, _CANDIDATE, share) for _ in range(size)]
    return (*made, *(dict(one) for one in made[: random.randrange(4)]))


_REQUIREMENTS: Final[dict[str, Callable[[Random], Any]]] = {
    "needs": lambda random: random.choices(
        ("tools", "vision", "json_mode", "seed", "poetry", 5), k=random.randint(0, 2)
    ),
    "min_context": fact,
    "model_family": lambda random: _name(random, FAMILIES),
    "tier": lambda random: _name(random, TIERS),
    "privacy": lambda random: random.choice(("no_log", "no_log", "tee_required", "none", None, True)),
    "min_quality": fact,
    "min_tok_s": fact,
    "max_latency_ms": fact,
    "max_cost_usd": fact,
    "estimated_input_tokens": fact,
    "estimated_output_tokens": fact,
}
_REQUEST: Final[dict[str, Callable[[Random], Any]]] = {
    "requirements": lambda random: (
        random.choice(([], None, "x")) if random.random() < 0.1 else _some(random, _REQUIREMENTS, 0.2)
    ),
    "images": lambda random: random.choice(([], [], ["x"], None)),
    "tools": lambda random: random.choice(([], [], [{"name": "f"}], "x")),
    "response_format": lambda random: random.choice(({"type": "json_object"}, {"type": "text"}, [], None)),
    "scope": lambda random: random.choice(("a", "b", None, True, 1)),
    **dict.fromkeys(PARAMETERS, fact),
    "_filters": lambda random: random.choice(({"text": 1}, {"other": 2}, [], None)),
}
_AVERAGES: Final[dict[str, Callable[[Random], Any]]] = dict.fromkeys(
    ("price_in", "price_out", "ema_latency_ms", "ema_tok_s", "success_rate_ewma", "last_quality_eval"), fact
)
_PLACES: Final = (*PROVIDERS, "a|b", "", "é")


def _by_provider(make: Callable[[Random], Any]) -> Callable[[Random], Any]:
    def made(random: Random) -> Any:
        if random.random() < 0.1:
            return []
        return {name: make(random) for name in random.sample(_PLACES, random.randint(0, 4))}

    return made


def _measured(random: Random) -> Any:
    if random.random() < 0.1:
        return []
    routes = [f"{name}|{model}" for name in _PLACES for model in (*FAMILIES, "a|b")]
    chosen = random.sample(routes, random.randint(0, 14))
    return {route: _some(random, _AVERAGES) if random.random() < 0.95 else None for route in chosen}


_STATE: Final[dict[str, Callable[[Random], Any]]] = {
    "ema": _measured,
    "credits": _by_provider(fact),
    "breakers": _by_provider(_flag),
    "disabled": _by_provider(lambda random: random.choice(({}, None, False, {"kind": "auth_error", "at_ms": 1}))),
    "free_credit_threshold_usd": fact,
}
_SEEDS: Final = (None, None, 0, 1, 42, -7, 2**31 - 1, 2**31, 2**53 + 1, 2**65, -(2**65), 1.5, True, 1e300)


def context(random: Random) -> Record:
    """A request, a state and a seed; one time in ten an empty one is written `[]`."""
    return {
        "request": _some(random, _REQUEST) if random.random() < 0.9 else [],
        "state": _some(random, _STATE) if random.random() < 0.8 else [],
        "seed": random.choice(_SEEDS) if random.random() < 0.7 else random.randint(-(2**33), 2**33),
    }


def _action(random: Random) -> Record:
    waits: tuple[Callable[[], Any], ...] = (
        lambda: random.choice(KNOBS),
        lambda: random.choices(KNOBS, k=random.randint(0, 3)),
    )
    makers: dict[str, Callable[[Random], Any]] = {
        "then_action": lambda random: random.choice(ACTIONS),
        "attempts": lambda random: random.choice(KNOBS),
        "open_breaker_ms": lambda random: random.choice(KNOBS),
        "backoff_ms": lambda random: random.choice(waits)(),
        "knob": lambda random: random.choice(KNOBS),
    }
    return {"action": random.choice(ACTIONS), **_some(random, makers, 0.15)}


def _link(random: Random) -> Record:
    if random.random() < 0.5:
        return {"provider": random.choice(PROVIDERS), "model": random.choice(FAMILIES)}
    wire = {"provider_id": random.choice(PROVIDERS), "model_family": random.choice(FAMILIES)}
    return wire if random.random() < 0.8 else {**wire, "model": random.choice(FAMILIES)}


def _recipe(random: Random) -> list[Any]:
    return random.choices(("NFKC", "strip", {"blur": 2, "level": 0.5}, {}), k=random.randint(0, 3))


def _numbers_of(random: Random, version: Version) -> str:
    own = [field.name for field in V1_FIELDS] if version == V1 else []
    return random.choice([*SAMPLE.of_sort("Num"), *own])


_PARAMETERS: Final[dict[str, Callable[[Random], Any]]] = {
    "Num": lambda random: random.choice(random.choice((BOUNDS, WEIGHTS, TEMPERATURES))),
    "Count": lambda random: random.choice((1, 2, 3.0, 7, 2**60)),
    "Rel": lambda random: random.choice(RELATIONS),
    "BoolField": lambda random: random.choice(SAMPLE.of_sort("Bool")),
    "Tier": lambda random: random.choice(SAMPLE.tiers),
    "Family": lambda random: random.choice((*FAMILIES, "a|b", "")),
    "Provider": lambda random: random.choice((*PROVIDERS, "é", "")),
    "ServedBy": lambda random: random.choice((*PROVIDERS, "peer-1")),
    "Capability": lambda random: random.choice((*CAPABILITIES, "context")),
    "ParamName": lambda random: random.choice((*PARAMETERS, "_filters", "é")),
    "Sym": lambda random: random.choice(SYMBOLS),
    "Provenance": lambda random: random.choice(("probe", "user")),
    "FailReason": lambda random: random.choice((*FAIL_REASONS, "unknown", "weather")),
    "Scalar": lambda random: random.choice((True, False, "from_ctx", "x", *KNOBS)),
    "Action": _action,
    "Recipe": _recipe,
    "Chain": lambda random: [_link(random) for _ in range(random.randint(0, 8))],
}
_ABORT: Final[Record] = {"action": "abort"}


def _made(version: Version) -> Callable[[Random, str], Any]:
    return lambda random, kind: _numbers_of(random, version) if kind == "NumField" else _PARAMETERS[kind](random)


def _plan(random: Random, value: Callable[[Random, str], Any]) -> Term:
    term: Term = ["always", value(random, "Action")]
    for _ in range(random.choice((0, 1, 2, 5))):
        action = term[1] if term[0] == "always" and random.random() < 0.3 else value(random, "Action")
        term = ["override", term, value(random, "FailReason"), action]
    return term


Maker = Callable[[str, int], Term]


def _filter(random: Random, of: Maker) -> Term:
    """Any; two in five keep everybody or nearly so, for the rest of the policy to have work."""
    match random.choices(("any", "all", "most", "several", "request"), (10, 4, 4, 2, 2))[0]:
        case "all":
            return ["top"]
        case "most":
            return ["or", of("Pred", 4), ["not", of("Pred", 2)], ["is", "trains_on_data"]]
        case "several":
            return ["and", *[["not", of("Pred", 0)] for _ in range(random.randint(1, 4))]]
        case "request":
            return ["and", ["meets_req"], ["not", of("Pred", 1)]]
        case _:
            return of("Pred", 4)


def _ranking(random: Random, of: Maker, value: Callable[[Random, str], Any]) -> Term:
    """Any; one in two a weighted sum over fields, as people write them."""
    if random.random() < 0.5:
        return of("Scorer", 5)
    parts: list[Term] = []
    for _ in range(random.randint(1, 5)):
        part: Term = ["field", value(random, "NumField")]
        for wrap in random.choices(("normalize", "neg", "scale", "gate", "plain"), k=2):
            if wrap in {"normalize", "neg"}:
                part = [wrap, part]
            elif wrap == "scale":
                part = ["scale", random.choice(WEIGHTS), part]
            elif wrap == "gate":
                part = ["gate", of("Pred", 1), part]
        parts.append(part)
    return ["add", *parts]


def policy(random: Random, version: Version) -> Term:
    """An admissible policy."""
    value = _made(version)

    def of(sort: str, depth: int) -> Term:
        return sound(random, sort, version, depth, value)

    keep, rank = _filter(random, of), _ranking(random, of, value)
    slots = [keep, rank, of("Selector", 3), of("Xform", 3), _plan(random, value)]
    return ["policy", *([of("Evidence", 2)] if version == V1 else []), *slots]


def rounds(seed: int) -> Iterator[Round]:
    """Rounds without end, the same for the same seed on every machine."""
    random = Random(seed)
    while True:
        candidates = pool(random)
        versions: list[Version] = [V2, V2, V1, V2] if random.random() < 0.5 else [V1, V2]
        yield Round(
            Pool(candidates, SAMPLE),
            tuple((version, policy(random, version)) for version in versions),
            tuple(context(random) for _ in range(random.randint(1, 3))),
        )


def as_context(wire: Record) -> Context:
    """The context of a case."""
    return Context.of(wire)
