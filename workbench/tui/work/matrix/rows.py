"""A matrix's sheet as rows of a grid: names in little room, a cell's word and its style."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from workbench.tui import wording
from workbench.tui.widgets.drawing import Cell, Line
from workbench.whatif.matrix.grid import NO_POLICY, NOT_KEPT
from workbench.whatif.matrix.sheet import Sheet

NARROW, WIDE = 12, 15
LABEL = 22
_BREAKS = "-/._@: "


class MatrixRows:
    """The rows of a sheet, those of one group beneath its heading."""

    def __init__(self, sheet: Sheet, column_width: int) -> None:
        self.sheet = sheet
        self.column_width = column_width
        self.columns = len(sheet.columns)
        self.heads = 3 if sheet.matrix.axis.by == "offer" else 2
        self.corner = f"tenant by {sheet.asked.sort}" if sheet.asked.sort != "id" else "tenant"
        longest = max((len(row.label) for row in sheet.rows), default=6)
        self.label_width = min(LABEL, max(longest, len(self.corner)))
        self._lines: list[int | None] = []
        """Per line its row; None for the heading of a group."""
        self._spans: list[int] = []
        """Per row its line."""
        for place, row in enumerate(sheet.rows):
            if sheet.asked.group and (place == 0 or sheet.rows[place - 1].group != row.group):
                self._lines.append(None)
            self._spans.append(len(self._lines))
            self._lines.append(place)

    @property
    def lines(self) -> int:
        return len(self._lines)

    def __len__(self) -> int:
        return len(self.sheet.rows)

    def row_at(self, line: int) -> int | None:
        return self._lines[line] if 0 <= line < len(self._lines) else None

    def span(self, row: int) -> tuple[int, int]:
        return (self._spans[row], 1) if 0 <= row < len(self._spans) else (0, 1)

    def between(self, line: int) -> str:
        row = self.sheet.rows[self._lines[line + 1] or 0]
        return f"{self.sheet.asked.group} = {row.group}"

    def label(self, row: int) -> Cell:
        return Cell(self.sheet.rows[row].label)

    def head(self, column: int, sub: int) -> Cell:
        return Cell(head_lines(self.sheet, column, self.column_width)[sub])

    def cells(self, row: int, columns: Sequence[int]) -> Sequence[Cell]:
        matrix = self.sheet.matrix
        codes = matrix.line(self.sheet.rows[row].tenant).codes
        return [_cell(int(codes[self.sheet.columns[column]]), matrix.words) for column in columns]

    # a grid draws its own lines

    def draw(self, line: int, width: int) -> Line:  # noqa: ARG002
        return ()

    def heading(self, width: int) -> Line | None:  # noqa: ARG002
        return None


def _cell(code: int, words: Callable[[int], str]) -> Cell:
    if code == 1:
        return Cell("◆ 1", "winner")
    if code > 0:
        return Cell(f"  {code}", "good")
    return Cell(words(code), "warn" if code in (NOT_KEPT, NO_POLICY) else "muted")


def head_lines(sheet: Sheet, column: int, width: int) -> tuple[str, ...]:
    """A column's name on the lines of the heading."""
    name = sheet.name(column)
    if sheet.matrix.axis.by != "offer":
        return broken(wording.short_model(name), width)
    offer = sheet.matrix.state.catalog.offers[sheet.columns[column]]
    model = broken(wording.short_model(offer.model), width)
    place = f"{offer.provider} {offer.region or wording.UNKNOWN}"
    if not model[1] and len(place) > width:
        return model[0], offer.provider, offer.region or wording.UNKNOWN
    return (*model, place if len(place) <= width else _place(offer.provider, offer.region or wording.UNKNOWN, width))


def _place(provider: str, region: str, width: int) -> str:
    room = width - len(region) - 1
    return f"{provider[: max(1, room - 1)]}… {region}"


def broken(name: str, width: int) -> tuple[str, str]:
    """A name on two lines, broken where it has a mark; what is left over is cut by the grid."""
    if len(name) <= width:
        return name, ""
    at = max((k + 1 for k in range(width) if name[k] in _BREAKS), default=width)
    return name[:at], name[at:]
