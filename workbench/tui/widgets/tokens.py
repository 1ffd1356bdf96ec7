"""Clause text with its tokens coloured."""

from __future__ import annotations

from functools import lru_cache

from rich.highlighter import Highlighter
from rich.style import Style
from rich.text import Text

from workbench.language.clause_text import tokens
from workbench.tui.widgets.drawing import Cell

KNOWN = frozenset({"field", "operator", "number", "value", "keyword", "binding", "error"})


@lru_cache(maxsize=2_048)
def coloured(text: str) -> tuple[Cell, ...]:
    """The text in cells, a style per token."""
    cells: list[Cell] = []
    at = 0
    for start, end, kind in tokens(text):
        if start > at:
            cells.append(Cell(text[at:start]))
        cells.append(Cell(text[start:end], kind if kind in KNOWN else ""))
        at = end
    if at < len(text):
        cells.append(Cell(text[at:]))
    return tuple(cells)


class ClauseHighlighter(Highlighter):
    """The same colours inside an input field; the error's place is underlined."""

    def __init__(self) -> None:
        self.styles: dict[str, Style] = {}
        """Filled by the widget, which knows the theme."""
        self.error_at: int | None = None

    def highlight(self, text: Text) -> None:
        plain = text.plain
        for start, end, kind in tokens(plain):
            style = self.styles.get(kind)
            if style is not None:
                text.stylize(style, start, end)
        if self.error_at is not None and self.error_at < len(plain) and "error" in self.styles:
            text.stylize(self.styles["error"], self.error_at, len(plain))
