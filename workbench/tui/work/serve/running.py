"""What the screen of the endpoint runs: the endpoint and, where it is asked for, the emulator, as child processes.

Owns their starting and ending, which are one at a time, and what is copied to call them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from workbench.errors import WorkbenchError
from workbench.session.calls.children.emulator import EmulatorChild
from workbench.session.calls.children.endpoint import ServeChild, Served, Standing
from workbench.session.calls.children.process import ChildFailed
from workbench.session.calls.serving import snippets
from workbench.session.session import Session
from workbench.tui.screens.work_screen import WorkScreen
from workbench.tui.view import Cursors


class Running(WorkScreen):
    """Has an endpoint, or not."""

    def __init__(self, session: Session, cursors: Cursors | None = None) -> None:
        super().__init__(session, cursors)
        self.child: ServeChild | None = None
        self.emulated: EmulatorChild | None = None
        self.tenant: str | None = None
        """Whose calls are shown; None: everyone's."""
        self.gone = False
        """Whether the screen is closed."""
        self._changing = asyncio.Lock()
        self._port = 0
        """Where the last one listened: what was copied goes on working with the next."""

    def draw(self) -> None:
        """Show what there is now."""

    def heard(self, call: Served) -> None:
        """A call was answered."""

    def refused(self, status: int, code: str) -> None:
        """A request was refused."""

    def tell(self) -> None:
        """Show how things stand."""
        self.show_heading()
        self.show_footer()
        self.draw()

    def reloaded(self, standing: Standing) -> None:
        """The files have changed: what it serves now, and what of them it does not."""
        if self.gone or self.child is None:
            return
        if standing.findings or not standing.initialized:
            self.say("the files have changed, and not all of them are served", "warn")
        else:
            self.say("the files have changed, and are served")
        self._warn(standing)

    def ended(self, how: str) -> None:
        """The endpoint is gone, and nobody asked it to go."""
        if not self.gone:
            self.child = None
            self.show_banner(f"the endpoint has ended by itself ({how}); s starts it again")
            self.tell()

    async def on_unmount(self) -> None:
        self.gone = True
        async with self._changing:
            await self._stop()

    def do_toggle(self) -> None:
        """Start it, or stop it."""
        self.run_worker(self._change(self.child is None, emulate=self.emulated is not None), group="serve")

    def do_emulator(self) -> None:
        """Let the emulator answer, or the providers; what runs starts anew."""
        self.run_worker(self._change(True, emulate=self.emulated is None), group="serve")

    async def _change(self, wanted: bool, *, emulate: bool) -> None:
        async with self._changing:
            self.show_banner("")
            await self._stop(keep_emulator=emulate)
            root = self.session.workspace.root
            try:
                if emulate and self.emulated is None:
                    self.say("starting the emulator …")
                    self.emulated = await EmulatorChild.start(root)
                if wanted:
                    self.say("starting …")
                    self.child = await self._start(None if self.emulated is None else self.emulated.url)
                    self.say(f"serving at {self.child.url}")
                elif not self.gone:
                    self.say("stopped")
            except WorkbenchError as error:
                self.failed(error)
            if not self.gone:
                if self.child is not None:
                    self._warn(self.child.standing)
                self.tell()

    async def _start(self, emulator: str | None) -> ServeChild:
        """One where the last one was, or elsewhere if somebody else has that port by now."""
        root = self.session.workspace.root
        try:
            child = await ServeChild.start(root, emulator, self, self._port)
        except ChildFailed:
            if not self._port:
                raise
            child = await ServeChild.start(root, emulator, self)
        self._port = child.port
        return child

    def _warn(self, standing: Standing) -> None:
        """Say what of the files it does not serve, and that edits are not in it; nothing where all is well."""
        first = [str(finding) for finding in standing.findings[:1]]
        more = len(standing.findings) - 1
        words = [f"{' '.join(first)}{f' (and {more} more)' if more > 0 else ''}"] if first else []
        if not standing.initialized:
            words = [f"it answers nobody yet: {words[0]}" if words else "it answers nobody yet: it has no policies"]
            self.say("it serves nothing", "warn")
        elif words and not standing.taken:
            words = [f"not served: {words[0]}", "what was good before is"]
        if self.session.dirty:
            words.append("it serves what is saved; your edits are not in it yet")
        self.show_banner(" · ".join(words))

    async def _stop(self, *, keep_emulator: bool = False) -> None:
        """End them; what was not ended, because this was cancelled, is still known and ended with the screen."""
        if self.child is not None:
            await self.child.stop()
            self.child = None
        if not keep_emulator and self.emulated is not None:
            await self.emulated.stop()
            self.emulated = None

    def do_curl(self) -> None:
        """Copy a call for a shell."""
        self._copy("curl", snippets.curl)

    def do_python(self) -> None:
        """Copy a call in Python."""
        self._copy("Python", snippets.python)

    def do_typescript(self) -> None:
        """Copy a call in TypeScript."""
        self._copy("TypeScript", snippets.typescript)

    def _copy(self, name: str, make: Callable[[str, str | None], str]) -> None:
        if self.child is None:
            self.say("start it first, so that there is a URL", "warn")
            return
        known = {tenant.id for tenant in self.state.tenants}
        wanted = self.tenant or self.cursors.tenant_id
        self.host.copy_to_clipboard(make(self.child.url, wanted if wanted in known else None))
        self.say(f"copied as {name}{f', for {wanted}' if wanted in known else ''}")
