"""Text that arrives in pieces, wrapped once: what stands already is not wrapped again."""

from __future__ import annotations

from workbench.boundary.sanitiser import visible
from workbench.tui.widgets.drawing import Cell, Line, wrap
from workbench.tui.widgets.rows import EvenRows


class Flow(EvenRows):
    """An answer as lines for a width. Only the paragraph that is still growing is wrapped anew."""

    def __init__(self) -> None:
        self._done: list[str] = []
        """Paragraphs that are whole."""
        self._lines: list[str] = []
        """Those paragraphs as lines."""
        self._tail = ""
        self._last: list[str] = []
        self._width = 0

    @property
    def text(self) -> str:
        """All of it, as it came."""
        return "\n".join([*self._done, self._tail])

    def feed(self, text: str, width: int) -> None:
        """More of it; a new width wraps everything again."""
        if width != self._width:
            self._width = width
            self._lines = [line for paragraph in self._done for line in self._wrapped(paragraph)]
        *whole, self._tail = (self._tail + text).split("\n")
        for paragraph in whole:
            self._done.append(paragraph)
            self._lines += self._wrapped(paragraph)
        self._last = self._wrapped(self._tail) if self._tail else []

    def _wrapped(self, paragraph: str) -> list[str]:
        return wrap(visible(paragraph).replace("\t", "    "), max(self._width, 1))

    def __len__(self) -> int:
        return len(self._lines) + len(self._last)

    def draw_row(self, row: int, sub: int, width: int) -> Line:  # noqa: ARG002 - wrapped for its width already
        """One line of it."""
        known = len(self._lines)
        return [Cell(self._lines[row] if row < known else self._last[row - known])]
