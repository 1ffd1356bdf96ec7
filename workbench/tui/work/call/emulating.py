"""The emulator beside the call screen: started by one key, told which faults to make, ended with the screen."""

from __future__ import annotations

import asyncio

from workbench.engine.faults.grammar import names_of, parse_faults
from workbench.errors import WorkbenchError
from workbench.gateway.redirected import Redirected
from workbench.session.calls.caller import Caller
from workbench.session.calls.children.emulator import EmulatorChild
from workbench.tui.screens.dialogs import AskText
from workbench.tui.screens.speaking import Speaking

DEFAULT = "http://127.0.0.1:8089"
GONE = "the emulator has gone: nothing is sent; e starts another, u names one elsewhere"


class Emulating(Speaking):
    """Has an emulator, or not."""

    caller: Caller | None
    emulated: str | None = None
    """Where the emulator that answers is; None calls the providers."""
    child: EmulatorChild | None = None
    """The one that was started here."""
    faults: tuple[str, ...] = ()
    _changing: asyncio.Lock | None = None
    gone: bool = False
    """Whether the one that was started here has ended by itself; nothing is sent until a person says where to."""

    @property
    def running(self) -> bool:
        """Whether a call is under way."""
        return False

    def show_settings(self) -> None:
        """Draw the line of settings anew."""

    def quote(self) -> None:
        """Work out what the calls would be, and ask."""

    def notice_end(self) -> None:
        """See whether the emulator that was started here is still there."""
        child = self.child
        if child is None or child.running or self.gone:
            return
        self.gone = True
        self.show_banner(GONE)
        self.show_heading()
        self.show_footer()

    def do_emulator(self) -> None:
        """Start it, or end it; one that has ended by itself is started again."""
        if self.running:
            self.say("a call is under way", "warn")
            return
        wanted = self.emulated is None or self.gone
        self.run_worker(self._change(wanted), group="emulator")

    def do_fault(self) -> None:
        """Say which faults the emulated providers make; `-` takes them all away."""
        text = "PROVIDER[/MODEL]=KIND[:ARG][@PROBABILITY], several with blanks between; - for none. "
        text += "Kinds: rate_limit, server_error, timeout, slow:2s, cut_after:20, ...; `workbench emulate --faults`."

        def take(said: str | None) -> None:
            if said is None:
                return
            words = [] if said == "-" else said.split()
            try:
                found = parse_faults(words, names_of(self.state.catalog.candidates), str)
            except WorkbenchError as error:
                self.failed(error)
                return
            self.show_banner("")
            self.faults = tuple(str(fault) for fault in found)
            self.show_settings()
            self.run_worker(self._change(True), group="emulator")

        self.host.push_screen(AskText("Faults of the emulator", text, " ".join(self.faults)), take)

    def do_elsewhere(self) -> None:
        """Let an emulator answer that runs already, in another terminal."""
        text = "The address that `workbench emulate` prints."

        def take(said: str | None) -> None:
            if said is None:
                return
            try:
                origin = Redirected.to(said).origin
            except WorkbenchError as error:
                self.failed(error)
                return
            self.run_worker(self._change(False, elsewhere=origin), group="emulator")

        used = self.emulated if self.child is None else None  # one that was started here ends with the choice
        self.host.push_screen(AskText("A running emulator", text, used or DEFAULT), take)

    async def _change(self, wanted: bool, elsewhere: str | None = None) -> None:
        """End the one that runs; start one where it is wanted, or use the one elsewhere."""
        self._changing = self._changing or asyncio.Lock()
        async with self._changing:
            await self.stop_emulator()
            self.show_banner("")
            self.emulated = elsewhere
            if wanted:
                self.say("starting the emulator …")
                try:
                    self.child = await EmulatorChild.start(self.session.workspace.root, self.faults)
                    self.emulated = self.child.url
                except WorkbenchError as error:
                    self.failed(error)
            if self.caller is not None:
                self.caller.emulator = self.emulated
            self.say("calls go to the providers" if self.emulated is None else "calls go to the emulator")
            self.show_heading()
            self.quote()

    async def stop_emulator(self) -> None:
        """End the one that was started here."""
        child, self.child, self.emulated, self.gone = self.child, None, None, False
        if child is not None:
            await child.stop()
