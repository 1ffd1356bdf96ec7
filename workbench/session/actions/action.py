"""One thing a person can do by key, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MAIN: Final = frozenset(("everywhere", "tenants", "clauses", "decision", "policy", "editor"))
"""The main screen's places; `everywhere` is all of them."""
SCREENS: Final = "screens"
"""The place that stands for every screen beside the main one."""

Where = str
"""A place: one of `MAIN`, `SCREENS`, or the name of a screen."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a person can do by key."""

    id: str
    """Stable: keymaps name it."""
    keys: tuple[str, ...]
    """Textual key names; the first is the one shown."""
    title: str
    """A word or two for the footer."""
    help: str
    """One sentence, for help and palette."""
    where: Where = "everywhere"
    footer: bool = False
    """Shown in the footer."""
    command: str | None = None
    """The command that does the same, where there is one."""
