"""How a screen shows a report: what it says above, its tables with a cursor, the row in full below.

Owns what is drawn, narrowed, copied and exported; what the report is, the screen says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual.app import ComposeResult

from workbench.tui.widgets.drawing import Cell, Line, wrap
from workbench.tui.widgets.line_table import LineTable
from workbench.tui.widgets.text_block import TextBlock
from workbench.tui.work.answers.rows import Place, ReportRows, copied_row, report_rows, told
from workbench.tui.work.following import Following
from workbench.whatif.report import Report

TOLD: int = 3
"""Lines below the tables."""
SAID: int = 7
SAID_SHORT: int = 4
"""Lines above them, in a window of many lines and of few; the styles have the same."""


class AnswerView(Following):
    """A report on screen."""

    EXPORT: ClassVar[str] = "answer"
    """What exported files are called, without what they are about."""

    report: Report | None = None
    """What is shown; None until the first answer."""
    words: str = ""
    """What rows must contain."""
    shown: ReportRows | None = None

    def compose_body(self) -> ComposeResult:
        yield TextBlock(id="answer-said")
        yield LineTable(self._moved, id="answer-table")
        yield TextBlock(id="answer-told")

    def on_resize(self) -> None:
        if self.report is not None:
            self.call_after_refresh(self.draw)

    @property
    def table(self) -> LineTable:
        """The report's tables."""
        return self.query_one("#answer-table", LineTable)

    def answered(self, report: Report | None) -> None:
        """Show a report."""
        self.report = report
        self.draw()
        self.show_heading()

    def draw(self) -> None:
        """Draw the report for the width there is."""
        report = self.report
        if report is None:
            return
        self.query_one("#answer-said", TextBlock).show(self._said)
        table = self.table
        self.shown = report_rows(report, max(20, table.draw_width), self.words)
        table.show_rows(self.shown.listed)
        self._moved(table.cursor)

    def _said(self, width: int) -> list[Line]:
        report = self.report
        if report is None:
            return []
        lines: list[Line] = [[Cell(text, "strong")] for text in wrap(report.title, max(1, width))]
        lines += [[Cell(text, "muted")] for said in report.lines for text in wrap(said, max(1, width))]
        most = SAID_SHORT if self.has_class("-short") else SAID
        return lines if len(lines) <= most else [*lines[: most - 1], [Cell(f"… {len(lines) - most + 1} more", "muted")]]

    def _moved(self, _row: int) -> None:
        report, place = self.report, self.place_of_cursor
        if report is not None:
            self.query_one("#answer-told", TextBlock).show(lambda width: told(report, place, width, TOLD))

    @property
    def place_of_cursor(self) -> Place | None:
        """Which row of which table the cursor is on."""
        places = () if self.shown is None else self.shown.places
        at = self.table.cursor
        return places[at] if at < len(places) else None

    @property
    def row(self) -> tuple[str, ...] | None:
        """The cells of the row under the cursor."""
        place = self.place_of_cursor
        return None if place is None or self.report is None else self.report.sheets[place.sheet].rows[place.row]

    def narrowed(self) -> str:
        return self.words.strip()

    def filter_rows(self, text: str) -> None:
        self.words = text
        self.draw()
        self.show_heading()

    def copied(self) -> str:
        return "" if self.report is None else copied_row(self.report, self.place_of_cursor)

    def exports(self) -> Mapping[str, bytes]:
        return {} if self.report is None else self.report.files(f"{self.EXPORT}-{self.export_name()}")

    def export_name(self) -> str:
        """What the report is about, in a file's name."""
        return self.cursors.tenant_id or "all"
