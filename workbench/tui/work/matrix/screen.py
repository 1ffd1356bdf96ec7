"""The matrix: tenants down, offers (models, providers, regions) across; the cursor's cell explains itself below."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from workbench.tui.widgets.drawing import Cell
from workbench.tui.widgets.grid_table import GridTable
from workbench.tui.widgets.line_table import LineTable
from workbench.tui.widgets.reader import Reader
from workbench.tui.widgets.rows import ListedRows
from workbench.tui.widgets.text_block import TextBlock
from workbench.tui.work.exporting import ask_where_to
from workbench.tui.work.following import Following
from workbench.tui.work.matrix.rows import NARROW, WIDE, MatrixRows
from workbench.tui.work.matrix.telling import brief_lines, full_lines
from workbench.whatif.matrix.axis import BYS, By
from workbench.whatif.matrix.exports import as_csv, as_markdown
from workbench.whatif.matrix.grid import Matrix
from workbench.whatif.matrix.page import MOST_CELLS, as_html
from workbench.whatif.matrix.sheet import ORDERS, RESULTS, Asked, Sheet, sheet

if TYPE_CHECKING:
    from workbench.session.evaluation import Evaluation
    from workbench.tui.background import Progress

T = TypeVar("T")

MANY = 200_000
"""Cells from which only-differences is worked out beside the screen."""


class MatrixScreen(Following):
    """Every tenant beside every offer.

    A number is the place that the offer has in the tenant's order, ◆ 1 the winner; a word is the rule that turns it
    away. With several offers in a column it is their best place, or the rule that turns the last of them away. `/`
    narrows tenants, and after a `|` columns: `plan=vip | claude eu`.
    """

    PLACE = "matrix"
    HEADING = "Matrix"

    def compose_body(self) -> ComposeResult:
        yield GridTable(self._tell, id="matrix-grid")
        yield Reader(id="matrix-why")
        yield TextBlock(id="matrix-cell")

    def on_mount(self) -> None:
        self.query_one("#filter", Input).placeholder = "filter: tenants | columns; enter keeps it, esc clears it"
        self._asked = Asked()
        self._matrix = Matrix(self.session.shown)
        self._sheet = sheet(self._matrix, self._asked)
        outcome = self.outcome
        offer = self.cursors.offer if self.cursors.offer is not None or outcome is None else outcome.winner
        self._show(self._sheet, self.cursors.tenant_id, offer)
        self.focus_body()

    @property
    def grid(self) -> GridTable:
        """The grid."""
        return self.query_one("#matrix-grid", GridTable)

    def subject(self) -> str:
        found = self._sheet
        by = found.matrix.axis.by
        said = f"{len(found.rows)} of {len(found.matrix.tenants)} tenants × {len(found.columns):,} "
        said += f"of {len(found.matrix.axis.names):,} {by.replace('_', ' ')}s"
        return said + (" · only differences" if found.asked.differences else "")

    # what is shown

    def follow(self) -> None:
        self._matrix = Matrix(self.session.shown, self._matrix.axis.by)
        self._again()

    def _again(self, **changes: object) -> None:
        """The sheet with other wishes, or of another matrix; the cursor stays on its tenant and its column."""
        self._asked = replace(self._asked, **changes)  # pyright: ignore[reportArgumentType] - names of `Asked`
        tenants, columns = len(self._matrix.tenants), len(self._matrix.axis.names)
        if self._asked.differences and tenants * columns > MANY:
            asked, evaluation, by = self._asked, self._matrix.evaluation, self._matrix.axis.by
            self.background.start("comparing", lambda progress: _made(progress, evaluation, by, asked), self._take)
        else:
            self._take(sheet(self._matrix, self._asked))

    def _take(self, found: Sheet) -> None:
        tenant, offer = self.tenant_id, self.offer
        self._matrix = found.matrix
        self._show(found, tenant, offer)

    def _show(self, found: Sheet, tenant: str | None, offer: int | None) -> None:
        self._sheet = found
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
        rows = self._sheet.rows
        return rows[self.grid.cursor].tenant if self.grid.cursor < len(rows) else None

    @property
    def offer(self) -> int | None:
        """The offer that the cursor's cell is about; without a policy the column's first."""
        if self.tenant_id is None or self.grid.column >= len(self._sheet.columns):
            return None
        column = self._sheet.columns[self.grid.column]
        found = self._sheet.matrix.cell(self.tenant_id, column).offer
        return self._sheet.matrix.axis.members(column)[0] if found is None else found

    def _tell(self) -> None:
        """The cursor's cell explains itself."""
        found, tenant, offer = self._sheet, self.tenant_id, self.offer
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
            self._show(self._sheet, self.tenant_id, self.offer)

    # one cell in full

    @property
    def _reading(self) -> bool:
        return self.query_one("#work-body").has_class("-reading")

    def _read(self) -> None:
        reader = self.query_one("#matrix-why", Reader)
        tenant, offer = self.tenant_id, self.offer
        if tenant is not None and offer is not None:
            width = max(20, self.size.width - 4)
            lines = full_lines(self._sheet, tenant, self.grid.column, offer, width)
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

    def do_take(self) -> None:
        """Back to the main screen, at this tenant and this offer."""
        self.take(self.tenant_id, self.offer)

    # wishes

    def filter_rows(self, text: str) -> None:
        tenants, _, columns = text.partition("|")
        self._again(tenants=tenants, columns=columns)

    def do_by(self) -> None:
        """Other columns."""
        by: By = _next(BYS, self._matrix.axis.by)
        tenant, offer = self.tenant_id, self.offer
        self._matrix = Matrix(self._matrix.evaluation, by)
        self._show(sheet(self._matrix, replace(self._asked, differences=False)), tenant, offer)
        if self._asked.differences:
            self._again()
        self.say(f"by {by.replace('_', ' ')}")

    def do_differences(self) -> None:
        """Only what differs, or all."""
        self._again(differences=not self._asked.differences)
        if not self.background.running:
            hidden = f": {self._sheet.hidden:,} columns left out" if self._asked.differences else ""
            self.say("only differences" + hidden if self._asked.differences else "everything")

    def do_sort(self) -> None:
        """Tenants by the next result or fact."""
        keys = ("id", "winner", "cost_per_run", "survivors", "mark", *self._facts())
        self._again(sort=_next(keys, self._asked.sort))
        self.say(f"tenants by {self._asked.sort}")

    def do_columns(self) -> None:
        """Columns in another order."""
        self._again(order=_next(ORDERS, self._asked.order))
        words = {"chosen": "the most chosen first", "catalog": "in the catalog's order", "name": "by name"}
        self.say(f"columns {words.get(self._asked.order, 'by price, the cheapest first')}")

    def do_group(self) -> None:
        """Tenants of one value together, of the next fact."""
        keys = (None, *self._facts(), "mark")
        self._again(group=_next(keys, self._asked.group))
        self.say(f"together by {self._asked.group}" if self._asked.group else "not put together")

    def _facts(self) -> tuple[str, ...]:
        fields = self.state.rulebook.schema.fields.values()
        return tuple(field.name for field in fields if field.kind in ("choice", "flag") and field.name not in RESULTS)

    # taking along

    def copied(self) -> str:
        tenant, offer = self.tenant_id, self.offer
        if tenant is None or offer is None:
            return ""
        cell = self._sheet.matrix.cell(tenant, self._sheet.columns[self.grid.column])
        return f"{tenant} {self.state.catalog.offer_id(offer)}: {cell.text}"

    def do_export(self) -> None:
        """Write the sheet; a large one is written beside the screen."""
        found, title = self._sheet, f"{self.session.workspace.title}: tenants by {self._matrix.axis.by}"
        self.background.start("exporting", lambda _: _files(found, title), lambda made: ask_where_to(self, made))

    def exports(self) -> Mapping[str, bytes]:
        return _files(self._sheet, self.session.workspace.title)


def _made(progress: Progress, evaluation: Evaluation, by: By, asked: Asked) -> Sheet:
    matrix = Matrix(evaluation, by)
    for place, tenant in enumerate(matrix.tenants):
        progress.report(place / len(matrix.tenants))
        matrix.line(tenant)
    return sheet(matrix, asked)


def _files(found: Sheet, title: str) -> dict[str, bytes]:
    made = {"matrix.csv": as_csv(found).encode(), "matrix.md": as_markdown(found).encode()}
    if len(found.rows) * len(found.columns) <= MOST_CELLS:
        made["matrix.html"] = as_html(found, title).encode()
    return made


def _next(keys: tuple[T, ...], now: T) -> T:
    at = keys.index(now) if now in keys else -1
    return keys[(at + 1) % len(keys)]
