"""Choose one of a list by typing a part of it, or type something that is not in the list where that is allowed."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.tui.screens.finder import Finder
from workbench.tui.widgets.drawing import Cell, fit
from workbench.tui.widgets.rows import ListedRows, Rows

Choice = tuple[str, str]
"""What is chosen, and a word about it."""


class Pick(Finder[str]):
    """Gives the choice, or what was typed."""

    def __init__(self, title: str, choices: Sequence[Choice], *, free: str = "") -> None:
        super().__init__(title, "enter · esc", free or "type a part of it")
        self._choices = tuple(choices)
        self._found: Sequence[Choice] = self._choices
        self._free = bool(free)
        """Whether something else may be typed instead; else only the list counts."""

    def found(self, text: str) -> Rows:
        words = text.casefold().split()
        self._found = [one for one in self._choices if all(word in " ".join(one).casefold() for word in words)]
        lines = [
            (k, [Cell(fit(name, 28), "strong"), Cell("  "), Cell(about, "muted")])
            for k, (name, about) in enumerate(self._found)
        ]
        return ListedRows(lines)

    def taken(self, row: int, typed: str) -> str | None:
        if row < len(self._found):
            return self._found[row][0]
        return typed if typed and self._free else None
