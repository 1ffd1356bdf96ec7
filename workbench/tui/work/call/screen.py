"""The screen of test calls: what it can cost first, then the plan step by step beside the text, then what it came to.

Owns what is asked and when; `session.calls` makes the calls. A prompt lives on this screen alone and is kept nowhere.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input

from workbench.boundary.sanitiser import one_line
from workbench.errors import WorkbenchError
from workbench.gateway.dispatch import Stop, monotonic_ms
from workbench.gateway.events import CallEvent
from workbench.session.actions import Action
from workbench.session.calls.answer import Called
from workbench.session.calls.caller import Caller, Prepared
from workbench.session.calls.question import Question
from workbench.session.calls.watch import Watch
from workbench.session.session import Session
from workbench.session.tracing import Traces, place_of
from workbench.tui.background import Progress
from workbench.tui.screens.work_screen import WorkScreen
from workbench.tui.view import Cursors
from workbench.tui.widgets.drawing import Cell, Line, clean, spread
from workbench.tui.widgets.text_block import TextBlock
from workbench.tui.work.call.afterwards import Afterwards
from workbench.tui.work.call.asking import Asking
from workbench.tui.work.call.emulating import GONE, Emulating
from workbench.tui.work.call.lane import Lane, PlanReader

REDRAW_SECONDS = 0.1
END_SECONDS = 5.0
"""Longest that leaving waits for a call's end to be recorded."""


