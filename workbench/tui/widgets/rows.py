"""What a table shows: rows made when they are drawn, or lines made beforehand."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Protocol

from workbench.tui.widgets.drawing import EMPTY, Line


class Rows(Protocol):
    """What a table shows. Lines count from 0; a line of no row (a heading, a gap) belongs to row None."""

    @property
    def lines(self) -> int: ...
    def __len__(self) -> int: ...
    def row_at(self, line: int) -> int | None: ...
    def span(self, row: int) -> tuple[int, int]:
        """First line and number of lines of a row."""
        ...

    def draw(self, line: int, width: int) -> Line: ...
    def heading(self, width: int) -> Line | None: ...


class EvenRows(ABC):
    """Rows of the same height each: the base of long lists."""

    height: ClassVar[int] = 1

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def draw_row(self, row: int, sub: int, width: int) -> Line:
        """Line `sub` of row `row`."""

    @property
    def lines(self) -> int:
        return len(self) * self.height

    def row_at(self, line: int) -> int | None:
        row = line // self.height
        return row if 0 <= row < len(self) else None

    def span(self, row: int) -> tuple[int, int]:
        return row * self.height, self.height

    def draw(self, line: int, width: int) -> Line:
        row, sub = divmod(line, self.height)
        return self.draw_row(row, sub, width) if 0 <= row < len(self) else EMPTY

    def heading(self, width: int) -> Line | None:  # noqa: ARG002 - for those that have one
        return None


class ListedRows:
    """Lines made beforehand, each with the row it belongs to: for short texts with a cursor."""

    def __init__(self, lines: Sequence[tuple[int | None, Line]] = ()) -> None:
        self._lines = lines
        self._spans: dict[int, tuple[int, int]] = {}
        for at, (row, _) in enumerate(lines):
            if row is not None:
                first, count = self._spans.get(row, (at, 0))
                self._spans[row] = (first, max(count, at - first + 1))

    @property
    def lines(self) -> int:
        return len(self._lines)

    def __len__(self) -> int:
        return max(self._spans, default=-1) + 1

    def row_at(self, line: int) -> int | None:
        return self._lines[line][0] if 0 <= line < len(self._lines) else None

    def span(self, row: int) -> tuple[int, int]:
        return self._spans.get(row, (0, 1))

    def draw(self, line: int, width: int) -> Line:  # noqa: ARG002 - the lines were made for a width
        return self._lines[line][1] if 0 <= line < len(self._lines) else EMPTY

    def heading(self, width: int) -> Line | None:  # noqa: ARG002
        return None
