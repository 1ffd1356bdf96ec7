"""What is done with the endpoint on its screen: started, stopped, let the emulator answer, copied how it is called."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from workbench.errors import WorkbenchError
from workbench.session.calls.children.endpoint import ServeChild
from workbench.session.calls.serving import snippets
from workbench.tui.doing.saving import reason_of
from workbench.tui.screens.work_screen import WorkScreen
from workbench.tui.serving import Endpoint

if TYPE_CHECKING:
    from workbench.tui.screens.main import MainScreen


class Running(WorkScreen):
    """Looks on an endpoint while it is open; the endpoint stays when it is closed."""

    endpoint: Endpoint
    tenant: str | None = None
    """Whose calls are shown; None: everyone's."""
    snippet: tuple[str, str] | None = None
    """A call as it was copied last, by the name of a file for it: not every terminal takes what is copied."""

    def opened_from(self, main: MainScreen) -> None:
        self.endpoint = main.endpoint
        self._main = main

    @property
    def child(self) -> ServeChild | None:
        """The endpoint that runs."""
        return self.endpoint.child

    def on_unmount(self) -> None:
        if self.endpoint.onlooker is self:
            self.endpoint.onlooker = self._main
        self._main.endpoint_changed()

    def endpoint_changed(self, *, listed: bool = False) -> None:
        """Show how things stand."""

    def do_toggle(self) -> None:
        """Start it, or stop it."""
        self._change(wanted=self.child is None, emulate=self.endpoint.emulated is not None)

    def do_emulator(self) -> None:
        """Let the emulator answer, or the providers; what runs starts anew."""
        self._change(wanted=True, emulate=self.endpoint.emulated is None)

    def _change(self, *, wanted: bool, emulate: bool) -> None:
        """In a worker of the main screen: it is carried through though this screen is left meanwhile."""

        async def change() -> None:
            try:
                await self.endpoint.change(wanted=wanted, emulate=emulate)
            except (WorkbenchError, OSError) as error:
                self.endpoint.complain(reason_of(error))
                return
            child = self.child
            words = "stopped" if child is None else f"serving at {child.url}"
            self.endpoint.say(words)

        self._main.run_worker(change(), group="serve")

    def do_curl(self) -> None:
        """Copy a call for a shell."""
        self._copy("curl", "call.sh", snippets.curl)

    def do_python(self) -> None:
        """Copy a call in Python."""
        self._copy("Python", "call.py", snippets.python)

    def do_typescript(self) -> None:
        """Copy a call in TypeScript."""
        self._copy("TypeScript", "call.ts", snippets.typescript)

    def _copy(self, name: str, file: str, make: Callable[[str, str | None], str]) -> None:
        if self.child is None:
            self.say("start it first, so that there is a URL", "warn")
            return
        known = {tenant.id for tenant in self.state.tenants}
        wanted = self.tenant or self.cursors.tenant_id
        text = make(self.child.url, wanted if wanted in known else None)
        self.host.copy_to_clipboard(text)
        self.snippet = file, text
        self.endpoint_changed()
        self.say(f"copied as {name}{f', for {wanted}' if wanted in known else ''}; x writes it to a file")

    def go_back(self) -> bool:
        """Take the snippet away, where one is shown."""
        if self.snippet is None or self.child is None:
            return False
        self.snippet = None
        self.endpoint_changed()
        return True
