"""Transforms and failure plans said over once more, straight from the page and apart from the engine's own code.

Walks the *source* of a policy where the engine walks its normal form, so it also vouches for the normal form of the
two slots. Predicates of `when` are left to a function that is given.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

from workbench.language.encoding import encode_value

Term = list[Any]
Record = dict[str, Any]
M = 2147483647


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return not math.isnan(float(value))
    except OverflowError:
        return False


def one_draw(seed: float) -> float:
    """The first draw of a generator with this seed: four steps to warm up, and one."""
    state = math.fmod(seed, M) if isinstance(seed, float) else seed % M
    state = state + M if state < 0 else state
    state = state + M - 1 if state <= 0 else state
    for _ in range(5):
        state = (state * 16807) % M
    return state / M


def transformed(term: Term, request: Record, seed: float | None, holds: Callable[[Term], bool]) -> Record:
    """The request after the transform; the host's `trim` and `tag` are those of `registered`."""
    made = copy.deepcopy(request)
    for step in _flat(term, holds):
        _step(step, made, seed)
    return made


def _flat(term: Term, holds: Callable[[Term], bool]) -> list[Term]:
    """The steps that run, in order: `when` sees the request as it came, so all of them are known beforehand."""
    match term[0]:
        case "id":
            return []
        case "seq":
            return [step for child in term[1:] for step in _flat(child, holds)]
        case "when":
            return _flat(term[2], holds) if holds(term[1]) else []
        case _:
            return [term]


def _step(step: Term, made: Record, seed: float | None) -> None:
    name: str = step[1]
    match step[0]:
        case "inject_seed":
            _seeded(made, name, seed)
        case "set_param" if step[2] == "from_ctx":
            _seeded(made, name, seed)
        case "set_param":
            made[name] = step[2]
        case "clamp_param" if _is_number(made.get(name)):
            low, high = step[2:]
            made[name] = low if made[name] < low else min(made[name], high)
        case "jitter" if seed is not None:
            folded = 0
            for byte in f"jitter:{name}".encode():
                folded = (folded * 31 + byte) % M
            start = float(made[name]) if _is_number(made.get(name)) else 0.0
            own = (seed if abs(seed) <= 2**53 else float(seed)) + folded
            made[name] = start + (2 * one_draw(own % M) - 1) * step[2]
        case "filter_text" | "filter_image":
            _directive(made, step[0].removeprefix("filter_"), step[1], seed)
        case "custom":
            made[f"host:{name}"] = seed
        case _:
            pass


def _seeded(made: Record, name: str, seed: float | None) -> None:
    if seed is None:
        made.pop(name, None)
    else:
        made[name] = seed


def _directive(made: Record, kind: str, recipe: list[Any], seed: float | None) -> None:
    earlier = made.get("_filters")
    directives = dict(earlier) if isinstance(earlier, dict) else {}  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    directives[kind] = {"recipe": recipe} if seed is None else {"recipe": recipe, "seed": seed % M}
    made["_filters"] = directives


def classified(plan: Term, reason: str) -> Record:
    """The action for a reason: normal form and lookup in one, from the outside in."""
    given: dict[str, Record] = {}
    while plan[0] == "override":
        given.setdefault(plan[2], plan[3])
        plan = plan[1]
    base: Record = plan[1]
    table = {key: action for key, action in given.items() if encode_value(action) != encode_value(base)}
    return table.get(reason, table.get("unknown", base))
