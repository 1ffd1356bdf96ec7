"""What the fleet's screen shows: the lines at the top, the lists, and the question behind them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from textual.app import ComposeResult

from workbench.errors import WorkbenchError
from workbench.session.actions import Action
from workbench.session.session import Session
from workbench.tui.doing.saving import reason_of
from workbench.tui.screens.work_screen import WorkScreen
from workbench.tui.view import Cursors
from workbench.tui.widgets.drawing import Cell, Line, clean, shorten, wrap
from workbench.tui.widgets.line_table import LineTable
from workbench.tui.widgets.text_block import TextBlock
from workbench.tui.work.fleet.keeping import kept_of
from workbench.tui.work.fleet.rows import SheetRows
from workbench.whatif.fleet.answer import (
    NOBODY,
    errors_sheet,
    headline,
    lines,
    moved_sheet,
    moves,
    moves_sheet,
    segments_sheet,
    stranded_sheet,
)
from workbench.whatif.fleet.asked import PolicyRow, ask
from workbench.whatif.fleet.asking import sides
from workbench.whatif.fleet.side import Side
from workbench.whatif.fleet.totals import NAMED, Totals
from workbench.whatif.report import Sheet, monthly

VIEWS: Final = ("segments", "changes", "stranded", "moved", "no policy")
_NOTHING: Final = (
    "No tenants are open.",
    "",
    "o  opens a file (CSV, JSON lines, Parquet, SQLite) or a database, with the options of `workbench fleet`",
    "n  writes a made-up base of as many tenants as you like, and opens it",
)


class FleetView(WorkScreen):
    """The lists and what is said above them; what can be done stands in `screen`."""

    def __init__(self, session: Session, cursors: Cursors | None = None) -> None:
        super().__init__(session, cursors)
        self.kept = kept_of(session)
        self.totals: Totals | None = None
        self.view = VIEWS[0]
        self.detail: tuple[str, ...] | None = None
        """The segment whose policies are listed."""
        self.policies: Sequence[PolicyRow] = ()
        self._text = ""
        self.places: dict[str, int] = {}

    def compose_body(self) -> ComposeResult:
        yield TextBlock(id="fleet-told")
        yield LineTable(lambda _row: self.show_row(), id="fleet-rows")
        yield TextBlock(id="fleet-row")

    def on_mount(self) -> None:
        super().on_mount()
        self.draw()
        self.focus_body()
        if self.kept.base is not None:
            self.ask()
        elif self.session.workspace.settings.fleet.source is not None and not self.kept.text:
            self.say("o opens the source that workbench.toml names")

    def subject(self) -> str:
        return "" if self.kept.source is None else self.kept.source.name

    # what is asked

    def sides(self) -> tuple[Side | None, Side]:
        """The world before, where anything is supposed or not saved, and the world after."""
        supposed, workspace = self.kept.supposed, self.session.workspace
        before, after = sides(workspace, self.state, supposed)
        if self.unsaved:
            before = Side.of(workspace.state)
        return before, after

    @property
    def unsaved(self) -> bool:
        """Whether the rules shown are others than those in the files."""
        return self.state.rulebook.sha256 != self.session.workspace.state.rulebook.sha256

    def ask(self) -> None:
        """Decide again for everyone, under what is supposed now."""
        base = self.kept.base
        if base is None:
            return
        try:
            before, after = self.sides()
        except WorkbenchError as error:
            self.show_banner(reason_of(error))
            return
        self.show_banner("")
        by = self.kept.settings.by or base.plan.by
        self.background.start("deciding", lambda _: ask(base, after, before, by), self._answered)

    def _answered(self, totals: Totals) -> None:
        self.totals = totals
        self.detail = None
        if not totals.compares and self.view in ("changes", "moved"):
            self.view = VIEWS[0]
        self.draw()

    # drawing

    def draw(self) -> None:
        """Show the lines at the top and the rows of the view."""
        self.show_heading()
        self.query_one("#fleet-told", TextBlock).show(self._told)
        table = self.query_one("#fleet-rows", LineTable)
        table.show_rows(SheetRows(self.sheet(), self._text), self.places.get(self._place, 0))
        self.show_footer()
        self.show_row()

    def offered(self, action: Action) -> bool:
        segments = self.totals is not None and self.view == "segments" and self.detail is None
        return action.id != "fleet.detail" or segments

    def show_row(self) -> None:
        """The row under the cursor in full: a table cuts what does not fit."""
        row, block = self.row(), self.query_one("#fleet-row", TextBlock)
        headings = self.sheet().headings if row is not None else ()
        cells = [f"{heading} {cell}" for heading, cell in zip(headings, row or (), strict=True) if cell]
        text = clean(" · ".join(cells)) if self.totals is not None else ""
        block.show(
            lambda width: [[Cell(f" {part}", "muted")] for part in wrap(text, max(width - 2, 8))] if text else []
        )

    @property
    def _place(self) -> str:
        return self.view if self.detail is None else ", ".join(self.detail)

    def _told(self, width: int) -> list[Line]:
        totals = self.totals
        if totals is None:
            return [[Cell(shorten(f" {line}", width), "" if k else "strong")] for k, line in enumerate(_NOTHING)]
        stopped = self.kept.base is not None and self.kept.base.stopped
        told: list[Line] = [[Cell(f" {headline(totals, complete=not stopped)}", "strong")]]
        told.append([Cell(" supposed  ", "label"), Cell(clean(self._supposed()), "accent")])
        told += [
            [Cell(shorten(f" {line}", width), "warn" if k < 2 else "muted")] for k, line in enumerate(lines(totals))
        ]
        told.append(self._tabs(totals))
        return told

    def _supposed(self) -> str:
        known = self.kept.supposed
        words = ["the edits that are not saved"] if self.unsaved else []
        words += [*known.rules, *(f"{name} down" for name in known.down), *known.facts]
        return " · ".join(words) or "nothing: e another rule, d a provider down, f a fact"

    def _tabs(self, totals: Totals) -> Line:
        counts = {
            "segments": len(totals.segments()),
            "stranded": totals.stranded_count,
            "no policy": totals.invalid,
            "moved": totals.changed - totals.stranded_count if totals.compares else None,
            "changes": None if not totals.compares else len(moves(totals)),
        }
        line: list[Cell] = [Cell(" ")]
        for name in VIEWS:
            count = counts[name]
            if count is None:
                continue
            here_now = name == self.view
            line.append(
                Cell(f"[{name} {count:,}]" if here_now else f" {name} {count:,} ", "key" if here_now else "muted")
            )
        if self.detail is not None:
            line.append(Cell(f"  > {', '.join(self.detail)}", "strong"))
        return line

    def sheet(self) -> Sheet:
        """What the rows show."""
        totals = self.totals
        if totals is None:
            return Sheet("", ("",), ())
        if self.detail is not None:
            return _policies_sheet(self.policies, compares=totals.compares)
        makers: dict[str, Callable[[], Sheet]] = {
            "segments": lambda: segments_sheet(totals),
            "changes": lambda: moves_sheet(totals, NAMED),
            "stranded": lambda: stranded_sheet(totals, NAMED),
            "moved": lambda: moved_sheet(totals, NAMED),
            "no policy": lambda: errors_sheet(totals, NAMED),
        }
        return makers[self.view]()

    def filter_rows(self, text: str) -> None:
        self._text = text
        self.draw()

    def go_back(self) -> bool:
        if self.detail is None:
            return False
        self.detail = None
        self.draw()
        return True

    def row(self) -> tuple[str, ...] | None:
        """What the cursor is on."""
        table = self.query_one("#fleet-rows", LineTable)
        rows = table.rows
        if not isinstance(rows, SheetRows) or not 0 <= table.cursor < len(rows):
            return None
        return rows.shown[table.cursor]


def _policies_sheet(rows: Sequence[PolicyRow], *, compares: bool) -> Sheet:
    change = ("change", "before") if compares else ()
    headings = ("winner", "tenants", "$/month", *change, "survivors", "providers", "policy")
    numbers = frozenset(("tenants", "$/month", "survivors", "providers"))
    made: list[tuple[str, ...]] = []
    for row in rows:
        moved = (row.movement, row.before or NOBODY) if compares else ()
        cells = (row.after or NOBODY, f"{row.sums.tenants:,}", monthly(row.sums.after), *moved)
        made.append((*cells, str(row.survivors), str(row.providers), row.policy or "none"))
    return Sheet("Policies", headings, tuple(made), numbers)
