"""What the drill's screen shows: providers, one tenant's ladder, every tenant's end. Its keys are in `screen.py`."""

from __future__ import annotations

from dataclasses import replace

from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.content import Content
from textual.widgets import Input

from workbench.errors import WorkbenchError
from workbench.session.evaluation import Evaluation
from workbench.tui.doing.saving import reason_of
from workbench.tui.widgets.drawing import Cell, Line, clean
from workbench.tui.widgets.line_table import LineTable
from workbench.tui.widgets.rows import ListedRows
from workbench.tui.widgets.text_block import TextBlock
from workbench.tui.work.drill.lines import clock_line, ladder_lines, provider_line, tenant_line
from workbench.tui.work.following import Following
from workbench.whatif.drill.run import Drilled, drill, drill_all
from workbench.whatif.drill.trouble import Trouble

MANY = 100
"""Tenants from which all of them are drilled beside the screen."""
ALL = 1_000_000


class DrillView(Following):
    """Providers, ladder, tenants."""

    def compose_body(self) -> ComposeResult:
        with Container(id="drill-view"):
            with Vertical(id="drill-providers-box", classes="frame"):
                yield LineTable(id="drill-providers")
            with Container(id="drill-right"):
                with Vertical(id="drill-ladder-box", classes="frame"):
                    yield LineTable(id="drill-ladder")
                    yield TextBlock(id="drill-clock")
                with Vertical(id="drill-tenants-box", classes="frame"):
                    yield LineTable(self._tenant_moved, id="drill-tenants")

    def on_mount(self) -> None:
        self.trouble = Trouble()
        self.words = ""
        self.steps = ALL
        """How many steps of the ladder are seen."""
        self.drilled: Drilled | None = None
        self.ends: tuple[Drilled, ...] = ()
        self.query_one("#filter", Input).placeholder = "filter: type, enter keeps it, esc clears it"
        for box in ("providers", "ladder", "tenants"):
            self.name_box(box, box.capitalize())
        self.query_one("#drill-ladder", LineTable).quiet = True
        self.show_all()
        self.focus_body()

    def follow(self) -> None:
        self.show_all()

    def subject(self) -> str:
        broken = ", ".join(self.trouble.words()) or "everything is up"
        said = f"{self.cursors.tenant_id or ''} · {broken}{' · streamed' if self.trouble.streamed else ''}"
        return said + (f" · /{self.words}" if self.words else "")

    @property
    def providers(self) -> tuple[str, ...]:
        """The catalog's providers: those that win for a tenant first, then by name."""
        used = self.wins()
        names = sorted({offer.provider for offer in self.state.catalog.offers}, key=lambda p: (-used.get(p, 0), p))
        return tuple(name for name in names if self.words.casefold() in name.casefold())

    def wins(self) -> dict[str, int]:
        """By provider, how many tenants it wins."""
        found: dict[str, int] = {}
        for outcome in self.session.shown.outcomes.values():
            if outcome.winner is not None:
                provider = self.state.catalog.offers[outcome.winner].provider
                found[provider] = found.get(provider, 0) + 1
        return found

    def name_box(self, box: str, title: str) -> None:
        """Set a frame's title."""
        self.query_one(f"#drill-{box}-box").border_title = Content(clean(title))

    # showing

    def show_all(self) -> None:
        """The trouble, or the tenant, is another one."""
        self.show_providers()
        self.show_ladder()
        evaluation, trouble = self.session.shown, self.trouble
        if len(evaluation.outcomes) > MANY:
            self.background.start("drilling", lambda _: drill_all(evaluation, trouble), self.show_ends)
        else:
            self.show_ends(drill_all(evaluation, trouble))
        self.show_heading()

    def show_providers(self) -> None:
        """The list of providers; the cursor stays on its name."""
        table = self.query_one("#drill-providers", LineTable)
        names, used = self.providers, self.wins()
        width = max(20, table.draw_width)
        lines: list[tuple[int | None, Line]] = [
            (k, provider_line(name, self.trouble, used.get(name, 0), width)) for k, name in enumerate(names)
        ]
        table.show_rows(ListedRows(lines))

    def show_ladder(self) -> None:
        """One tenant's way down, as far as it was played."""
        table, clock = self.query_one("#drill-ladder", LineTable), self.query_one("#drill-clock", TextBlock)
        self.name_box("ladder", f"Ladder of {self.cursors.tenant_id or '?'}")
        try:
            self.drilled = self._drill(self.session.shown)
        except WorkbenchError as error:
            self.drilled = None
            table.show_rows(ListedRows([(None, [Cell(reason_of(error), "bad")])]))
            clock.show(lambda _width: [])
            return
        self.redraw_ladder()

    def redraw_ladder(self) -> None:
        """The same ladder, with more steps or fewer."""
        drilled = self.drilled
        if drilled is None:
            return
        table, clock = self.query_one("#drill-ladder", LineTable), self.query_one("#drill-clock", TextBlock)
        shown = min(self.steps, len(drilled.steps))
        lines = ladder_lines(self.state, drilled, shown, max(20, table.draw_width))
        table.show_rows(ListedRows(lines), max(0, shown - 1))
        trouble = self.trouble
        clock.show(lambda width: clock_line(drilled, shown, trouble, width))

    def _drill(self, evaluation: Evaluation) -> Drilled | None:
        outcome = evaluation.outcomes.get(self.cursors.tenant_id or "")
        return None if outcome is None else drill(evaluation.state, outcome, self.trouble)

    def show_ends(self, found: tuple[Drilled, ...]) -> None:
        """Every tenant's end, those without an answer first."""
        self.ends = tuple(sorted(found, key=lambda drilled: (not drilled.stranded, drilled.tenant)))
        stranded = sum(drilled.stranded for drilled in found)
        self.name_box("tenants", f"Tenants · {stranded} of {len(found)} end with nobody")
        table = self.query_one("#drill-tenants", LineTable)
        width = max(20, table.draw_width)
        lines: list[tuple[int | None, Line]] = [
            (k, tenant_line(self.state, drilled, width)) for k, drilled in enumerate(self.ends)
        ]
        at = next((k for k, drilled in enumerate(self.ends) if drilled.tenant == self.cursors.tenant_id), 0)
        table.show_rows(ListedRows(lines), at)

    def on_resize(self) -> None:
        if self.is_mounted:
            self.call_after_refresh(self._resized)

    def _resized(self) -> None:
        self.show_providers()
        self.redraw_ladder()
        self.show_ends(self.ends)

    def _tenant_moved(self, row: int) -> None:
        if row < len(self.ends):
            self.cursors = replace(self.cursors, tenant_id=self.ends[row].tenant, offer=None)
            self.show_heading()
            self.show_ladder()
