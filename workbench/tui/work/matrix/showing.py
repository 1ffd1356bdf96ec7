"""What the matrix screen shows: the grid, the words below it, one cell in full. Its keys are in `screen.py`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from workbench.tui.widgets.drawing import Cell
from workbench.tui.widgets.grid_table import GridTable
from workbench.tui.widgets.line_table import LineTable
from workbench.tui.widgets.reader import Reader
from workbench.tui.widgets.rows import ListedRows
from workbench.tui.widgets.text_block import TextBlock
from workbench.tui.work.following import Following
from workbench.tui.work.matrix.rows import NARROW, WIDE, MatrixRows
from workbench.tui.work.matrix.telling import brief_lines, full_lines
from workbench.whatif.matrix.axis import By
from workbench.whatif.matrix.grid import Matrix
from workbench.whatif.matrix.sheet import Asked, Sheet, sheet

if TYPE_CHECKING:
    from workbench.session.evaluation import Evaluation
    from workbench.tui.background import Progress

MANY = 200_000
"""Cells from which only-differences is worked out beside the screen."""


class MatrixView(Following):
    """What is shown, and one cell in full."""

    def compose_body(self) -> ComposeResult:
        yield GridTable(self._tell, id="matrix-grid")
        yield Reader(id="matrix-why")
        yield TextBlock(id="matrix-cell")

    def on_mount(self) -> None:
        self.query_one("#filter", Input).placeholder = "filter: tenants | columns; enter keeps it, esc clears it"
        self.asked = Asked()
        self.matrix = Matrix(self.session.shown)
        self.sheet = sheet(self.matrix, self.asked)
        outcome = self.outcome
        offer = self.cursors.offer if self.cursors.offer is not None or outcome is None else outcome.winner
        self.show_sheet(self.sheet, self.cursors.tenant_id, offer)
        self.focus_body()

    @property
    def grid(self) -> GridTable:
        """The grid."""
        return self.query_one("#matrix-grid", GridTable)

    def subject(self) -> str:
        found = self.sheet
        by = found.matrix.axis.by
        said = f"{len(found.rows)} of {len(found.matrix.tenants)} tenants × {len(found.columns):,} "
        said += f"of {len(found.matrix.axis.names):,} {by.replace('_', ' ')}s"
        narrowed = " | ".join(text.strip() for text in (found.asked.tenants, found.asked.columns) if text.strip())
        said += " · only differences" if found.asked.differences else ""
        return said + (f" · /{narrowed}" if narrowed else "")

    # what is shown

    def follow(self) -> None:
        self.matrix = Matrix(self.session.shown, self.matrix.axis.by)
        self.again()

    def again(self, **changes: object) -> None:
        """The sheet with other wishes, or of another matrix; the cursor stays on its tenant and its column."""
        self.asked = replace(self.asked, **changes)  # pyright: ignore[reportArgumentType] - names of `Asked`
        tenants, columns = len(self.matrix.tenants), len(self.matrix.axis.names)
        if self.asked.differences and tenants * columns > MANY:
            asked, evaluation, by = self.asked, self.matrix.evaluation, self.matrix.axis.by
            self.background.start("comparing", lambda progress: _made(progress, evaluation, by, asked), self._take)
        else:
            self._take(sheet(self.matrix, self.asked))

    def _take(self, found: Sheet) -> None:
        self.matrix = found.matrix
        self.show_sheet(found, self.cursors.tenant_id, self.cursors.offer)

    def show_sheet(self, found: Sheet, tenant: str | None, offer: int | None) -> None:
        self.sheet = found
        row = next((k for k, each in enumerate(found.rows) if tenant in (each.tenant, *each.alike)), 0)
        wanted = None if offer is None else int(found.matrix.axis.of_offer[offer])
        column = found.columns.index(wanted) if wanted in found.columns else 0
        self.grid.show_grid(MatrixRows(found, WIDE if self.size.width >= 110 else NARROW), row, column)
        self.show_heading()
        self.show_footer()
        self._tell()

    @property
    def tenant_id(self) -> str | None:
        """The cursor's tenant."""
        rows = self.sheet.rows
        return rows[self.grid.cursor].tenant if self.grid.cursor < len(rows) else None

    @property
    def offer(self) -> int | None:
        """The offer that the cursor's cell is about; without a policy the column's first."""
        if self.tenant_id is None or self.grid.column >= len(self.sheet.columns):
            return None
        column = self.sheet.columns[self.grid.column]
        found = self.sheet.matrix.cell(self.tenant_id, column).offer
        return self.sheet.matrix.axis.members(column)[0] if found is None else found

    def _tell(self) -> None:
        """The cursor's cell explains itself."""
        found, tenant, offer = self.sheet, self.tenant_id, self.offer
        block = self.query_one("#matrix-cell", TextBlock)
        if tenant is None or offer is None:
            said = "no column differs" if found.asked.differences and found.rows else "nothing matches"
            block.show(lambda _width: [[Cell(said, "muted")]])
            return
        self.cursors = replace(self.cursors, tenant_id=tenant, offer=offer)
        column = self.grid.column
        block.show(lambda width: brief_lines(found, tenant, column, offer, width, block.size.height or 4))
        if self._reading:
            self._read()

    def on_resize(self) -> None:
        if self.is_mounted:
            self.show_sheet(self.sheet, self.tenant_id, self.offer)

    # one cell in full

    @property
    def _reading(self) -> bool:
        return self.query_one("#work-body").has_class("-reading")

    def _read(self) -> None:
        reader = self.query_one("#matrix-why", Reader)
        tenant, offer = self.tenant_id, self.offer
        if tenant is not None and offer is not None:
            width = max(20, self.size.width - 4)
            lines = full_lines(self.sheet, tenant, self.grid.column, offer, width)
            reader.show_rows(ListedRows([(None, line) for line in lines]))

    @on(LineTable.RowOpened)
    def _opened(self, event: LineTable.RowOpened) -> None:
        event.stop()
        self.do_explain()

    def do_explain(self) -> None:
        """Every clause's verdict on the offer of the cell; again closes it."""
        if self._reading:
            self.go_back()
        elif self.offer is not None:
            self.query_one("#work-body").add_class("-reading")
            self.set_focus(self.query_one("#matrix-why", Reader))
            self.call_after_refresh(self._read)

    def go_back(self) -> bool:
        if not self._reading:
            return False
        self.query_one("#work-body").remove_class("-reading")
        self.set_focus(self.grid)
        return True


def _made(progress: Progress, evaluation: Evaluation, by: By, asked: Asked) -> Sheet:
    matrix = Matrix(evaluation, by)
    for place, tenant in enumerate(matrix.tenants):
        progress.report(place / len(matrix.tenants))
        matrix.line(tenant)
    return sheet(matrix, asked)
