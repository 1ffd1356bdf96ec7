"""A list that follows what is being written to a trace store: read in pages, looked after every second.

Owns the list and the store it is from; what is done with a trace stands in `screen.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from workbench.errors import WorkbenchError
from workbench.session import tracing
from workbench.session.session import Session
from workbench.traces.listing import Filter, TraceRow
from workbench.tui.doing.saving import reason_of
from workbench.tui.screens.work_screen import WorkScreen
from workbench.tui.view import Cursors
from workbench.tui.widgets.drawing import Cell, Line, wrap
from workbench.tui.widgets.text_block import TextBlock
from workbench.tui.work.traces import loading
from workbench.tui.work.traces.loading import Listed
from workbench.tui.work.traces.table import TraceRows, TraceTable

POLL_SECONDS = 1.0
"""How often is looked whether the store has something new."""


class Following(WorkScreen):
    """A screen with a table of traces."""

    def __init__(self, session: Session, cursors: Cursors | None = None) -> None:
        super().__init__(session, cursors)
        self.listed = Listed()
        self._looking = False
        self._reading = False
        self._where: str | None = None
        """Why there is no store to look at."""
        try:
            self.traces = tracing.Traces(tracing.place_of(session.workspace))
        except WorkbenchError as error:
            self._where = reason_of(error)
            self.traces = tracing.Traces(tracing.default_place(session.workspace.root))

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one(TraceTable).show_rows(TraceRows(self.listed))
        if self._where is not None:
            self.show_banner(self._where)
            return
        self.load(Filter())
        self.set_interval(POLL_SECONDS, self._look)

    async def on_unmount(self) -> None:
        await asyncio.to_thread(self.traces.close)  # waits for who still reads: not beside the keys

    @property
    def listed_row(self) -> TraceRow | None:
        """The trace under the cursor."""
        cursor = self.query_one(TraceTable).cursor
        return self.listed.rows[cursor] if cursor < len(self.listed.rows) else None

    # what is shown

    def subject(self) -> str:
        total = max(self.listed.total, len(self.listed.rows))
        more = "+" if self.listed.next is not None and total == len(self.listed.rows) else ""
        like = " like that" if self.listed.wanted != Filter() else ""
        return f"{total:,}{more} {'trace' if total == 1 and not more else 'traces'}{like} in {self.traces.shown}"

    def nothing(self, width: int) -> list[Line]:
        """What is said where no trace is shown."""
        if self.listed.rows or self._where is not None:
            return []
        if self.listed.pulse is None:
            text = f"Nothing has been traced yet. Calls and `workbench serve` write traces to {self.traces.shown}."
        elif self.listed.wanted != Filter():
            text = "No trace is like that. Escape clears the filter."
        else:
            text = f"There is no trace in {self.traces.shown}."
        return [(), *([Cell(line, "muted")] for line in wrap(text, max(10, width - 4)))]

    def show_listed(self, listed: Listed) -> None:
        """Show these; the cursor stays on its trace."""
        table = self.query_one(TraceTable)
        under = self.listed_row
        self.listed = listed
        numbers = {row.sequence: place for place, row in enumerate(listed.rows)} if under is not None else {}
        place = numbers.get(under.sequence) if under is not None else None
        moved = 0 if place is None else place - table.cursor
        top = table.top + moved if moved and table.top else None
        table.show_rows(TraceRows(listed), 0 if place is None else place, top=top)
        self.query_one("#traces-none", TextBlock).show(self.nothing)
        self.show_heading()
        told = [notice.reason for notice in self.traces.notices]
        if told:
            self.show_banner("; ".join(told))

    # reading the store

    def load(self, wanted: Filter) -> None:
        """Show the traces that a filter means."""
        self.background.start("reading traces", lambda _progress: loading.first(self.traces, wanted), self.show_listed)

    def read_on(self) -> None:
        """More rows, as the end comes near."""
        if self.listed.next is not None and not self._reading:
            self._reading = True
            self.run_worker(self._read(loading.further), group="traces-more")

    async def _look(self) -> None:
        """Whether something happened in the store."""
        if not self._looking and not self._reading and not self.background.running:
            self._looking = self._reading = True
            try:
                await self._read(loading.refreshed)
            finally:
                self._looking = False

    async def _read(self, work: Callable[[tracing.Traces, Listed], Listed | None]) -> None:
        before = self.listed
        try:
            listed = await asyncio.to_thread(work, self.traces, before)
        except (WorkbenchError, OSError) as error:
            self.show_banner(reason_of(error))
            return
        finally:
            self._reading = False
        if listed is not None and listed is not before and self.listed is before and self.is_mounted:
            self.show_listed(listed)
