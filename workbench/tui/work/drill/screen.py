"""The outage drill: providers down or failing, a ladder on a virtual clock, who ends with nobody, the radar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from textual import on

from workbench.engine.faults import FAULTS
from workbench.errors import WorkbenchError
from workbench.tui.doing.saving import reason_of
from workbench.tui.screens.dialogs import AskText
from workbench.tui.widgets.line_table import LineTable
from workbench.tui.work.drill.both import WithRadar
from workbench.tui.work.drill.showing import ALL
from workbench.whatif.drill.radar_report import radar_report
from workbench.whatif.drill.reports import all_report, drill_report
from workbench.whatif.drill.trouble import Trouble, trouble_of
from workbench.whatif.drill.words import ending

if TYPE_CHECKING:
    from workbench.whatif.drill.trouble import Fault


class DrillScreen(WithRadar):
    """What happens to a request while providers are down or fail.

    On the left every provider: space takes it down. In the middle the ladder of one tenant: every attempt and wait on a
    virtual clock; nobody is called. On the right every tenant and how its request ends. `tab` goes from one to the
    other; another tenant's line shows that tenant's ladder. `r` is the radar: each provider gone by itself.
    """

    PLACE = "drill"
    HEADING = "Outage drill"

    # trouble

    def do_toggle(self) -> None:
        """Take the provider down, or up again; on the ladder, one step on."""
        if self.query_one("#drill-ladder").has_focus:
            self.do_step()
            return
        name = self._provider()
        if name is None:
            self.say("put the cursor on a provider", "warn")
            return
        self._broken(self.trouble.toggled(name))
        self.say(f"{name} is {'down' if name in self.trouble.down else 'up'}")

    def _provider(self) -> str | None:
        if self.on_radar:
            loss = self.radar.loss
            return loss.name if loss is not None and self.radar.by == "provider" else None
        table = self.query_one("#drill-providers", LineTable)
        names = self.providers
        return names[table.cursor] if table.has_focus and table.cursor < len(names) else None

    def _broken(self, trouble: Trouble) -> None:
        self.trouble, self.steps = trouble, ALL
        self.show_all()

    @on(LineTable.RowOpened)
    def _opened(self, event: LineTable.RowOpened) -> None:
        """Enter: a provider is taken down, on the radar in the drill; a tenant's ladder gets the focus."""
        event.stop()
        if event.table.id == "drill-tenants":
            self.set_focus(self.query_one("#drill-ladder"))
        elif event.table.id == "drill-providers":
            self.do_toggle()
        elif event.table.id == "radar-table" and (name := self._provider()) is not None:
            if name not in self.trouble.down:
                self._broken(self.trouble.toggled(name))
            self.do_radar()
            self.say(f"{name} is down")

    def do_fault(self) -> None:
        """Type a fault."""
        kinds = ", ".join(kind.form for kind in FAULTS.values())
        self._ask_fault(
            f"{self._provider() or 'openai'}=", f"PROVIDER[/MODEL]=KIND[:ARG][@PROBABILITY]; kinds: {kinds}"
        )

    def _ask_fault(self, value: str, text: str) -> None:
        self.host.push_screen(AskText("A fault", text, value), self._typed)

    def _typed(self, text: str | None) -> None:
        if text is None:
            return
        try:
            found: tuple[Fault, ...] = trouble_of(self.state, (), text.split(), options=False)
        except WorkbenchError as error:
            self._ask_fault(text, reason_of(error))
            return
        trouble = self.trouble
        for fault in found:
            trouble = trouble.with_fault(fault)
        self._broken(trouble)

    def do_clear(self) -> None:
        """Everything is up again."""
        self._broken(Trouble(streamed=self.trouble.streamed))
        self.say("everything is up")

    def do_stream(self) -> None:
        """Calls are streamed, or not."""
        now = not self.trouble.streamed
        self._broken(Trouble(self.trouble.faults, self.trouble.seed, self.trouble.latency_ms, now))
        self.say("calls are streamed" if now else "calls are answered whole")

    # the clock

    def do_step(self) -> None:
        """One step on; at the end, from the start."""
        if self.drilled is None or not self.drilled.steps:
            self.say("there is no step to play", "warn")
            return
        self.steps = 1 if self.steps >= len(self.drilled.steps) else self.steps + 1
        self.redraw_ladder()

    def do_play(self) -> None:
        """Play the rest."""
        self.steps = ALL
        self.redraw_ladder()

    def do_restart(self) -> None:
        """Back to the start."""
        self.steps = 0
        self.redraw_ladder()

    # all screens

    def filter_rows(self, text: str) -> None:
        if self.on_radar:
            self.radar.text = text
            self._show_radar()
        else:
            self.words = text
            self.show_providers()
            self.show_heading()

    def copied(self) -> str:
        if self.on_radar:
            loss = self.radar.loss
            return (
                "" if loss is None else f"{loss.name}: {', '.join(fall.tenant for fall in loss.dead) or 'nobody dies'}"
            )
        drilled = self.drilled
        return "" if drilled is None else f"{drilled.tenant}: {ending(self.state, drilled)}"

    def exports(self) -> Mapping[str, bytes]:
        outcome, drilled = self.outcome, self.drilled
        evaluation = self.session.shown
        if self.on_radar and self.radar.found is not None:
            return radar_report(self.state, self.radar.found).files("radar")
        files = all_report(evaluation, self.ends, self.trouble).files("drill-all")
        if outcome is not None and drilled is not None:
            files |= drill_report(self.state, outcome, drilled, self.trouble).files(f"drill-{drilled.tenant}")
        return files

    def do_take(self) -> None:
        """Back to the main screen, at this tenant."""
        self.take(self.cursors.tenant_id, None)
