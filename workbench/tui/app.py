"""The terminal app: one session, one main screen. It owns the theme, the palette, the order of keys and the end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.console import Console
from textual import events, on
from textual.app import App
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.screen import Screen
from textual.worker import WorkerFailed

from workbench.errors import WorkbenchError
from workbench.tui import ending
from workbench.tui.ending import Report
from workbench.tui.keys import KeyDone, KeyQueue
from workbench.tui.messages import MainReady
from workbench.tui.theme import DARK, EXTRA_DARK, EXTRA_LIGHT, LIGHT, light_background

if TYPE_CHECKING:
    from workbench.session.session import Session
    from workbench.tui.screens.main import MainScreen

STYLES = Path(__file__).parent / "styles"
LAST_WRITE = 0.8
"""Most seconds that keeping unsaved edits may delay an end that was asked for by a signal."""


def _palette() -> type[Provider]:
    from workbench.tui.palette import ActionCommands  # noqa: PLC0415 - when the palette is opened

    return ActionCommands


class WorkbenchApp(App[int]):
    """The workbench in a terminal, on a session or on one that is yet to be opened."""

    TITLE = "policy workbench"
    CSS_PATH = [STYLES / f"{name}.tcss" for name in ("base", "main", "editor", "dialogs", "work")]  # noqa: RUF012
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {_palette}
    COMMAND_PALETTE_BINDING = "ctrl+p"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "interrupt", "quit", show=False, id="app.interrupt", system=True),
    ]

    def __init__(self, source: Session | Callable[[], Session], *, light: bool = False) -> None:
        super().__init__()
        self._source = source
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = LIGHT.name if light else DARK.name
        self.refused: WorkbenchError | None = None
        """Why the workspace can't be opened."""
        self.crash: BaseException | None = None
        self.kept = False
        """Whether unsaved edits were kept at the end."""
        self.ended_by: int | None = None
        """The exit status of the signal that ended it."""
        self.main_screen: MainScreen | None = None
        """The main screen, once it is there."""
        self._keys = KeyQueue(self, held=callable(source))
        self.error_console = Console(file=io.StringIO())
        """Where Textual would print a traceback with local variables: nowhere. `run` says what there is to say."""

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own variables, for themes that do not know them."""
        return EXTRA_DARK if self.current_theme.dark else EXTRA_LIGHT

    def get_default_screen(self) -> Screen[None]:
        if not callable(self._source):
            self.main_screen = _main_screen(self._source)
            return self.main_screen
        from workbench.tui.screens.opening import Opening  # noqa: PLC0415 - only where there is something to open

        return Opening()

    def on_mount(self) -> None:
        ending.listen(asyncio.get_running_loop(), self._ended)
        if not self.is_headless:
            ending.outlive_terminal(lambda: self.main_screen and self.main_screen.keep_now())
        if callable(self._source):
            self.call_after_refresh(self._start, self._source)

    def _start(self, source: Callable[[], Session]) -> None:
        self.run_worker(self._open(source), group="open")

    async def _open(self, source: Callable[[], Session]) -> None:
        """Read the workspace beside the first frame, then show it."""
        try:
            session, make = await asyncio.to_thread(lambda: (source(), _main_screen))
        except WorkbenchError as error:
            self.refused = error
            self.exit(None, error.exit_code)
            return
        self._show_main(make(session))

    def _show_main(self, screen: MainScreen) -> None:
        """Show the main screen. Not awaited: a worker that waits for a screen that fails would never end."""
        self.main_screen = screen
        self.push_screen(screen)
        gc.freeze()

    # keys

    async def on_event(self, event: events.Event) -> None:
        """Keys one after the other; everything else as it comes."""
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            await super().on_event(event)
        elif not self._keys.hold(event):
            await self._send(event)

    async def _send(self, event: events.Event | None) -> None:
        if event is not None:
            await super().on_event(event)
            if self.screen_stack:
                self._keys.sent()

    @on(KeyDone)
    async def _key_done(self, event: KeyDone) -> None:
        await self._send(self._keys.done(event))

    @on(MainReady)
    async def _main_ready(self, event: MainReady) -> None:
        """Keys that were pressed while the workspace was being opened are pressed now."""
        await self._send(self._keys.open(drop=event.asks))

    async def action_interrupt(self) -> None:
        """`ctrl+c` asks as `q` does; before there is anything to ask about, it ends the app."""
        if self.main_screen is None:
            self.exit(None, ending.INTERRUPTED)
        else:
            await self.screen.run_action(f"do({'app.quit' if self.screen is self.main_screen else 'screen.quit'!r})")

    # the end

    def _ended(self, status: int) -> None:
        """A signal asks for the end: unsaved edits are kept first."""
        if self.ended_by is None:
            self.ended_by = status
            self.run_worker(self._leave(status), group="leave")

    async def _leave(self, status: int) -> None:
        main = self.main_screen
        if main is not None:
            with contextlib.suppress(TimeoutError, WorkbenchError, OSError):
                async with asyncio.timeout(LAST_WRITE):
                    self.kept = await asyncio.to_thread(main.keep_now)
        self.exit(None, status)

    def _handle_exception(self, error: Exception) -> None:
        """Remember what went wrong, and keep Textual from rendering every local variable, which are whole catalogs.

        An exception that says itself how it is shown (`__rich__`) is not shown with a traceback.
        """
        self.crash = self.crash or (error.error if isinstance(error, WorkerFailed) else error)
        error.__rich__ = lambda: ""  # pyright: ignore[reportAttributeAccessIssue] - read by Textual
        super()._handle_exception(error)


def _main_screen(session: Session) -> MainScreen:
    from workbench.tui.screens.main import MainScreen  # noqa: PLC0415 - brings the session's modules, with numpy

    return MainScreen(session)


def run(source: Session | Callable[[], Session], *, report: Report | None = None) -> int:
    """Show a session until the person leaves; gives the exit status. The terminal is as it was before.

    A function instead of a session is called once the first frame is painted. `report` writes what is known of a
    mistake of ours, without values. Raises the `WorkbenchError` that opening raises.
    """
    app = WorkbenchApp(source, light=light_background(os.environ))
    app.run()
    if app.refused is not None:
        raise app.refused
    if app.crash is not None:
        where = report(app.crash) if report else None
        ending.tell(ending.crash_line(app.crash, where, kept=_kept_after_crash(app)))
        return ending.CRASHED
    if app.ended_by is not None and app.main_screen is not None and app.main_screen.session.dirty:
        ending.tell(ending.KEPT if app.kept else ending.NOT_KEPT)
    return app.return_code or 0


def _kept_after_crash(app: WorkbenchApp) -> bool:
    """Keep what was not saved, where that still works."""
    with contextlib.suppress(Exception):
        return app.main_screen is not None and app.main_screen.session.dirty and app.main_screen.keep_now()
    return False
