"""Numbers and names as the screens say them. Pure text; units are always written, unknown is `?`."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

from workbench.rulebook.tenant import Tenant
from workbench.session.evaluation import Movement, Outcome
from workbench.session.state import WorkspaceState
from workbench.session.targets import Scope
from workbench.session.views import OfferRow

UNKNOWN = "?"


def number(value: float | None) -> str:
    """At most four digits that mean something; never an exponent for prices and scores."""
    if value is None:
        return UNKNOWN
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}"
    if size >= 100:
        return f"{value:.0f}"
    if size >= 10:
        return f"{value:.1f}"
    if size >= 1:
        return f"{value:.2f}"
    if size >= 0.1:
        return f"{value:.3f}"
    return f"{value:.4f}" if size >= 0.001 else f"{value:.{1 - math.floor(math.log10(size))}f}"


def dollars(value: float | None, room: int) -> str:
    """Dollars in a column of `room` cells: too little to be shown there is less than the least that can be."""
    text = number(value)
    return text if len(text) <= room else f"<0.{'0' * (room - 4)}1"


def cost(value: float | None) -> str:
    """Dollars for one run."""
    return f"{number(value)} $/run"


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 offer`, `2 offers`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def words(parts: Iterable[str], between: str = " · ") -> str:
    """The parts that say something, joined."""
    return between.join(part for part in parts if part)


def facts_words(tenant: Tenant) -> str:
    """A tenant's choices and the flags that hold: `business · eu · dpa signed`."""
    shown: list[str] = []
    for name, value in tenant.facts.items():
        if isinstance(value, bool):
            shown += [name.replace("_", " ")] if value else []
        elif isinstance(value, str):
            shown.append(value)
    return words(shown)


def short_model(name: str) -> str:
    """A model's name without the maker's prefix that many names repeat."""
    for prefix in ("claude-", "models/", "meta-llama/"):
        if name.startswith(prefix) and len(name) > len(prefix):
            return name[len(prefix) :]
    return name


def offer_place(offer: OfferRow) -> str:
    """Where an offer is served: `vertex · eu`."""
    return f"{offer.provider} · {offer.region or 'region ' + UNKNOWN}"


def winner_name(state: WorkspaceState, outcome: Outcome | None) -> str:
    """The winner's model, or in words why there is none."""
    if outcome is None:
        return ""
    if outcome.compiled is None:
        return plural(len(outcome.errors), "error")
    if outcome.winner is None:
        return "nobody"
    return str(state.catalog.candidates[outcome.winner]["model_family"])


def served(state: WorkspaceState, outcome: Outcome | None) -> str:
    """The winner as `model@provider`."""
    if outcome is None or outcome.winner is None:
        return winner_name(state, outcome)
    candidate = state.catalog.candidates[outcome.winner]
    return f"{candidate['model_family']}@{candidate['provider_id']}"


MOVED_WORDS = {
    "same": "",
    "dearer": "dearer",
    "cheaper": "cheaper",
    "moved": "another winner",
    "lost": "nobody left",
    "gained": "somebody again",
}


def moved_words(movement: Movement | None) -> str:
    """The movement in words."""
    return MOVED_WORDS[movement.direction] if movement else ""


KEY_NAMES = {
    "slash": "/",
    "question_mark": "?",
    "delete": "del",
    "space": "space",
    "shift+up": "⇧↑",
    "shift+down": "⇧↓",
    "escape": "esc",
    "enter": "enter",
}


def key_name(key: str) -> str:
    """A key as a person reads it: `^r` for `ctrl+r`."""
    known = KEY_NAMES.get(key)
    if known:
        return known
    return f"^{key[5:]}" if key.startswith("ctrl+") else key


def score(value: float) -> str:
    """A score in two or three decimals; one that is not finite in words."""
    if value != value:  # noqa: PLR0124 - not a number
        return "n/a"
    if value in (float("inf"), float("-inf")):
        return "inf" if value > 0 else "-inf"
    return f"{value:.3f}" if abs(value) < 10 else number(value)


def scope(scope: Scope) -> str:
    """Whom edits are for."""
    return "for the rule: everyone" if scope == "rule" else "for this tenant only"


def path(where: Path) -> str:
    """A path with `~` for the home folder."""
    home = Path.home()
    return f"~/{where.relative_to(home)}" if where.is_relative_to(home) and where != home else str(where)
