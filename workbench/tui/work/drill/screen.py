"""The outage drill: providers down or failing, a ladder on a virtual clock, who ends with nobody, the radar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from workbench.engine.faults import FAULTS
from workbench.errors import WorkbenchError
from workbench.tui.doing.saving import reason_of
from workbench.tui.screens.dialogs import AskText
from workbench.tui.widgets.line_table import LineTable
from workbench.tui.work.drill.radar_view import BYS, RadarView
from workbench.tui.work.drill.showing import ALL, DrillView
from workbench.whatif.drill.radar_report import radar_report
from workbench.whatif.drill.reports import all_report, drill_report
from workbench.whatif.drill.trouble import Trouble, trouble_of
from workbench.whatif.drill.words import ending
from workbench.whatif.radar import SORTS

if TYPE_CHECKING:
    from workbench.whatif.drill.trouble import Fault


class DrillScreen(DrillView):
    """What happens to a request while providers are down or fail.

    On the left every provider: space takes it down. In the middle the ladder of one tenant: every attempt and wait on a
    virtual clock; nobody is called. On the right every tenant and how its request ends. `tab` goes from one to the
    other; another tenant's line shows that tenant's ladder. `r` is the radar: each provider gone by itself.
    """

    PLACE = "drill"
    HEADING = "Outage drill"

    def compose_body(self) -> ComposeResult:
        yield from super().compose_body()
        yield RadarView(id="drill-radar")

    @property
    def radar(self) -> RadarView:
        """The second view."""
        return self.query_one(RadarView)

    @property
    def on_radar(self) -> bool:
        """Whether the radar is shown."""
        return self.query_one("#work-body").has_class("-radar")

    def follow(self) -> None:
        super().follow()
        if self.on_radar:
            self._show_radar(stay=True)

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
        name = self._provider() or "openai"
        kinds = ", ".join(FAULTS)
        text = f"PROVIDER[/MODEL]=KIND[:ARG][@PROBABILITY]; kinds: {kinds}"
        self.host.push_screen(AskText("A fault", text, f"{name}="), self._typed)

    def _typed(self, text: str | None) -> None:
        if text is None:
            return
        try:
            found: tuple[Fault, ...] = trouble_of(self.state, (), text.split())
        except WorkbenchError as error:
            self.show_banner(reason_of(error))
            return
        self.show_banner("")
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

    # the radar

    def do_radar(self) -> None:
        """The radar, or the drill again."""
        showing = not self.on_radar
        self.query_one("#work-body").set_class(showing, "-radar")
        field = self.query_one("#filter", Input)
        said = "a name, or a clause such as region = eu" if showing else "type"
        field.placeholder = f"filter: {said}, enter keeps it, esc clears it"
        if showing:
            self._show_radar()
            self.call_after_refresh(self._show_radar, stay=True)
            self.set_focus(self.radar.table)
        else:
            self.focus_body()

    def _show_radar(self, *, stay: bool = False) -> None:
        self.show_banner(self.radar.show(self.session.shown, stay=stay) or "")

    def do_by(self) -> None:
        """The radar by something else."""
        if self.on_radar:
            self.radar.by = BYS[(BYS.index(self.radar.by) + 1) % len(BYS)]
            self._show_radar()

    def do_sort(self) -> None:
        """The radar in another order."""
        if self.on_radar:
            self.radar.sort = SORTS[(SORTS.index(self.radar.sort) + 1) % len(SORTS)]
            self._show_radar()
            self.say(f"by {self.radar.sort}")

    # all screens

    def on_resize(self) -> None:
        super().on_resize()
        if self.is_mounted and self.on_radar:
            self.call_after_refresh(self._show_radar, stay=True)

    def filter_rows(self, text: str) -> None:
        if self.on_radar:
            self.radar.text = text
            self._show_radar()
        else:
            self.words = text
            self.show_providers()

    def go_back(self) -> bool:
        if self.on_radar:
            self.do_radar()
            return True
        return False

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
