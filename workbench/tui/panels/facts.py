"""The fourth column: price against quality, the tenant's facts and the facts of the offer in question."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult

from workbench.tui.lines.fact_lines import other_lines, tenant_lines
from workbench.tui.panels.panel import Panel
from workbench.tui.panels.plot import plot_lines
from workbench.tui.widgets.drawing import Cell, Line
from workbench.tui.widgets.line_table import LineTable
from workbench.tui.widgets.rows import ListedRows
from workbench.tui.widgets.text_block import TextBlock

PLOT_HEIGHT = 14


class Facts(Panel):
    """What is known about the tenant and the offer."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._plot = TextBlock(id="plot")
        self._table = LineTable(id="fact-lines")
        self._table.quiet = True

    def compose(self) -> ComposeResult:
        yield self._plot
        yield self._table

    def watch_view(self) -> None:
        self.redraw()

    def on_resize(self) -> None:
        self.redraw()

    def redraw(self) -> None:
        """Show the view anew; nothing where the column is not on screen."""
        view = self.view
        if view is None or not self.size.width:
            return
        self.name_it("Price and quality, facts")
        self._plot.show(lambda width: plot_lines(view, width, PLOT_HEIGHT))
        width = self._table.draw_width
        outcome = view.outcome
        if outcome is None:
            self._table.show_rows(ListedRows())
            return
        lines: list[tuple[int | None, Line]] = [(None, [Cell(outcome.tenant.title, "strong")])]
        for line in (*tenant_lines(view, width), *other_lines(view, outcome, width)):
            lines.append((len(lines) - 1 if line else None, line))
        self._table.show_rows(ListedRows(lines))

    @property
    def selected(self) -> str | None:
        """The tenant's fact under the cursor, where the cursor is here."""
        names = tuple(self.view.state.rulebook.schema.fields) if self.view else ()
        return names[self._table.cursor] if self._table.has_focus and self._table.cursor < len(names) else None

    @on(LineTable.RowOpened)
    async def _opened(self, event: LineTable.RowOpened) -> None:
        event.stop()
        if self.selected is not None:
            await self.run_action("screen.do('fact.edit')")
