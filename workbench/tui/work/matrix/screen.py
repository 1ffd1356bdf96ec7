"""The matrix: tenants down, offers (models, providers, regions) across; the cursor's cell explains itself below."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from workbench.tui.work.exporting import ask_where_to
from workbench.tui.work.matrix.showing import MatrixView
from workbench.whatif.matrix.axis import BYS, By
from workbench.whatif.matrix.exports import as_csv, as_markdown
from workbench.whatif.matrix.grid import Matrix
from workbench.whatif.matrix.page import MOST_CELLS, as_html
from workbench.whatif.matrix.sheet import ORDERS, RESULTS, Sheet, sheet

T = TypeVar("T")


class MatrixScreen(MatrixView):
    """Every tenant beside every offer.

    A number is the place that the offer has in the tenant's order, ◆ 1 the winner; a word is the rule that turns it
    away. With several offers in a column it is their best place, or the rule that turns the last of them away. `/`
    narrows tenants, and after a `|` columns: `plan=vip | claude eu`.
    """

    PLACE = "matrix"
    HEADING = "Matrix"

    def do_take(self) -> None:
        """Back to the main screen, at this tenant and this offer."""
        self.take(self.tenant_id, self.offer)

    # wishes

    def filter_rows(self, text: str) -> None:
        tenants, _, columns = text.partition("|")
        self.again(tenants=tenants, columns=columns)

    def do_by(self) -> None:
        """Other columns."""
        by: By = _next(BYS, self.matrix.axis.by)
        tenant, offer = self.tenant_id, self.offer
        self.matrix = Matrix(self.matrix.evaluation, by)
        self.show_sheet(sheet(self.matrix, replace(self.asked, differences=False)), tenant, offer)
        if self.asked.differences:
            self.again()
        self.say(f"by {by.replace('_', ' ')}")

    def do_differences(self) -> None:
        """Only what differs, or all."""
        self.again(differences=not self.asked.differences)
        if not self.background.running:
            hidden = f": {self.sheet.hidden:,} columns left out" if self.asked.differences else ""
            self.say("only differences" + hidden if self.asked.differences else "everything")

    def do_sort(self) -> None:
        """Tenants by the next result or fact."""
        keys = ("id", "winner", "cost_per_run", "survivors", "mark", *self._facts())
        self.again(sort=_next(keys, self.asked.sort))
        self.say(f"tenants by {self.asked.sort}")

    def do_columns(self) -> None:
        """Columns in another order."""
        self.again(order=_next(ORDERS, self.asked.order))
        words = {"chosen": "the most chosen first", "catalog": "in the catalog's order", "name": "by name"}
        self.say(f"columns {words.get(self.asked.order, 'by price, the cheapest first')}")

    def do_group(self) -> None:
        """Tenants of one value together, of the next fact."""
        keys = (None, *self._facts(), "mark")
        self.again(group=_next(keys, self.asked.group))
        self.say(f"together by {self.asked.group}" if self.asked.group else "not put together")

    def _facts(self) -> tuple[str, ...]:
        fields = self.state.rulebook.schema.fields.values()
        return tuple(field.name for field in fields if field.kind in ("choice", "flag") and field.name not in RESULTS)

    # taking along

    def copied(self) -> str:
        tenant, offer = self.tenant_id, self.offer
        if tenant is None or offer is None:
            return ""
        cell = self.sheet.matrix.cell(tenant, self.sheet.columns[self.grid.column])
        return f"{tenant} {self.state.catalog.offer_id(offer)}: {cell.text}"

    def do_export(self) -> None:
        """Write the sheet; a large one is written beside the screen."""
        found, title = self.sheet, f"{self.session.workspace.title}: tenants by {self.matrix.axis.by}"
        self.background.start("exporting", lambda _: _files(found, title), self._export)

    def _export(self, made: dict[str, bytes]) -> None:
        whole = "matrix.html" in made
        self.show_banner("" if whole else f"no page: it would hold more than {MOST_CELLS:,} cells; narrow the matrix")
        ask_where_to(self, made)

    def exports(self) -> Mapping[str, bytes]:
        return _files(self.sheet, self.session.workspace.title)


def _files(found: Sheet, title: str) -> dict[str, bytes]:
    made = {"matrix.csv": as_csv(found).encode(), "matrix.md": as_markdown(found).encode()}
    if len(found.rows) * len(found.columns) <= MOST_CELLS:
        made["matrix.html"] = as_html(found, title).encode()
    return made


def _next(keys: tuple[T, ...], now: T) -> T:
    at = keys.index(now) if now in keys else -1
    return keys[(at + 1) % len(keys)]
