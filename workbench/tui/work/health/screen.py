"""The screen of health: who is out and for how long, what calls measured, and the way to forget it."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult

from workbench.session.actions import Action
from workbench.session.calls.health.store import HealthStore
from workbench.session.calls.health.view import HealthView, MeasureRow, OutRow, age, health_view
from workbench.session.calls.places import state_folder
from workbench.session.session import Session
from workbench.tui.background import Progress
from workbench.tui.screens.dialogs import Ask, Choice
from workbench.tui.screens.work_screen import WorkScreen
from workbench.tui.view import Cursors
from workbench.tui.widgets.drawing import Cell, Line, fit
from workbench.tui.widgets.line_table import LineTable
from workbench.tui.widgets.rows import ListedRows

LOOK_SECONDS = 1.0
NAME = 28
_COLUMNS = (("success", 8), ("latency", 9), ("1st token", 10), ("tok/s", 7), ("calls", 6), ("last", 8))
"""Headings and widths."""
Row = OutRow | MeasureRow
Change = Callable[[HealthStore], object]


class HealthScreen(WorkScreen):
    """Breakers and disables with the time that is left, and what calls measured of each provider and model.

    A measure fades: after an hour a sample weighs half. Test calls decide by it where the policy names latency_ms,
    tok_s or success_rate. Real calls and the emulator's are kept apart.
    """

    PLACE = "health"
    HEADING = "Health"

    def __init__(self, session: Session, cursors: Cursors | None = None) -> None:
        super().__init__(session, cursors)
        self.emulated = False
        """Whether the emulator's calls are looked at."""
        self.view = HealthView((), ())
        self.shown: list[Row] = []
        self._text = ""

    def compose_body(self) -> ComposeResult:
        yield LineTable(id="health-rows")

    def on_mount(self) -> None:
        super().on_mount()
        self.set_interval(LOOK_SECONDS, self.refresh_rows)
        self.refresh_rows()
        self.focus_body()

    def subject(self) -> str:
        return "of emulated calls" if self.emulated else "of real calls"

    def title_of(self, action: Action) -> str:
        return "real calls" if action.id == "health.emulated" and self.emulated else super().title_of(action)

    def refresh_rows(self) -> None:
        """Look again, unless something else is at work."""
        if not self.background.running:
            self._look(lambda _store: None, quiet=True)

    def _look(self, change: Change, *, quiet: bool = False) -> None:
        emulated = self.emulated

        def work(_progress: Progress) -> tuple[HealthView, str]:
            store = HealthStore.at(state_folder(), emulated=emulated)
            change(store)
            return health_view(store), str(store.file.trouble or "")

        self.background.start("looking" if quiet else "forgetting", work, self._show)

    def _show(self, found: tuple[HealthView, str]) -> None:
        self.view, trouble = found
        self.show_banner(trouble)
        self.draw()

    def filter_rows(self, text: str) -> None:
        self._text = text
        self.draw()

    def draw(self) -> None:
        """Show the rows."""
        out = [row for row in self.view.out if self._text in row.provider]
        measures = [row for row in self.view.measures if self._text in f"{row.provider}/{row.model_family}"]
        self.shown = [*out, *measures]
        lines: list[tuple[int | None, Line]] = []
        if not self.shown:
            lines.append((None, [Cell("every provider may be called, and nothing has been measured", "muted")]))
        if out:
            lines.append((None, [Cell("not called now", "heading")]))
            lines += [(k, _out_line(row)) for k, row in enumerate(out)]
            lines.append((None, []))
        if measures:
            heads = "".join(f"{word:>{width}}" for word, width in _COLUMNS)
            lines.append((None, [Cell(fit("measured", NAME), "heading"), Cell(heads, "heading")]))
            lines += [(k, _measure_line(row)) for k, row in enumerate(measures, start=len(out))]
        self.query_one(LineTable).show_rows(ListedRows(lines))

    def do_reset(self) -> None:
        """Forget what the cursor is on."""
        row = self._row()
        if isinstance(row, OutRow):
            self._look(lambda store: store.reset(tenant=row.tenant, provider=row.provider))
        elif row is not None:
            self._look(lambda store: store.reset(provider=row.provider, family=row.model_family))
        else:
            self.say("there is nothing to forget", "warn")

    def do_reset_all(self) -> None:
        """Forget everything, once a person has said so."""
        whose = "emulated calls" if self.emulated else "real calls"
        text = f"Breakers, disables and measures of {whose} are gone then, for every tenant, and do not come back."

        def take(answer: str | None) -> None:
            if answer == "yes":
                self._look(lambda store: store.reset())

        self.host.push_screen(Ask("Forget everything?", text, [Choice("y", "yes, forget it all", "yes")]), take)

    def do_emulated(self) -> None:
        """Look at real calls, or at the emulator's."""
        self.emulated = not self.emulated
        self.show_heading()
        self.show_footer()
        self._look(lambda _store: None)

    def copied(self) -> str:
        row = self._row()
        if row is None:
            return ""
        return row.provider if isinstance(row, OutRow) else f"{row.provider}/{row.model_family}"

    def _row(self) -> Row | None:
        cursor = self.query_one(LineTable).cursor
        return self.shown[cursor] if cursor < len(self.shown) else None


def _out_line(row: OutRow) -> Line:
    words = f"{row.words}, {age(row.remaining_ms)} left"
    return [Cell(fit(row.provider, NAME), "strong"), Cell(fit(f"for {row.whom}", 20), "muted"), Cell(words, "warn")]


def _measure_line(row: MeasureRow) -> Line:
    words = [f"{word:>{width}}" for word, (_, width) in zip(row.words, _COLUMNS, strict=True)]
    good = (row.values["success_rate"] or 0.0) >= 0.9
    return [
        Cell(fit(f"{row.provider}/{row.model_family}", NAME), "strong"),
        Cell(words[0], "good" if good else "bad"),
        Cell("".join(words[1:])),
    ]