class CallScreen(Asking, Emulating, Afterwards, WorkScreen):
    """One call through a tenant's policy, or two beside each other.

    Write a prompt and press enter: nothing is sent before you have seen who would answer and the most that it can cost
    over the whole plan. Then the plan goes by step by step: → tried, ✗ failed and why, … waiting, ✓ answered, - passed
    over, ! nothing can be sent to it. esc cancels at any time. Without keys, press e for a local emulator.
    While you write, keys are letters: esc leaves the prompt.
    """

    PLACE = "call"
    HEADING = "Test call"

    def __init__(self, session: Session, cursors: Cursors | None = None) -> None:
        super().__init__(session, cursors)
        self.question = Question("")
        self.caller: Caller | None = None
        self.asking = False
        """Whether a person's word is awaited."""
        self.stops: list[Stop] = []
        self._going: set[asyncio.Task[Called]] = set()
        """Calls under way: they are ended and recorded before the screen is gone."""
        self._gone = False

    def compose_body(self) -> ComposeResult:
        yield TextBlock(lambda width: [self.settings_line(width)], id="call-settings")
        prompt = Input(id="call-prompt", compact=True, placeholder="what to ask; enter shows what it can cost")
        prompt.cursor_blink = False
        yield prompt
        with Vertical(id="call-lanes"):
            yield Lane("call-first")
            yield Lane("call-second")

    def on_mount(self) -> None:
        super().on_mount()
        self.set_interval(REDRAW_SECONDS, self.redraw)
        try:
            traces = Traces(place_of(self.session.workspace))
        except WorkbenchError as error:
            self.failed(error)
            return
        self.caller = Caller(self.session.workspace.root, traces)
        self.do_edit()  # there is no prompt yet: what is typed is one, and no key

    async def on_unmount(self) -> None:
        self._gone = True
        for stop in self.stops:
            stop.stop()
        if self._going:
            await asyncio.wait(self._going, timeout=END_SECONDS)
        await self.stop_emulator()
        if self.caller is not None:
            await asyncio.to_thread(self.caller.traces.close)

    # what is shown

    @property
    def lanes(self) -> list[Lane]:
        """One for each tenant."""
        both = [self.query_one("#call-first", Lane), self.query_one("#call-second", Lane)]
        return both if self.second is not None else both[:1]

    @property
    def running(self) -> bool:
        """Whether a call is under way."""
        return any(lane.seen is not None and lane.seen.phase == "running" for lane in self.lanes)

    def subject(self) -> str:
        names = [self.cursors.tenant_id or "no tenant", *([self.second] if self.second else [])]
        return " beside ".join(names)

    def heading_line(self, width: int) -> Line:
        left = [Cell(self.HEADING, "title"), Cell(f"   {clean(self.subject())}   ", "strong")]
        if self.gone:
            left.append(Cell(f"the emulator at {self.emulated} HAS GONE: nothing is sent", "bad"))
        elif self.emulated is not None:
            left.append(Cell(f"EMULATED at {self.emulated}: no model answers, nothing is charged", "warn"))
        else:
            left.append(Cell("real calls", "muted"))
        return spread(left, [Cell("esc", "key"), Cell(" back", "muted")], width)

    def redraw(self) -> None:
        """Show what has happened since."""
        now = monotonic_ms()
        self.notice_end()
        for lane in self.lanes:
            lane.look(now)

    def title_of(self, action: Action) -> str:
        if action.id == "call.yes" and not self.asking:
            return "copy curl"
        if action.id == "call.emulator" and self.emulated is not None and not self.gone:
            return "real calls"
        return super().title_of(action)

    # from a prompt to a quote

    @on(Input.Submitted, "#call-prompt")
    def _prompt_written(self, event: Input.Submitted) -> None:
        event.stop()
        self.question = replace(self.question, prompt=event.value)
        self.quote()

    def quote(self) -> None:
        """Work out what the calls would be, and ask."""
        caller, state = self.caller, self.state
        if self.asking:  # what was agreed to is not what is asked any more
            self.asking = False
            self.show_footer()
        if caller is None or self.running or not self.question.prompt.strip():
            return
        if self.gone:
            self.show_banner(GONE)
            self.focus_body()
            return
        tenants = [self.cursors.tenant_id or "", *([self.second] if self.second else [])]
        question = self.question
        self.show_banner("")

        def work(_progress: Progress) -> list[Prepared]:
            return [caller.prepare(state, tenant, question) for tenant in tenants]

        self.background.start("preparing", work, self._quoted)

    def _quoted(self, prepared: list[Prepared]) -> None:
        for lane, each in zip(self.lanes, prepared, strict=True):
            lane.show_watch(Watch(self.state, each))
        self.focus_body()
        stuck = [each for each in prepared if each.stuck]
        going = [each for each in prepared if not each.stuck and not each.nobody]
        self.asking = bool(going)
        words: list[str] = []
        if stuck:
            names = " and ".join(each.tenant for each in stuck)
            words.append(f"nothing can be sent for {names}: set the variables above, or press e for the emulator")
        if going:
            unknown = "it could cost anything; " if any(each.quote.usd is None for each in going) else ""
            what = f"the call of {going[0].tenant}" if len(going) < len(prepared) else "it"
            words.insert(0, f"{unknown}send {what}?  y sends it, n does not")
        if words:
            self.show_banner("; ".join(words))
        else:
            self.send()
        self.redraw()
        self.show_footer()

    # from a yes to an answer

    def do_yes(self) -> None:
        """Send what was quoted; after that, copy it as curl."""
        if self.asking:
            self.send()
        else:
            self.do_copy()

    def do_no(self) -> None:
        """Send nothing."""
        if self.asking:
            self.asking = False
            self.show_banner("")
            self.say("not sent")

    def do_edit(self) -> None:
        """Go to the prompt."""
        if not self.running:
            self.set_focus(self.query_one("#call-prompt", Input))

    def send(self) -> None:
        """Make the calls; none where the emulator that was to answer has gone."""
        self.notice_end()
        if self.gone:
            self.asking = False
            self.show_banner(GONE)
            self.show_footer()
            return
        self.asking = False
        self.show_banner("")
        self.stops = []
        for place, lane in enumerate(self.lanes):
            stop = Stop()
            self.stops.append(stop)
            if lane.seen is not None and not lane.seen.prepared.stuck:
                lane.seen.begin(monotonic_ms())
                self.run_worker(self._run(lane, lane.seen, stop), group=f"call-{place}", exclusive=True)
        self.show_footer()

    async def _run(self, lane: Lane, watch: Watch, stop: Stop) -> None:
        caller = self.caller
        if caller is None:
            return

        async def heard(event: CallEvent) -> None:
            watch.hear(event, monotonic_ms())

        going = asyncio.create_task(caller.run(watch.prepared, heard, stop))
        self._going.add(going)
        going.add_done_callback(self._going.discard)
        try:
            called = await asyncio.shield(going)
        except WorkbenchError as error:
            if not self._gone:
                lane.show_watch(None)
                self.failed(error)
            return
        if self._gone:
            return
        watch.end(called)
        lane.finish()
        if called.lost:
            error = caller.traces.recorder().last_error
            why = error.findings[0].reason if error and error.findings else str(error)
            self.show_banner(f"{called.lost} records of the trace could not be written: {one_line(why, limit=120)}")
        if called.emulated and self.emulated is None and not watch.prepared.emulated:
            self.show_banner("an emulator answered, by its own word")
        self.redraw()
        self.show_footer()

    def do_back(self) -> None:
        """Cancel what runs; else take the question back; else leave."""
        if self.running:
            for stop in self.stops:
                stop.stop()
            self.say("cancelled")
        elif self.asking:
            self.do_no()
        elif self.focused is self.query_one("#call-prompt", Input):
            self.focus_body()
        else:
            super().do_back()

    def focus_body(self) -> None:
        self.set_focus(self.lanes[0].query_one(PlanReader))
