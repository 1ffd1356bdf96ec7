"""What can be set beside the prompt: system prompt, JSON, length, stream, a second tenant, a held key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from workbench.boundary.names import expanded
from workbench.boundary.sanitiser import one_line
from workbench.errors import UsageError, WorkbenchError
from workbench.language.runnable import REQUEST_PARAMETERS
from workbench.session.calls.caller import Caller
from workbench.session.calls.question import Question, read_tools
from workbench.tui.screens.dialogs import Ask, AskText, Choice
from workbench.tui.screens.speaking import Speaking
from workbench.tui.widgets.drawing import Cell, Line, cut
from workbench.tui.widgets.text_block import TextBlock


class Asking(Speaking):
    """The settings of a call screen."""

    question: Question
    caller: Caller | None
    faults: tuple[str, ...] = ()
    second: str | None = None
    """The tenant beside the first."""

    def settings_line(self, width: int) -> Line:
        """What is asked beside the prompt."""
        asked = self.question
        parts = [
            f"system: {one_line(asked.system, limit=30) if asked.system else 'none'}",
            f"JSON {'on' if asked.json_mode else 'off'}",
            f"tools: {len(asked.tools) or 'none'}",
            f"at most {asked.max_tokens:,} tokens",
            "stream" if asked.stream else "in one piece",
        ]
        faults = [Cell(f"  faults: {' '.join(self.faults)}", "warn")] if self.faults else []
        return cut([Cell(" · ".join(parts), "muted"), *faults], width)

    def show_settings(self) -> None:
        """Draw the line of settings anew."""
        self.query_one("#call-settings", TextBlock).show(lambda width: [self.settings_line(width)])

    def quote(self) -> None:
        """Work out what the calls would be, and ask."""

    def change(self, **what: Any) -> None:
        """Set something of the question; what is quoted is quoted anew."""
        self.question = replace(self.question, **what)
        self.show_settings()
        self.quote()

    def do_system(self) -> None:
        """Write a system prompt; `-` takes it away."""
        self.host.push_screen(
            AskText("System prompt", "What the model is told first; - for none.", self.question.system or ""),
            lambda said: self.change(system=None if said == "-" else said) if said else None,
        )

    def do_json(self) -> None:
        """Ask for one JSON object, or no more."""
        self.change(json_mode=not self.question.json_mode)

    def do_stream(self) -> None:
        """Ask for a stream, or for one piece."""
        self.change(stream=not self.question.stream)

    def do_tokens(self) -> None:
        """Set the longest answer."""
        low, high = REQUEST_PARAMETERS["max_tokens"]

        def take(said: str | None) -> None:
            if said is None:
                return
            if not said.isascii() or not said.isdigit() or not low <= int(said[:9]) <= high:
                self.say(f"a whole number from {low:.0f} to {high:,.0f}", "warn")
                return
            self.change(max_tokens=int(said[:9]))

        self.host.push_screen(
            AskText("Longest answer", "In tokens; it bounds what a call can cost.", str(self.question.max_tokens)), take
        )

    def do_tools(self) -> None:
        """Take the tools from a file; a second time takes them away."""
        if self.question.tools:
            self.change(tools=())
            return
        text = "A JSON list in OpenAI's shape: its path."

        def take(name: str | None) -> None:
            if name:
                self.background.start("reading tools", lambda _: read_tools(expanded(name)), self._set_tools)

        self.host.push_screen(AskText("Tools", text, ""), take)

    def _set_tools(self, tools: tuple[Mapping[str, Any], ...]) -> None:
        self.change(tools=tools)

    def do_second(self) -> None:
        """Another tenant beside this one; a second time takes it away."""
        if self.second is not None:
            self._set_second(None)
            return
        names = [tenant.id for tenant in self.state.tenants if tenant.id != self.cursors.tenant_id]
        text = f"Its call is made beside this one's. Tenants: {', '.join(names[:12])}{' …' if len(names) > 12 else ''}"

        def take(said: str | None) -> None:
            if said is None:
                return
            try:
                if self.state.tenant(said).id == self.cursors.tenant_id:
                    raise UsageError("that tenant is here already")
            except WorkbenchError as error:
                self.failed(error)
                return
            self._set_second(said)

        self.host.push_screen(AskText("Second tenant", text, names[0] if names else ""), take)

    def _set_second(self, tenant: str | None) -> None:
        self.second = tenant
        self.set_class(tenant is not None, "-two")
        self.show_heading()
        self.quote()

    def do_key(self) -> None:
        """Let one held key go where this catalog sends it."""
        held = self.caller.ring.held if self.caller is not None else ()
        if self.caller is None or not held:
            self.say("no key is held")
            return
        name, origin = held[0]
        ring = self.caller.ring
        text = f"{name} was used for another address before. Send it to {origin} from now on?"

        def take(answer: str | None) -> None:
            if answer == "yes":
                self.background.start("keeping", lambda _: ring.confirm(name, origin), lambda _: self.quote())

        self.host.push_screen(Ask("A key is held", text, [Choice("y", "yes, send it there", "yes")]), take)
