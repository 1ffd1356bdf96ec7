"""The screen of the endpoint: started and stopped by one key, its calls as they come, how it is called to copy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.timer import Timer

from workbench.boundary import strict_json
from workbench.session.actions import Action
from workbench.session.calls.children.endpoint import Served
from workbench.session.session import Session
from workbench.tui import wording
from workbench.tui.view import Cursors
from workbench.tui.widgets.drawing import Cell, Line, clean, wrap
from workbench.tui.widgets.line_table import LineTable
from workbench.tui.widgets.text_block import TextBlock
from workbench.tui.work.serve.rows import CallRows
from workbench.tui.work.serve.running import Running

BESIDE: Final = 1
"""Cells by which the line above the footer is narrower than the lines above the list."""
EVERY: Final = 0.1
"""Seconds between two looks at calls that keep coming."""


class ServeScreen(Running):
    """The workspace behind an OpenAI-compatible endpoint on this machine. It goes on while you work on other screens,
    serves what you save, and ends with the app. Each call that it answers is a line, the newest first: whose it was,
    who answered, how many offers its policy left. Enter opens the trace: every attempt, and every rule that kept an
    offer out. With the emulator no key is needed and every answer is made up. `workbench serve` does the same without
    the app, and serves other machines with tokens."""

    PLACE = "serve"
    HEADING = "Serve"

    def __init__(self, session: Session, cursors: Cursors | None = None) -> None:
        super().__init__(session, cursors)
        self.shown: list[Served] = []
        self._text = ""
        self._due: Timer | None = None
        """A look at calls that have come."""

    def compose_body(self) -> ComposeResult:
        yield TextBlock(self.standing, id="serve-standing")
        yield LineTable(id="serve-calls")

    def on_mount(self) -> None:
        super().on_mount()
        self.endpoint.onlooker = self
        self.endpoint_changed()
        self.focus_body()

    def subject(self) -> str:
        return "stopped" if self.child is None else self.child.url

    def title_of(self, action: Action) -> str:
        if action.id == "serve.toggle" and self.child is not None:
            return "stop"
        if action.id == "serve.emulator" and self.endpoint.emulated is not None:
            return "providers"
        return super().title_of(action)

    # what is shown

    def standing(self, width: int) -> list[Line]:
        """The lines above the list: where it is, who answers, whose calls are shown."""
        emulated = self.endpoint.emulated is not None
        if self.child is None:
            other = "the providers answer" if emulated else "the emulator answer, without any key"
            hint = f"s starts it; e starts it and lets {other}"
            lines: list[Line] = [[Cell("stopped", "warn"), Cell(f"   {hint}", "muted")]]
            who = (
                "the emulator is to answer; every answer will be made up" if emulated else "the providers are to answer"
            )
        else:
            lines = [[Cell("base URL  ", "muted"), Cell(f"{self.child.url}/v1", "strong")]]
            who = "the emulator answers; every answer is made up" if emulated else "the providers answer"
        whose = "every tenant" if self.tenant is None else self.tenant
        count = wording.plural(len(self.shown), "call")
        lines.append([Cell(f"{who} · {count} of {clean(whose)}", "muted")])
        if self.endpoint.refusals:
            words = f"{self.endpoint.refusals:,} refused before a decision, the last: {self.endpoint.last_refusal}"
            lines.append([Cell(clean(words), "warn")])
        words = self.endpoint.words
        if cell_len(words) + BESIDE > width:  # more than the line above the footer has room for
            lines += [[Cell(line, "warn")] for line in wrap(words, width)]
        if self.snippet is not None and self.child is not None:
            lines.append([])
            lines += [[Cell(line)] for text in self.snippet[1].splitlines() for line in _broken(text, width)]
        return lines

    def draw(self) -> None:
        """Show the calls, and the lines above them; the cursor stays on its call."""
        before, table = self.row, self.query_one(LineTable)
        whose = [call for call in self.endpoint.calls if self.tenant in (None, call.tenant)]
        self.shown = [
            call for call in whose if self._text in f"{call.tenant} {call.offer} {call.outcome} {call.trace_id}"
        ]
        kept = self.shown.index(before) if before is not None and table.cursor and before in self.shown else None
        table.show_rows(CallRows(self.shown), kept)
        self.query_one("#serve-standing", TextBlock).show(self.standing)

    def narrowed(self) -> str:
        return self._text

    def filter_rows(self, text: str) -> None:
        self._text = text
        self.show_heading()
        self.draw()

    # what happens

    def endpoint_changed(self, *, listed: bool = False) -> None:
        if not self.is_running:
            return
        if not listed:
            self.show_banner(self.endpoint.words)
            self.show_heading()
            self.show_footer()
            self.draw()
        elif self._due is None:  # calls may come faster than a screen is worth drawing
            self._due = self.set_timer(EVERY, self._look)

    def _look(self) -> None:
        self._due = None
        self.draw()

    def do_tenant(self) -> None:
        """Everyone's calls, then each tenant's that has called."""
        names: list[str | None] = [None, *sorted({call.tenant for call in self.endpoint.calls})]
        place = names.index(self.tenant) if self.tenant in names else -1
        self.tenant = names[(place + 1) % len(names)]
        self.draw()

    def do_clear(self) -> None:
        """Forget what is listed."""
        self.endpoint.forget()
        self.tenant = None
        self.endpoint_changed()

    # the call under the cursor

    @property
    def row(self) -> Served | None:
        """The call under the cursor."""
        cursor = self.query_one(LineTable).cursor
        return self.shown[cursor] if cursor < len(self.shown) else None

    def exports(self) -> Mapping[str, bytes]:
        """What is listed, a line of JSON for each call, the oldest first; and how to call it, as it was copied last."""
        lines = [strict_json.dumps(asdict(call)) for call in reversed(self.shown)]
        found = {"calls.jsonl": "".join(f"{line}\n" for line in lines).encode()} if lines else {}
        if self.snippet is not None:
            found[self.snippet[0]] = self.snippet[1].encode()
        return found

    def copied(self) -> str:
        return "" if self.row is None else self.row.trace_id

    def on_line_table_row_opened(self, event: LineTable.RowOpened) -> None:
        event.stop()
        self.do_trace()

    def do_trace(self) -> None:
        """Open the trace of the call under the cursor."""
        if self.row is None:
            self.say("there is no call yet", "warn")
            return
        from workbench.tui.work.call.tracing import OneTrace  # noqa: PLC0415 - when it is asked for

        self.host.push_screen(OneTrace(self.session, self.cursors, self.row.trace_id))


def _broken(text: str, width: int) -> list[str]:
    """A line of code as it is where it fits, else broken at its spaces."""
    return [clean(text)] if cell_len(text) <= width else wrap(text, width)
