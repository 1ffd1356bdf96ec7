"""Why an offer stands where it stands, or does not: every clause's verdict, observed beside needed."""

from __future__ import annotations

from collections.abc import Iterator

from textual.app import ComposeResult

from workbench.language.clause_text import to_text
from workbench.session.views import Check, Why
from workbench.tui import wording
from workbench.tui.panels.clause_rows import source_cells
from workbench.tui.panels.panel import Panel
from workbench.tui.view import View
from workbench.tui.widgets.clause_lines import clause_lines
from workbench.tui.widgets.drawing import Cell, Line, cut, filled, line_width, spread
from workbench.tui.widgets.reader import Reader
from workbench.tui.widgets.rows import ListedRows
from workbench.tui.widgets.tokens import coloured


class WhyNot(Panel):
    """Follows the offer under the cursor, or the one that was picked by name."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._table = Reader(id="why-lines")

    def compose(self) -> ComposeResult:
        yield self._table

    def watch_view(self) -> None:
        self.redraw()

    def on_resize(self) -> None:
        self.redraw()

    def redraw(self) -> None:
        """Show the view anew."""
        view = self.view
        if view is None:
            return
        why = view.why
        if why is None:
            self.name_it("Why not", "w picks an offer")
            self._table.show_rows(ListedRows([(None, [Cell("w picks an offer; its verdicts stand here", "muted")])]))
            return
        name = f"{wording.short_model(why.offer.model_family)}@{why.offer.provider}"
        asked = "Why" if why.place is not None else "Why not"
        self.name_it(f"{asked} {name}", ("pinned · " if view.cursors.pinned else "") + standing(why))
        width = self._table.draw_width
        self._table.show_rows(ListedRows([(None, line) for line in why_lines(view, why, width)]))


def standing(why: Why) -> str:
    """Where the offer stands, in a few words."""
    failed = sum(not check.passed for check in why.checks)
    if failed:
        return f"rejected by {failed}"
    if why.place is None:
        return "not kept"
    return f"place {why.place} of {why.of}"


def why_lines(view: View, why: Why, width: int) -> Iterator[Line]:
    """Failing clauses first, then the passing ones, then the score's parts."""
    for check in sorted(why.checks, key=lambda check: check.passed):
        yield from _check_lines(check, width)
    if why.parts and why.score is not None:
        behind = f", {wording.score(why.behind)} behind the winner" if why.behind else ""
        yield [Cell(f"{'score':<7}", "label"), Cell(wording.score(why.score), "strong"), Cell(behind, "muted")]
        for part in why.parts:
            text = to_text(part.term, view.state.vocabulary)
            amount = f" {wording.score(part.value)} → {wording.score(part.contribution)}"
            yield [Cell("  "), *filled(coloured(text), max(4, width - 2 - len(amount))), Cell(amount, "muted")]


def _check_lines(check: Check, width: int) -> Iterator[Line]:
    """Clause, observed, needed: on one line where they fit, else what is observed below what is asked."""
    lead = Cell("✓ ", "good") if check.passed else Cell("x ", "bad")
    observed = Cell(check.observed, "muted" if check.passed else "bad")
    asked, needed = asked_and_needed(check)
    line = [lead, *coloured(asked), Cell("   "), observed, *needed]
    if line_width(line) <= width:
        yield spread([lead, *coloured(asked)], [observed, *needed], width)
    else:
        text, *more = clause_lines(check.clause.shown, max(4, width - 2))
        yield [lead, *text]
        yield from ([Cell("  "), *line] for line in more)
        second = [Cell("    has ", "faint"), observed, *needed]
        if line_width(second) > width:
            second = second[:2]
        yield [Cell("    has ", "faint"), *cut(second[1:], max(4, width - 8))]
    if not check.passed:
        yield [Cell("    "), *source_cells(check.clause)]


def asked_and_needed(check: Check) -> tuple[str, list[Cell]]:
    """What the clause asks about, and what is needed: a comparison gives its field and `>= 0.5`."""
    shown = check.clause.shown
    name, _, rest = shown.partition(" ")
    if rest and check.needed.startswith(rest):
        return name, [Cell("  "), Cell(check.needed, "faint" if check.passed else "")]
    return shown, [Cell("  needs ", "faint"), Cell(check.needed, "faint" if check.passed else "")]
