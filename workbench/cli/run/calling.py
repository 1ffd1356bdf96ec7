"""Test calls on the command line while they run: quotes and steps to stderr, the answer to stdout, the result after.

One call streams as it comes. Two run side by side, and are shown beside each other when both are over.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from dataclasses import dataclass
from typing import Any

from workbench.boundary.sanitiser import visible
from workbench.cli import diagnostics
from workbench.cli.decide.rank import reasons
from workbench.cli.invocation import Invocation
from workbench.cli.layout import Table
from workbench.cli.output import write
from workbench.cli.run.call_shapes import call_json
from workbench.errors import Finding
from workbench.gateway.codecs.neutral import Delta
from workbench.gateway.dispatch import Stop
from workbench.gateway.events import CallEvent
from workbench.session.calls import wording
from workbench.session.calls.answer import Called
from workbench.session.calls.caller import Caller, Prepared
from workbench.session.state import WorkspaceState


@dataclass
class Calling:
    """The calls of one run of the command."""

    invocation: Invocation
    state: WorkspaceState
    caller: Caller
    prepared: list[Prepared]
    open_line: bool = False
    """Whether the answer stands at an unfinished line."""
    signalled: int | None = None
    """The signal that ended it."""

    @property
    def several(self) -> bool:
        """Whether two tenants' calls are compared."""
        return len(self.prepared) > 1

    def tell(self, text: str, each: Prepared | None = None) -> None:
        """One line on the side; not with `--quiet`, nor where a program reads along."""
        if self.invocation.quiet or self.invocation.as_json:
            return
        if self.open_line:
            write("\n")
            self.open_line = False
        diagnostics.tell(f"{each.tenant}: {text}" if each is not None and self.several else text)

    def show_quotes(self) -> None:
        """What each call would be."""
        for each in self.prepared:
            head = f"emulated, by {self.caller.emulator}" if each.emulated else "a real call"
            self.tell(f"{each.tenant}: {head}")
            for label, words in wording.quote_lines(self.state, each):
                self.tell(f"  {label:<9}  {words}")
            self.invocation.warn(each.findings)

    def run(self) -> list[Called]:
        """Make the calls and show what they came to."""
        called = asyncio.run(self._all())
        if self.invocation.as_json:
            self.invocation.output.document(self._document(called))
        elif self.several:
            self._beside(called)
        else:
            self._after(self.prepared[0], called[0])
        self._complain(called)
        return called

    async def _all(self) -> list[Called]:
        stops = [Stop() for _ in self.prepared]
        loop = asyncio.get_running_loop()

        def stop_all(number: int) -> None:
            self.signalled = number
            for stop in stops:
                stop.stop()

        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is None or signal.getsignal(number) is signal.SIG_IGN:  # nohup stays what it is
                continue
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):  # Windows, or beside a thread
                loop.add_signal_handler(number, stop_all, number)
        running = [
            self.caller.run(each, self._listener(each), stop) for each, stop in zip(self.prepared, stops, strict=True)
        ]
        return list(await asyncio.gather(*running))

    def _listener(self, each: Prepared) -> Any:
        async def heard(event: CallEvent) -> None:
            if isinstance(event, Delta):
                if not self.several and not self.invocation.as_json:
                    write(visible(event.text))
                    self.open_line = not event.text.endswith("\n")
                return
            words = wording.event_words(self.state, event)
            if words is not None:
                self.tell(words, each)

        return heard

    def _after(self, each: Prepared, called: Called) -> None:
        output = self.invocation.output
        if each.nobody:
            output.table(reasons(wording.state_of_call(self.state, each), each.outcome))
            if called.answer.recovery:
                self.tell(wording.outcome_words(called), each)
            return
        if called.ok and not each.question.stream and called.text:
            write(visible(called.text))
            self.open_line = not called.text.endswith("\n")
        for call in called.tool_calls:
            self._end_line()
            output.line(f"tool {call.name}: {call.arguments}")
        self._end_line()
        self.tell(wording.outcome_words(called))
        for label, words in (*wording.spent_lines(called), ("trace", wording.trace_words(called))):
            self.tell(f"  {label:<9}  {words}")

    def _end_line(self) -> None:
        if self.open_line:
            write("\n")
            self.open_line = False

    def _beside(self, called: list[Called]) -> None:
        """Both calls in one table, then each answer."""
        output = self.invocation.output
        rows = [[label, *(row[label] for row in map(self._facts, called))] for label in _LABELS]
        output.table(Table(("", *(each.tenant for each in self.prepared)), rows))
        for each, answer in zip(self.prepared, called, strict=True):
            output.line()
            output.heading(each.tenant)
            if each.nobody:
                output.table(reasons(wording.state_of_call(self.state, each), each.outcome))
            elif answer.text:
                write(visible(answer.text).rstrip("\n") + "\n")
            for call in answer.tool_calls:
                output.line(f"tool {call.name}: {call.arguments}")

    def _facts(self, called: Called) -> dict[str, str]:
        spent, index = called.spent, called.answer.index
        return {
            "answered by": "nobody" if index is None else wording.place_words(self.state, index),
            "outcome": called.outcome,
            "attempts": str(len(called.answer.attempts)),
            "tokens": wording.tokens_words(spent),
            "cost": wording.cost_words(called),
            "first token": wording.milliseconds(spent.first_token_ms),
            "tokens/s": "?" if spent.tokens_per_s is None else f"{spent.tokens_per_s:.0f}",
            "time": wording.milliseconds(called.answer.latency_ms),
            "trace": wording.trace_words(called),
        }

    def _complain(self, called: list[Called]) -> None:
        found = [
            Finding(f"tenant `{each.tenant}`: {wording.outcome_words(answer)}", _code_word(answer.outcome))
            for each, answer in zip(self.prepared, called, strict=True)
            if not answer.ok
        ]
        lost = next((answer for answer in called if answer.lost), None)
        if lost is not None:
            error = self.caller.traces.recorder().last_error
            why = str(error.findings[0].reason if error and error.findings else error)
            found.append(Finding(f"the trace is not whole: {why}", "trace_lost", severity="warning"))
        self.invocation.complain(found)

    def _document(self, called: list[Called]) -> dict[str, Any]:
        shapes = [
            call_json(self.state, each, answer) for each, answer in zip(self.prepared, called, strict=True)
        ]  # fmt: skip
        return {"calls": shapes} if self.several else shapes[0]


_LABELS = ("answered by", "outcome", "attempts", "tokens", "cost", "first token", "tokens/s", "time", "trace")


def _code_word(outcome: str) -> str:
    return {"no_candidates": "no_candidate", "cancelled": "cancelled"}.get(outcome, "provider_failure")
