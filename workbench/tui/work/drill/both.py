"""The drill beside its radar: one of them is shown."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Input

from workbench.errors import WorkbenchError
from workbench.tui.doing.saving import reason_of
from workbench.tui.work.drill.radar_view import BYS, RadarView
from workbench.tui.work.drill.showing import MANY, DrillView
from workbench.whatif.radar import SORTS


class WithRadar(DrillView):
    """Two views, and the key between them."""

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

    def do_radar(self) -> None:
        """The radar, or the drill again."""
        showing = not self.on_radar
        self.query_one("#work-body").set_class(showing, "-radar")
        field = self.query_one("#filter", Input)
        said = "a name, or a clause such as region = eu" if showing else "type"
        field.placeholder = f"filter: {said}, enter keeps it, esc clears it"
        if showing:
            self.call_after_refresh(self._show_radar, stay=True)
            self.set_focus(self.radar.table)
        else:
            self.show_all()
            self.focus_body()

    def _show_radar(self, *, stay: bool = False) -> None:
        try:
            work = self.radar.asked(self.session.shown)
        except WorkbenchError as error:
            self.show_banner(reason_of(error))
            return
        self.show_banner("")
        if len(self.session.shown.outcomes) > MANY:
            self.background.start("looking", lambda _: work(), lambda found: self.radar.show(found, stay=stay))
        else:
            self.radar.show(work(), stay=stay)

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

    def on_resize(self) -> None:
        super().on_resize()
        if self.is_mounted and self.on_radar:
            self.call_after_refresh(self._show_radar, stay=True)

    def go_back(self) -> bool:
        if self.on_radar:
            self.do_radar()
            return True
        return False
