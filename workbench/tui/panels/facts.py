"""The fourth column: price against quality, the tenant's facts and the facts of the offer in question."""

from __future__ import annotations

from collections.abc import Iterator

from textual.app import ComposeResult

from workbench.tui import wording
from workbench.tui.panels.clause_rows import fact_text
from workbench.tui.panels.panel import Panel
from workbench.tui.panels.plot import plot_lines
from workbench.tui.view import View
from workbench.tui.widgets.drawing import Cell, Line, filled, fit, shorten
from workbench.tui.widgets.reader import Reader
from workbench.tui.widgets.rows import ListedRows
from workbench.tui.widgets.text_block import TextBlock

PLOT_HEIGHT = 14


class Facts(Panel):
    """What is known about the tenant and the offer."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._plot = TextBlock(id="plot")
        self._table = Reader(id="fact-lines")

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
        self._table.show_rows(ListedRows([(None, line) for line in _fact_lines(view, width)]))


def _fact_lines(view: View, width: int) -> Iterator[Line]:
    outcome = view.outcome
    if outcome is None:
        return
    tenant = outcome.tenant
    yield [Cell(tenant.title, "strong")]
    for name in view.state.rulebook.schema.fields:
        value = tenant.facts.get(name)
        shown = Cell(wording.UNKNOWN, "warn") if value is None else Cell(fact_text(value))
        yield _named(name, shown, width)
    load = tenant.workload
    yield _named("tokens_in", Cell(wording.number(load.tokens_in)), width)
    yield _named("tokens_out", Cell(wording.number(load.tokens_out)), width)
    if load.runs_per_month is not None:
        yield _named("runs_per_month", Cell(wording.number(load.runs_per_month)), width)
        if outcome.cost_per_run is not None:
            monthly = wording.number(outcome.cost_per_run * load.runs_per_month)
            yield _named("cost per month", Cell(f"{monthly} $", "strong"), width)
    if view.offer is None:
        return
    yield ()
    yield [Cell(shorten(view.state.catalog.offer_id(view.offer), width), "strong")]
    for fact in view.state.catalog.facts(view.offer):
        if fact.value is None:
            yield _named(fact.name, Cell(wording.UNKNOWN, "warn"), width)
            continue
        value = (
            wording.number(fact.value)
            if isinstance(fact.value, int | float) and not isinstance(fact.value, bool)
            else fact_text(fact.value)
        )
        said = value if isinstance(fact.value, str | bool) or not fact.unit else f"{value} {_short_unit(fact.unit)}"
        yield _named(fact.name, Cell(said), width, fact.date)


def _short_unit(unit: str) -> str:
    return {"USD per million tokens": "$/M"}.get(unit, unit)


def _named(name: str, value: Cell, width: int, date: str = "") -> Line:
    end = f" {date}" if date and width >= 44 else ""
    left = min(18, width // 2)
    return [
        Cell(fit(name, left), "muted"),
        Cell(" "),
        *filled([value], width - left - 1 - len(end)),
        Cell(end, "faint"),
    ]
