"""A seeded stream of terms, sound ones and broken ones, made from the signature without a shrinker: for bulk runs."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, Final, cast

from tests.strategies import SAMPLE
from workbench.language.signature import ACTIONS, FAIL_REASONS, RELATIONS, SORTS, Version, operations

_POISON: Final[tuple[Callable[[Random], Any], ...]] = (
    lambda _: None,
    lambda _: True,
    lambda _: [],
    lambda _: {},
    lambda _: [[]],
    lambda _: {"0": "and"},
    lambda _: {"__proto__": 1},
    lambda _: float("nan"),
    lambda _: float("inf"),
    lambda _: 10**400,
    lambda _: -1,
    lambda _: 0.5,
    lambda _: "",
    lambda _: "\ud800",
    lambda _: "\x1b]52;c;eA==\x07\u202e\u2028",
    lambda _: "price_ouT",
    lambda random: "x" * random.choice((255, 257, 5000)),
    lambda random: ["x"] * random.choice((1, 65, 5000)),
    lambda random: {f"k{i}": i for i in range(random.choice((1, 17, 300)))},
    lambda random: [random.choice(("and", "not", "policy", "quality", "in", "nope")), ["top"]],
    lambda random: _stacked(random.choice((1, 40, 70, 2000))),
    lambda _: ("top",),
    lambda _: b"top",
    lambda _: object(),
)


def _stacked(levels: int) -> list[Any]:
    term: list[Any] = ["top"]
    for _ in range(levels):
        term = ["not", term]
    return term


def sound(
    random: Random, sort: str, version: Version, depth: int = 5, parameter: Callable[[Random, str], Any] | None = None
) -> list[Any]:
    """An admissible term over the sample vocabulary; `parameter` makes the values of a parameter sort."""
    value = parameter or _parameter
    choices = [op for op in operations(version).values() if op.sort == sort]
    if depth <= 0:
        choices = [op for op in choices if SORTS.isdisjoint(op.arguments(version))]
    op = random.choice(choices)
    kinds = op.arguments(version) * (random.randint(1, 4) if op.variadic else 1)
    return [
        op.name,
        *[sound(random, kind, version, depth - 1, value) if kind in SORTS else value(random, kind) for kind in kinds],
    ]


_NUMBERS: Final = (0, 1, -0.0, 0.1, 5, 2**53 + 1, 1e21, -3.5)


def _number(random: Random) -> float:
    return random.choice((*_NUMBERS, random.uniform(-1e6, 1e6)))


def _action(random: Random) -> dict[str, Any]:
    waits = [_number(random), _number(random)]
    return {"action": random.choice(ACTIONS), "attempts": _number(random), "backoff_ms": waits}


def _recipe(random: Random) -> list[Any]:
    steps: list[Any] = ["strip", {"level": _number(random)}, []]
    return steps[: random.randint(0, 3)]


_PARAMETERS: Final[dict[str, Callable[[Random], Any]]] = {
    "Num": _number,
    "Count": lambda random: random.randint(1, 9),
    "Rel": lambda random: random.choice(RELATIONS),
    "NumField": lambda random: random.choice(SAMPLE.of_sort("Num")),
    "BoolField": lambda random: random.choice(SAMPLE.of_sort("Bool")),
    "Tier": lambda random: random.choice(SAMPLE.tiers),
    "FailReason": lambda random: random.choice(FAIL_REASONS),
    "Action": _action,
    "Recipe": _recipe,
    "Chain": lambda random: [{"provider": "openai", "model": "gpt-5.5"}] * random.randint(0, 2),
}


def _parameter(random: Random, kind: str) -> Any:
    make = _PARAMETERS.get(kind)
    return make(random) if make else random.choice(("openai", "gpt-5.5", "temperature", "supports_tools", "é"))


def _containers(value: Any) -> Iterator[list[Any] | dict[str, Any]]:
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, list) and item:
            array = cast("list[Any]", item)
            yield array
            stack.extend(array)
        elif isinstance(item, dict) and item:
            record = cast("dict[str, Any]", item)
            yield record
            stack.extend(record.values())


def mutated(random: Random, term: list[Any]) -> Any:
    """A copy with one to three places replaced, removed, doubled or swapped."""
    broken: Any = copy.deepcopy(term)
    for _ in range(random.randint(1, 3)):
        places = list(_containers(broken))
        if not places:
            return broken
        _mutate(random, random.choice(places))
    return broken


def _mutate(random: Random, place: list[Any] | dict[str, Any]) -> None:
    if isinstance(place, dict):
        key = random.choice([*place, "action", "\x00", "x" * 300])
        place[key] = random.choice(_POISON)(random)
        return
    index = random.randrange(len(place))
    match random.randrange(5):
        case 0:
            del place[index]
        case 1:
            place.insert(index, place[index])
        case 2:
            other = random.randrange(len(place))
            place[index], place[other] = place[other], place[index]
        case _:
            place[index] = random.choice(_POISON)(random)
