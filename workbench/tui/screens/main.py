"""The main screen at work: keys become intentions, intentions become edits of the session.

What each key does is in `doing/`; the open edit is in `editing.py`; here is what happens on disk meanwhile.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widgets import Input

from workbench.errors import WorkbenchError
from workbench.session.actions import ACTIONS, MAIN, actions_for
from workbench.session.session import Session
from workbench.tui.doing import HANDLERS
from workbench.tui.doing.saving import reason_of
from workbench.tui.keeping import Found, JournalKeeper
from workbench.tui.messages import (
    DiskChanged,
    MainReady,
)
from workbench.tui.panels.decision import Decision
from workbench.tui.panels.tenants import Tenants
from workbench.tui.screens.editing import Editing
from workbench.tui.screens.restoring import ask_about
from workbench.tui.widgets.drawing import Cell, shorten
from workbench.tui.widgets.text_block import TextBlock
from workbench.tui.workers import DiskWatch

if TYPE_CHECKING:
    from workbench.tui.serving import Endpoint


class MainScreen(Editing):
    """Where a workspace is worked on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(",".join(action.keys), f"do({action.id!r})", action.title, show=False, id=action.id)
            for action in ACTIONS
            if action.where in MAIN and action.where != "editor"
        ),
        Binding("tab", "next_panel(1)", "next panel", show=False, id="panel.next"),
        Binding("shift+tab", "next_panel(-1)", "previous panel", show=False, id="panel.previous"),
        Binding("escape", "back", "back", show=False, id="back"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._disk = DiskWatch(session, self)
        self.keeper = JournalKeeper(session, self, self.not_kept)
        self.on_disk: tuple[Path, ...] = ()
        """Files that another program changed and that were not read since."""
        self.banner = ""
        """What the line above the footer says."""
        self._disk_trouble = ""
        """What it last said of the files."""
        self._endpoint: Endpoint | None = None

    def on_mount(self) -> None:
        self._disk.start()
        self.run_worker(self._begin(), group="begin")

    async def _begin(self) -> None:
        """See whether another process works here, ask about what an earlier sitting left, then take keys."""
        found = await asyncio.to_thread(self._claimed)
        if self.session.hold.other is not None:
            self.show_banner("")
        if found is not None:
            ask_about(self, self.keeper, found)
        self.post_message(MainReady(asks=found is not None))

    def on_screen_resume(self) -> None:
        """Another screen may have made edits."""
        if self.view is not None and self.view.evaluation is not self.session.shown:
            self.refresh_view()

    async def on_unmount(self) -> None:
        self.session.hold.release()
        if self._endpoint is not None:
            await self._endpoint.stop()

    # the endpoint, looked on from here while its own screen is closed

    @property
    def endpoint(self) -> Endpoint:
        """What serves the workspace; not started by being asked for."""
        from workbench.tui.serving import Endpoint  # noqa: PLC0415 - few sittings serve

        if self._endpoint is None:
            self._endpoint = Endpoint(self.session, self)
        return self._endpoint

    def endpoint_changed(self, *, listed: bool = False) -> None:
        """Show in the heading whether there is an endpoint; its calls are listed on its own screen."""
        if listed:
            return
        self.serving, self.serving_ill = self.endpoint.mark, bool(self.endpoint.trouble)
        if self.view is not None and self.is_running:
            self.show_view(replace(self.view, serving=self.serving, serving_ill=self.serving_ill))

    def _claimed(self) -> Found | None:
        """What an earlier sitting left, where the workspace is ours to take it up in. Touches the disk."""
        return self.keeper.find() if self.session.hold.claim(self.session) is None else None

    def refresh_view(self) -> None:
        """Show the session as it is now; what is not saved is kept in a moment."""
        super().refresh_view()
        self.keeper.look()

    # keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys of one panel do nothing in another."""
        if action != "do":
            return True
        return any(known.id == parameters[0] for known in actions_for(self.place))

    async def action_do(self, action_id: str) -> None:
        """Do what the registry calls `action_id`."""
        self.hush()
        self.hear_all()
        handler = HANDLERS.get(action_id)
        if handler is not None:
            handler(self)

    def action_back(self) -> None:
        """Out of what is narrowed: the pinned offer, the clause's offers, the filters."""
        decision = self.query_one(Decision)
        if decision.removed_by is not None:
            decision.show_removed(None)
        elif self.cursors.pinned or self.cursors.offer is not None:
            self.choose_offer(None, pinned=False)
        else:
            for panel in (decision, self.query_one(Tenants)):
                panel.filter("")

    # filters

    @on(Input.Changed, "#filter")
    def _filter_typed(self, event: Input.Changed) -> None:
        panel = self.query_one(Tenants) if self.panel == "tenants" else self.query_one(Decision)
        panel.filter(event.value)

    @on(Input.Submitted, "#filter")
    def close_filter(self) -> None:
        """Keep the filter and go back to the list."""
        self.query_one("#filter", Input).remove_class("-open")
        self.go(self.panel)

    # the disk

    @on(DiskChanged)
    def _disk_changed(self, event: DiskChanged) -> None:
        self.on_disk = event.paths
        if not event.paths:
            if self.banner == self._disk_trouble:
                self.show_banner("")
            self._disk_trouble = ""
            return
        names = ", ".join(path.name for path in event.paths[:3])
        if self.session.dirty or self.draft is not None:
            self._disk_trouble = f"changed on disk: {names}. Your edits are kept; f5 reads the files and gives them up"
            self.show_banner(self._disk_trouble)
        else:
            self.reload(f"read again: {names} changed on disk", asked=False)

    def reload(self, said: str, *, asked: bool = True) -> None:
        """Read the workspace again; where that fails, the last good state stays, with a banner.

        Where nobody `asked` and the trouble is the one already said, the banner keeps what was said since.
        """
        try:
            self.session.reload()
        except (WorkbenchError, OSError) as error:
            title = f"{error.title}: " if isinstance(error, WorkbenchError) and error.findings else ""
            trouble = f"showing the last good state: {title}{reason_of(error)}"
            if asked or trouble != self._disk_trouble:
                self._disk_trouble = trouble
                self.show_banner(trouble)
            return
        self.files_read()
        self.refresh_view()
        self.say(said)

    # what is kept

    def keep_now(self) -> bool:
        """Keep unsaved edits before the app ends; gives whether there are any. Writes the disk."""
        return self.keeper.flush() if self.session.dirty or self.keeper.pending else False

    def not_kept(self, error: Exception) -> None:
        """Say that what is not saved is nowhere else either."""
        self.show_banner(f"unsaved edits could not be kept for the case of a crash: {reason_of(error)}")

    def files_read(self) -> None:
        """What stands on disk is what is shown."""
        self.on_disk = ()
        self._disk_trouble = ""
        self._disk.forget()
        self.show_banner("")

    def show_banner(self, text: str) -> None:
        """A line above the footer that stays; empty leaves what holds all the while, if anything does."""
        other = self.session.hold.other
        if not text and other is not None:
            text = f"read only here: {other.words} has this workspace open. A save goes to another folder"
        self.banner = text
        banner = self.query_one("#banner", TextBlock)
        banner.set_class(bool(text), "-open")
        banner.show(lambda width: [[Cell(shorten(f" ! {text}", width), "warn")]] if text else [])
