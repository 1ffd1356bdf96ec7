"""The tenants: who wins, what a run costs, how many offers are left, and what an open edit moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult

from workbench.session.evaluation import Movement, Outcome
from workbench.session.workspace import BrokenFile
from workbench.tui import wording
from workbench.tui.messages import TenantChosen
from workbench.tui.panels.panel import Panel
from workbench.tui.view import View
from workbench.tui.widgets.drawing import Cell, Line, shorten, spread
from workbench.tui.widgets.line_table import LineTable
from workbench.tui.widgets.rows import EvenRows
from workbench.tui.wording import facts_words

SORTS = ("id", "winner", "cost", "survivors", "mark", "moved")
"""Columns that the list can be sorted by, in the order that the key walks."""

SIGN_STYLES = {"▲": "warn", "▼": "good", "~": "accent", "x": "bad", "+": "good", "=": "faint"}


class Entry(NamedTuple):
    """A tenant, or a file that can't be one."""

    key: str
    outcome: Outcome | None
    movement: Movement | None
    broken: BrokenFile | None


def entries(view: View, sort: str, query: str) -> list[Entry]:
    """The rows to show; while an edit is open, those that moved come first."""
    found = [Entry(key, outcome, view.movements.get(key), None) for key, outcome in view.evaluation.outcomes.items()]
    found = [entry for entry in found if query.casefold() in _haystack(view, entry)]
    found.sort(key=lambda entry: _sort_key(view, entry, sort))
    if view.comparing or sort == "moved":
        found.sort(key=lambda entry: not (entry.movement and entry.movement.moved))
    broken = [Entry(str(b.path), None, None, b) for b in view.broken if query.casefold() in b.path.name.casefold()]
    return [*found, *broken]


def _haystack(view: View, entry: Entry) -> str:
    if entry.outcome is None:
        return entry.key.casefold()
    tenant = entry.outcome.tenant
    facts = " ".join(f"{name} {value}" for name, value in tenant.facts.items())
    shown = f"{tenant.id} {tenant.title} {facts} {wording.served(view.state, entry.outcome)} {entry.outcome.mark}"
    return shown.casefold()


def _sort_key(view: View, entry: Entry, sort: str) -> tuple[object, ...]:
    outcome = entry.outcome
    if outcome is None:
        return (1, entry.key)
    unknown = float("inf")
    value: object = {
        "winner": wording.winner_name(view.state, outcome),
        "cost": unknown if outcome.cost_per_run is None else outcome.cost_per_run,
        "survivors": outcome.survivors,
        "mark": {"error": 0, "nobody": 1, "one provider": 2, "": 3}[outcome.mark],
    }.get(sort, 0)
    return (value, entry.key)


class TenantRows(EvenRows):
    """Two lines a tenant."""

    height: ClassVar[int] = 2

    def __init__(self, view: View, shown: Sequence[Entry]) -> None:
        self._view = view
        self.shown = shown

    def __len__(self) -> int:
        return len(self.shown)

    def draw_row(self, row: int, sub: int, width: int) -> Line:
        entry = self.shown[row]
        if entry.broken is not None:
            return self._broken_line(entry.broken, sub, width)
        if entry.outcome is None:
            return ()
        draw = self._first_line if sub == 0 else self._second_line
        return draw(entry, entry.outcome, width)

    def _first_line(self, entry: Entry, outcome: Outcome, width: int) -> Line:
        moved = self._view.moved > 0 or self._view.comparing
        sign = entry.movement.sign if entry.movement and moved else " "
        touched = "•" if entry.key in self._view.touched else " "
        population = len(self._view.state.catalog.offers)
        note = {
            "error": Cell("x no policy", "bad"),
            "nobody": Cell("x nobody left", "bad"),
            "one provider": Cell("! 1 provider", "warn"),
            "": Cell(f"{outcome.survivors:,} of {population:,}", "faint"),
        }[outcome.mark]
        lead = [Cell(sign, SIGN_STYLES.get(sign, "")), Cell(touched, "accent"), Cell(entry.key, "strong")]
        if width >= 56:
            lead.append(Cell(f"  {facts_words(outcome.tenant)}", "faint"))
        return spread(lead, [note], width)

    def _second_line(self, entry: Entry, outcome: Outcome, width: int) -> Line:
        if outcome.mark == "error":
            return [Cell("  "), Cell(shorten(outcome.errors[0].reason, width - 2), "bad")]
        if outcome.mark == "nobody":
            before = entry.movement.before if entry.movement and entry.movement.moved else None
            said = f"was {wording.served(self._view.state, before)}" if before else "no offer passes every clause"
            return [Cell("  "), Cell(shorten(said, width - 2), "muted")]
        name = wording.short_model(wording.winner_name(self._view.state, outcome))
        moved = entry.movement is not None and entry.movement.moved
        price = [Cell(wording.cost(outcome.cost_per_run), "muted")]
        said = f"  {wording.moved_words(entry.movement)}" if moved and width >= 40 else ""
        return spread([Cell("  "), Cell(name, "warn" if moved else ""), Cell(said, "muted")], price, width)

    def _broken_line(self, broken: BrokenFile, sub: int, width: int) -> Line:
        finding = broken.findings[0]
        if sub == 0:
            at = f":{finding.place.line}" if finding.place.line else ""
            return [Cell("x ", "bad"), Cell(shorten(f"{broken.path.name}{at}", width - 2), "strong")]
        return [Cell("  "), Cell(shorten(finding.reason, width - 2), "bad")]


class Tenants(Panel):
    """The list of tenants."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.sort = "id"
        self.query_text = ""
        self._table = LineTable(self._moved, id="tenant-table")

    def compose(self) -> ComposeResult:
        yield self._table

    def watch_view(self) -> None:
        self.redraw()

    def redraw(self) -> None:
        """Show the view anew: another state, sort or filter."""
        view = self.view
        if view is None:
            return
        shown = entries(view, self.sort, self.query_text)
        at = next((k for k, entry in enumerate(shown) if entry.key == view.cursors.tenant_id), 0)
        self._table.show_rows(TenantRows(view, shown), None if self.said else at)
        total = len(view.evaluation.outcomes) + len(view.broken)
        count = f"{total}" if len(shown) == total else f"{len(shown)} of {total}"
        moved = f"{view.moved} moved" if view.moved else ""
        filtered = f"/{self.query_text}" if self.query_text else ""
        by = f"by {self.sort}" if self.sort != "id" else ""
        self.name_it(f"Tenants {count}", " ".join(part for part in (filtered, by, moved) if part))

    def next_sort(self) -> str:
        """Sort by the next column; gives its name."""
        self.sort = SORTS[(SORTS.index(self.sort) + 1) % len(SORTS)]
        self.redraw()
        return self.sort

    def filter(self, text: str) -> None:
        """Show only the tenants that contain a text."""
        self.query_text = text
        self.redraw()

    def _moved(self, row: int) -> None:
        rows = self._table.rows
        if isinstance(rows, TenantRows) and row < len(rows):
            self.announce(TenantChosen(rows.shown[row].key))
