"""Words that several answers share: facts, movements, outcomes, rows of figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from workbench.rulebook import schema
from workbench.rulebook.schema import Fact
from workbench.session.evaluation import SIGNS, Direction
from workbench.whatif.report import dollars, listed, plain
from workbench.whatif.summary import Summary

NONE: Final = "-"
UNKNOWN: Final = "?"

MOVES: Final[dict[Direction, str]] = {
    "same": "same winner",
    "dearer": "dearer",
    "cheaper": "cheaper",
    "moved": "another winner",
    "lost": "nobody left",
    "gained": "somebody again",
}


def fact_words(value: Fact | None) -> str:
    """A tenant's fact for a table; `?` where it is unknown."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return schema.fact_words(value)
    return plain(value)


def new_fact(held: Fact | None, value: Fact | None) -> str:
    """A fact's other value for a table; of a list only what comes in and what goes."""
    if not isinstance(value, tuple) or not isinstance(held, tuple):
        return fact_words(value)
    more = [f"+ {word}" for word in value if word not in held]
    return ", ".join([*more, *(f"- {word}" for word in held if word not in value)]) or fact_words(value)


def run_cost(summary: Summary | None) -> str:
    """USD a run; `-` where nobody is left."""
    return NONE if summary is None or summary.winner is None else dollars(summary.cost_per_run)


def served(summary: Summary | None) -> str:
    """The winner; `-` where the tenant is not there."""
    return NONE if summary is None else summary.served


def moved(direction: Direction) -> str:
    """A sign and a word: nothing is told by a sign alone."""
    return f"{SIGNS[direction]} {MOVES[direction]}"


def joined(words: Iterable[str]) -> str:
    """The words with `; ` between; `-` for none."""
    return "; ".join(words) or NONE


def not_in_the_sum(tenants: Sequence[str], sides: Iterable[Summary]) -> str:
    """Which tenants a sum of dollars leaves out, and why; `sides` are their results before and after."""
    nobody = ", or who have nobody on one side" if any(side.winner is None for side in sides) else ""
    return f"not in the sum: {listed(tenants, 5)}, whose price or runs per month are unknown{nobody}"


def yes(value: bool) -> str:
    """`yes` or `no`."""
    return "yes" if value else "no"


def one_line(text: str) -> str:
    """Clause text on one line; a fallback plan has several."""
    return "; ".join(line.strip().removesuffix(";") for line in text.splitlines()) if "\n" in text else text
