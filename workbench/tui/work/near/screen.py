"""What it takes to admit an offer, for every rejected one, the nearest first; and what ends the winner's lead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.content import Content

from workbench.errors import NoCandidate
from workbench.tui.background import Progress
from workbench.tui.widgets.drawing import Cell, Line, fit, spread
from workbench.tui.widgets.line_table import LineTable
from workbench.tui.widgets.rows import EvenRows
from workbench.tui.widgets.text_block import TextBlock
from workbench.tui.work.answers.screen import AnswerScreen
from workbench.whatif.margin.margin import margin
from workbench.whatif.near.near import near, nearest
from workbench.whatif.report import Report, Sheet
from workbench.whatif.reports.near import margin_report, near_report


class MissRows(EvenRows):
    """Rejected offers with how many clauses are against each."""

    def __init__(self, misses: Sequence[tuple[int, int]], names: list[str]) -> None:
        self.misses = misses
        self.names = names

    def __len__(self) -> int:
        return len(self.misses)

    def draw_row(self, row: int, sub: int, width: int) -> Line:  # noqa: ARG002 - a row is one line
        count = self.misses[row][1]
        word = f"{count} clause{'' if count == 1 else 's'}" if count else "admitted"
        return spread([Cell(fit(self.names[row], max(1, width - 11)))], [Cell(word, "muted")], width)


class NearScreen(AnswerScreen):
    """The rejected offers, those with the fewest clauses against them first, and what would admit the one chosen.

    Every change was decided before it is shown: the clauses with their exact new texts, the facts that would do
    instead, and the place that the offer then has. `m` shows the winner's margin: the last value of each field with
    which it wins, and the next double, with which it does not.
    """

    PLACE = "near"
    HEADING = "Near"
    EXPORT = "near"

    lead: bool = False
    """Whether the winner's margin is shown."""
    misses: tuple[tuple[int, int], ...] = ()
    """Rejected offers as places in the catalog, with how many clauses are against each."""

    def compose_body(self) -> ComposeResult:
        with Container(id="near-both"):
            with Vertical(id="near-box", classes="frame"):
                yield LineTable(self._missed, id="near-misses")
            with Vertical(id="near-answer", classes="frame"):
                yield TextBlock(id="answer-said")
                yield LineTable(self._moved, id="answer-table")
        yield TextBlock(id="answer-told")

    def begin(self) -> None:
        outcome = self.outcome
        decision = None if outcome is None else outcome.decision
        offer = self.cursors.offer
        self.lead = offer is None or (decision is not None and decision.place(offer) == 1)
        self.go_to_list()

    @property
    def list_table(self) -> LineTable:
        """The offers."""
        return self.query_one("#near-misses", LineTable)

    def subject(self) -> str:
        return f"{self.cursors.tenant_id or ''} · {'margin of the winner' if self.lead else 'near misses'}"

    def go_to_list(self) -> None:
        """List the offers and put the focus there, or on the margin."""
        self.list_misses()
        self.focus_body()

    def list_misses(self) -> None:
        """The rejected offers of the tenant, the nearest first; the one that was looked at stands first of all."""
        outcome = self.outcome
        if outcome is None:
            return
        found = list(nearest(self.state, outcome, len(self.state.pool)))
        offer = self.cursors.offer
        if offer is not None and offer not in {index for index, _ in found}:
            found.insert(0, (offer, 0))
        words = self.words.casefold().split()
        names = self.state.catalog.offer_ids
        self.misses = tuple(one for one in found if all(word in names[one[0]].casefold() for word in words))
        at = next((k for k, (index, _) in enumerate(self.misses) if index == offer), 0)
        self.list_table.show_rows(MissRows(self.misses, [names[index] for index, _ in self.misses]), at)
        self.query_one("#near-box").border_title = Content(f"Rejected {len(found)}")
        self.set_class(self.lead, "-margin")
        self.show_heading()
        if self.misses and not self.lead:
            self.cursors = replace(self.cursors, offer=self.misses[at][0])
        self.ask()

    def _missed(self, row: int) -> None:
        if row < len(self.misses):
            self.cursors = replace(self.cursors, offer=self.misses[row][0])
            self.ask()

    def answer(self, progress: Progress) -> Report | None:
        progress.report()
        tenant, offer = self.cursors.tenant_id, self.cursors.offer
        if tenant is None:
            return None
        if self.lead:
            try:
                return margin_report(margin(self.state, tenant, self.evaluator, tell=progress.report))
            except NoCandidate as error:
                empty = Sheet("", ("field",), ())
                return Report(f"{tenant}: {error.title}", ("m shows the offers that come nearest",), (), empty, {})
        return (
            None
            if offer is None
            else near_report(self.state, near(self.state, tenant, offer, self.evaluator, progress.report))
        )

    def follow(self) -> None:
        self.list_misses()

    def filter_rows(self, text: str) -> None:
        self.words = text
        if self.lead:
            self.draw()
        else:
            self.list_misses()
        self.show_heading()

    def draw(self) -> None:
        words, self.words = self.words, self.words if self.lead else ""
        super().draw()
        self.words = words

    def focus_body(self) -> None:
        self.set_focus(self.table if self.lead else self.list_table)

    def do_read(self) -> None:
        """From the offers to what it takes, and back."""
        self.set_focus(self.list_table if self.table.has_focus and not self.lead else self.table)

    def do_margin(self) -> None:
        """The winner's margin, or the near misses."""
        self.lead = not self.lead
        if not self.lead:
            outcome = self.outcome
            winner = None if outcome is None else outcome.winner
            self.cursors = replace(self.cursors, offer=None if self.cursors.offer == winner else self.cursors.offer)
        self.go_to_list()

    def do_show(self) -> None:
        """Back to the main screen, at the offer."""
        self.take(self.cursors.tenant_id, self.cursors.offer)

    @on(LineTable.RowOpened)
    def _opened(self, event: LineTable.RowOpened) -> None:
        event.stop()
        self.do_show()

    def go_tenant(self, by: int) -> None:
        names = tuple(self.session.shown.outcomes)
        if names:
            at = names.index(self.cursors.tenant_id) if self.cursors.tenant_id in names else 0
            self.look_at(tenant_id=names[(at + by) % len(names)], offer=None)
            self.list_misses()

    def export_name(self) -> str:
        return f"{self.cursors.tenant_id}-margin" if self.lead else self.cursors.tenant_id or "none"
