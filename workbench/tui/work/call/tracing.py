"""From a call to its trace: the screen of traces, with that one open; the way back leads to the call."""

from __future__ import annotations

from workbench.session.session import Session
from workbench.tui.view import Cursors
from workbench.tui.work.traces.loading import Listed
from workbench.tui.work.traces.screen import TracesScreen
from workbench.tui.work.traces.table import TraceTable


class OneTrace(TracesScreen):
    """The trace of a call."""

    PLACE = "traces"

    def __init__(self, session: Session, cursors: Cursors | None, trace_id: str) -> None:
        super().__init__(session, cursors)
        self._trace_id: str | None = trace_id

    def show_listed(self, listed: Listed) -> None:
        super().show_listed(listed)
        places = [place for place, row in enumerate(listed.rows) if row.trace_id == self._trace_id]
        if places:
            self._trace_id = None
            table = self.query_one(TraceTable)
            table.show_rows(table.rows, places[0])
            self.call_later(self._decide_again, fields=False)

    def go_back(self) -> bool:
        return False
