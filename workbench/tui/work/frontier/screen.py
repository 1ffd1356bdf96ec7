"""The frontier, full size: two figures of every offer, what passes, what nothing beats; a point selects its offer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from textual import on
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.content import Content
from textual.widgets import Input

from workbench.session import views
from workbench.tui import wording
from workbench.tui.lines.plot_lines import legend_line
from workbench.tui.panels.why_not import asked_and_needed, standing
from workbench.tui.widgets.drawing import Cell, Line, clean, spread
from workbench.tui.widgets.line_table import LineTable
from workbench.tui.widgets.rows import ListedRows
from workbench.tui.widgets.text_block import TextBlock
from workbench.tui.widgets.tokens import coloured
from workbench.tui.work.following import Following
from workbench.tui.work.frontier.plot_view import PlotView
from workbench.whatif.frontier.axes import AxisOf, axes, axis_of, values
from workbench.whatif.frontier.plot import figure
from workbench.whatif.frontier.points import Frontier, Point, X, Y, frontier
from workbench.whatif.frontier.report import frontier_report
from workbench.whatif.matrix.sheet import words_of

TOLD = 4
"""Lines below the plot."""
NOTHING = Frontier("", AxisOf(X, "", True, True), AxisOf(Y, "", False, False), (), (), (0, 0))
"""Where there is no tenant."""


class FrontierView(Following):
    """The plot, the line of the best beside it, and the point under the cursor in words."""

    def compose_body(self) -> ComposeResult:
        with Container(id="frontier-both"):
            with Vertical(id="frontier-box", classes="frame"):
                yield PlotView(self.choose, id="frontier-plot")
                yield TextBlock(lambda width: [legend_line(width)], id="frontier-legend")
            with Vertical(id="frontier-line-box", classes="frame"):
                yield LineTable(self._line_moved, id="frontier-line")
        yield TextBlock(id="frontier-told")

    def on_mount(self) -> None:
        self.axes = (X, Y)
        self.found = NOTHING
        self.words = ""
        self.hidden = False
        """Whether the rejected are left out."""
        self.log_x = axis_of(self.state, X).spread
        self.query_one("#filter", Input).placeholder = "filter: offers that contain …; enter keeps it, esc clears it"
        self.draw()
        if self.cursors.offer is None and self.found.winner is not None:
            self.choose(self.found.winner.index)
        self.set_focus(self.plot)

    @property
    def plot(self) -> PlotView:
        """The plot."""
        return self.query_one(PlotView)

    def focus_body(self) -> None:
        self.set_focus(self.plot)

    def follow(self) -> None:
        self.draw()

    def subject(self) -> str:
        outcome = self.outcome
        if outcome is None:
            return ""
        survivors, _ = self.found.counts
        missing = len(self.found.unplotted)
        said = f"{outcome.tenant.id} · {survivors:,} pass"
        said += f" · {missing:,} not plotted: a figure is unknown" if missing else ""
        return said + (f" · /{self.words.strip()}" if self.words.strip() else "")

    def draw(self) -> None:
        """Work the points out for the tenant, the axes and the filter at hand."""
        outcome = self.outcome
        if outcome is None:
            return
        self.found = frontier(self.state, outcome, *self.axes)
        shown = self._narrowed(self.found)
        self.plot.show_points(shown, self.cursors.offer, log_x=self.log_x)
        x, y = self.found.x, self.found.y
        title = f"↑ {y.name}: {_best(y)}   → {x.name}: {_best(x)}{', log' if self.log_x else ''}"
        self.query_one("#frontier-box").border_title = Content(clean(title))
        self._show_line()
        self.show_heading()
        self.tell()

    def _narrowed(self, found: Frontier) -> Frontier:
        words = words_of(self.words)
        names = self.state.catalog.offer_ids
        points = tuple(
            point
            for point in found.points
            if not (self.hidden and point.kind == "rejected")
            and all(word in names[point.index].casefold() for word in words)
        )
        return replace(found, points=points)

    def _show_line(self) -> None:
        table = self.query_one("#frontier-line", LineTable)
        width = max(20, table.draw_width)
        lines: list[tuple[int | None, Line]] = [
            (k, _line_row(self, point, width)) for k, point in enumerate(self.found.line)
        ]
        at = next((k for k, point in enumerate(self.found.line) if point.index == self.cursors.offer), 0)
        table.show_rows(ListedRows(lines), at)
        self.query_one("#frontier-line-box").border_title = Content(f"Nothing beats these {len(lines)}")

    def on_resize(self) -> None:
        if self.is_mounted:
            self.call_after_refresh(self.draw)

    def choose(self, offer: int) -> None:
        """Put the cursor on an offer."""
        self.cursors = replace(self.cursors, offer=offer)
        self.plot.show_points(self._narrowed(self.found), offer, log_x=self.log_x)
        self._show_line()
        self.tell()

    def _line_moved(self, row: int) -> None:
        if row < len(self.found.line):
            self.choose(self.found.line[row].index)

    def point(self) -> Point | None:
        """The point under the cursor."""
        return next((point for point in self.found.points if point.index == self.cursors.offer), None)

    def tell(self) -> None:
        """The offer under the cursor, in words."""
        self.query_one("#frontier-told", TextBlock).show(lambda width: self._told(width)[:TOLD])

    def _told(self, width: int) -> list[Line]:
        outcome, offer, point = self.outcome, self.cursors.offer, self.point()
        if outcome is None or offer is None:
            return [[Cell("arrows go from point to point", "muted")]]
        why = views.why(self.state, outcome, offer)
        here = len(self.plot.here())
        others = f"  and {here - 1} more on this place: space" if here > 1 else ""
        style = "good" if why.place else "bad"
        lines: list[Line] = [
            spread([Cell(why.offer.label, "strong"), Cell(others, "muted")], [Cell(standing(why), style)], width)
        ]
        if point is None:
            missing = next((names for index, names in self.found.unplotted if index == offer), ())
            said = f"not plotted: {', '.join(missing)} is unknown" if missing else "not shown here"
            return [*lines, [Cell(said, "warn")]]
        x, y = self.found.x, self.found.y
        figures = f"{x.name} {_figure(point.x)} {x.unit} · {y.name} {_figure(point.y)} {y.unit}".rstrip()
        lines.append(spread([Cell(figures)], [Cell(_beaten(point), "muted")], width))
        failed = [check for check in why.checks if not check.passed]
        for check in failed:
            asked, needed = asked_and_needed(check)
            left = [Cell("x ", "bad"), Cell(f"{check.clause.rule}: ", "muted"), *coloured(asked)]
            lines.append(spread(left, [Cell(check.observed, "bad"), *needed], width))
        return lines


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value.is_integer() else f"{value:.6g}"


def _best(axis: AxisOf) -> str:
    return "low is best" if axis.less else "high is best"


def _beaten(point: Point) -> str:
    if point.pareto:
        return "nothing that passes beats it"
    if point.kind == "rejected":
        return "rejected; nothing would beat it" if point.open else "rejected, and beaten"
    return "beaten: another one is as good in both and better in one"


def _line_row(screen: FrontierView, point: Point, width: int) -> Line:
    offer = screen.state.catalog.offers[point.index]
    sign = Cell("◆ ", "accent") if point.kind == "winner" else Cell("● ", "good")
    name = [sign, Cell(wording.short_model(offer.model), "strong"), Cell(f" {offer.provider}", "muted")]
    return spread(name, [Cell(f"{figure(point.x)}  {figure(point.y)}")], width)


class FrontierScreen(FrontierView):
    """Two figures of every offer with the winner, what passes, what is rejected, and the line of the best.

    An offer is on the line where none that passes is at least as good in both figures and better in one. Offers with an
    unknown figure are not plotted, and counted above. Arrows go from point to point, `n` along the line, `X` and `Y`
    choose other figures.
    """

    PLACE = "frontier"
    HEADING = "Frontier"

    def do_take(self) -> None:
        """Back to the main screen, at this offer."""
        self.take(self.cursors.tenant_id, self.cursors.offer)

    @on(LineTable.RowOpened)
    def _opened(self, event: LineTable.RowOpened) -> None:
        event.stop()
        self.do_take()

    # points

    def do_next(self) -> None:
        """The next on the line."""
        self._along(1)

    def do_previous(self) -> None:
        """The one before on the line."""
        self._along(-1)

    def _along(self, by: int) -> None:
        line = [point.index for point in self.found.line]
        if not line:
            self.say("nothing is on the line", "warn")
            return
        at = line.index(self.cursors.offer) + by if self.cursors.offer in line else 0
        self.choose(line[at % len(line)])

    def do_same(self) -> None:
        """The next offer on the same place of the plot."""
        here = sorted(self.plot.here())
        if self.cursors.offer in here:
            self.choose(here[(here.index(self.cursors.offer) + 1) % len(here)])

    def do_winner(self) -> None:
        """The winner."""
        outcome = self.outcome
        if outcome is None or outcome.winner is None:
            self.say("nobody wins here", "warn")
            return
        self.choose(outcome.winner)

    # what is drawn

    def do_across(self) -> None:
        """Another figure across."""
        name = self._next_axis(self.axes[0])
        self.axes = (name, self.axes[1])
        self.log_x = axis_of(self.state, name).spread
        self.draw()

    def do_up(self) -> None:
        """Another figure up."""
        self.axes = (self.axes[0], self._next_axis(self.axes[1]))
        self.draw()

    def _next_axis(self, now: str) -> str:
        """The next figure that is known of an offer at all."""
        names = axes(self.state)
        start = names.index(now)
        for step in range(1, len(names)):
            name = names[(start + step) % len(names)]
            if name not in self.axes and self._known(axis_of(self.state, name)):
                return name
        return now

    def _known(self, axis: AxisOf) -> bool:
        outcome = self.outcome
        return outcome is not None and bool(np.isfinite(values(self.state, axis, outcome.tenant.workload)).any())

    def do_scale(self) -> None:
        """Logarithms across, or even steps."""
        self.log_x = not self.log_x
        self.draw()

    def do_rejected(self) -> None:
        """Hide the rejected, or show them."""
        self.hidden = not self.hidden
        self.draw()
        self.say("the rejected are hidden" if self.hidden else "all are shown")

    def filter_rows(self, text: str) -> None:
        self.words = text
        self.draw()

    def do_tenant(self) -> None:
        """The next tenant."""
        self._tenant(1)

    def do_tenant_before(self) -> None:
        """The tenant before."""
        self._tenant(-1)

    def _tenant(self, by: int) -> None:
        names = tuple(self.session.shown.outcomes)
        if not names:
            return
        at = names.index(self.cursors.tenant_id) if self.cursors.tenant_id in names else 0
        self.cursors = replace(self.cursors, tenant_id=names[(at + by) % len(names)], offer=None)
        self.draw()
        if self.found.winner is not None:
            self.choose(self.found.winner.index)

    def copied(self) -> str:
        offer = self.cursors.offer
        return "" if offer is None else self.state.catalog.offer_id(offer)

    def exports(self) -> Mapping[str, bytes]:
        report = frontier_report(self.state, self.found, (120, 32), log_x=self.log_x)
        return report.files(f"frontier-{self.found.tenant}")
