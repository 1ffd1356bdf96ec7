"""The screen of traces: a list that follows what is being written, and one trace in full with its replay."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from workbench.boundary import strict_json
from workbench.errors import TraceError, WorkbenchError
from workbench.session.session import Session
from workbench.session.tracing.asking import query_filter
from workbench.session.tracing.verdict import verdict
from workbench.session.tracing.whole import exported, whole
from workbench.traces.listing import Filter, TraceRow
from workbench.tui import wording
from workbench.tui.background import Progress
from workbench.tui.doing.saving import reason_of
from workbench.tui.view import Cursors
from workbench.tui.widgets.line_table import LineTable
from workbench.tui.widgets.reader import Reader
from workbench.tui.widgets.rows import ListedRows
from workbench.tui.widgets.text_block import TextBlock
from workbench.tui.work.exporting import ask_where_to
from workbench.tui.work.traces import detail, loading
from workbench.tui.work.traces.following import Following
from workbench.tui.work.traces.loading import Listed
from workbench.tui.work.traces.pruning import Way, ask_which, ways
from workbench.tui.work.traces.table import TraceTable


class TracesScreen(Following):
    """Every decision that was recorded, newest first: how it ended, who answered, what it cost. Enter opens one: each
    attempt with its time, the verdict of deciding it again, who was ranked, and which rule kept whom out, with what it
    observed and what it needed. The filter knows `tenant:acme outcome:failed provider:openai since:2h until:2026-11-01`
    beside plain text; in an open trace it narrows the offers."""

    PLACE = "traces"
    HEADING = "Traces"
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, session: Session, cursors: Cursors | None = None) -> None:
        super().__init__(session, cursors)
        self.opened: detail.Opened | None = None
        """The trace that is being read."""
        self._query = ""
        """Narrows the offers of an open trace."""

    def compose_body(self) -> ComposeResult:
        yield TextBlock(self.nothing, id="traces-none")
        yield TraceTable(self.read_on, id="traces-list")
        yield Reader(id="traces-one")

    def on_resize(self) -> None:
        if self.opened is not None:
            self._show_one()

    def subject(self) -> str:
        return super().subject() if self.opened is None else self.opened.whole.row.trace_id

    @property
    def row(self) -> TraceRow | None:
        """The trace that is open, else the one under the cursor."""
        if self.opened is not None:
            return self.opened.whole.row
        return self.listed_row

    # one trace

    @on(LineTable.RowOpened)
    def _open(self, event: LineTable.RowOpened) -> None:
        event.stop()
        self._decide_again(fields=False)

    def _decide_again(self, *, fields: bool, present: bool = False) -> None:
        row = self.row
        if row is None:
            self.say("there is no trace here", "warn")
            return
        catalog = self.state.catalog

        def work(_progress: Progress) -> detail.Opened:
            store = self.traces.opened()
            other = self.traces.kept(catalog) if present else None
            return detail.Opened(whole(store, row), verdict(store, row, other), fields, present)

        self.background.start("deciding again", work, self._read_one)

    def _read_one(self, opened: detail.Opened) -> None:
        fresh = self.opened is None
        self.opened = opened
        self._query = "" if fresh else self._query
        self.query_one("#work-body").add_class("-one")
        reader = self.query_one(Reader)
        reader.top = 0 if fresh else reader.top
        self._show_one()
        self.show_heading()
        self.set_focus(reader)

    def _show_one(self) -> None:
        reader = self.query_one(Reader)
        if self.opened is not None:
            width = max(20, self.size.width - 3)
            made = detail.lines(self.opened, width, self._query)
            reader.show_rows(ListedRows([(None, line) for line in made]))

    def go_back(self) -> bool:
        if self.opened is None:
            return False
        self.opened = None
        self.query_one("#work-body").remove_class("-one")
        self.show_heading()
        self.set_focus(self.query_one(TraceTable))
        return True

    # keys

    def filter_rows(self, text: str) -> None:
        if self.opened is not None:
            self._query = text
            self._show_one()
            return
        try:
            wanted = query_filter(text, loading.now_ms())
        except WorkbenchError as error:
            self.show_banner(reason_of(error))
            return
        self.show_banner("")
        if wanted != self.listed.wanted:
            self.load(wanted)

    def copied(self) -> str:
        return "" if self.row is None else self.row.trace_id

    def do_replay(self) -> None:
        self._decide_again(fields=True)

    def do_against(self) -> None:
        self._decide_again(fields=True, present=True)

    def do_export(self) -> None:
        row = self.row
        if row is None:
            self.say("there is no trace to write", "warn")
            return

        def work(_progress: Progress) -> dict[str, bytes]:
            (found,) = exported(self.traces.opened(), Filter(), [row.trace_id], now_ms=loading.now_ms())
            if found.document is None:
                raise TraceError("the trace can't be read", found.findings)
            return {f"trace-{row.trace_id}.jsonl": strict_json.dumps(found.document).encode() + b"\n"}

        self.background.start("reading the trace", work, lambda contents: ask_where_to(self, contents))

    def do_prune(self) -> None:
        if self.background.running:
            self.say("wait for the list, or stop it with esc", "warn")  # what is counted is what is listed
            return
        row, wanted = self.row, self.listed.wanted

        def work(_progress: Progress) -> list[Way]:
            store = self.traces.existing()
            return [] if store is None else ways(store, wanted, row.trace_id if row else None)

        self.background.start("counting traces", work, lambda found: ask_which(self, found))

    def prune(self, way: Way) -> None:
        """Delete what was agreed on, and show what is left."""

        def work(_progress: Progress) -> tuple[int, Listed]:
            return way.plan.run(), loading.first(self.traces, self.listed.wanted)

        def done(answer: tuple[int, Listed]) -> None:
            deleted, listed = answer
            self.go_back()
            self.show_listed(listed)
            self.say(f"{wording.plural(deleted, 'trace')} deleted")

        self.background.start("deleting traces", work, done)
