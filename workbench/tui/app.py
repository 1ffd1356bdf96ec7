"""The terminal app: one session, one main screen. It owns the theme, the palette, signals and how it ends."""

from __future__ import annotations

import asyncio
import gc
import io
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.console import Console
from textual.app import App
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.screen import Screen
from textual.worker import WorkerFailed

from workbench.errors import WorkbenchError
from workbench.tui.theme import DARK, EXTRA_DARK, LIGHT

if TYPE_CHECKING:
    from workbench.session.session import Session

STYLES = Path(__file__).parent / "styles"
SIGNALS = {"SIGTERM": 143, "SIGHUP": 129}
"""Signals that end the app in order, and the exit status of each."""
CRASHED = 5


def _palette() -> type[Provider]:
    from workbench.tui.palette import ActionCommands  # noqa: PLC0415 - when the palette is opened

    return ActionCommands


class WorkbenchApp(App[int]):
    """The workbench in a terminal, on a session or on one that is yet to be opened."""

    TITLE = "policy workbench"
    CSS_PATH = [  # noqa: RUF012 - Textual declares it so
        STYLES / "base.tcss",
        STYLES / "main.tcss",
        STYLES / "editor.tcss",
        STYLES / "dialogs.tcss",
    ]
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
        self.error_console = Console(file=io.StringIO())
        """Where Textual would print a traceback with local variables: nowhere. `run` says what there is to say."""

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own variables, for themes that do not know them."""
        return EXTRA_DARK

    def get_default_screen(self) -> Screen[None]:
        if not callable(self._source):
            return _main_screen(self._source)
        from workbench.tui.screens.opening import Opening  # noqa: PLC0415 - only where there is something to open

        return Opening()

    def on_mount(self) -> None:
        loop = asyncio.get_running_loop()
        for name, status in SIGNALS.items():
            if hasattr(signal, name):
                loop.add_signal_handler(getattr(signal, name), self.exit, None, status)
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

    def _show_main(self, screen: Screen[None]) -> None:
        """Show the main screen. Not awaited: a worker that waits for a screen that fails would never end."""
        self.push_screen(screen)
        gc.freeze()

    async def action_interrupt(self) -> None:
        """`ctrl+c` asks as `q` does."""
        await self.screen.run_action("do('app.quit')")

    def _handle_exception(self, error: Exception) -> None:
        """Remember what went wrong, and keep Textual from rendering every local variable, which are whole catalogs.

        An exception that says itself how it is shown (`__rich__`) is not shown with a traceback.
        """
        self.crash = self.crash or (error.error if isinstance(error, WorkerFailed) else error)
        error.__rich__ = lambda: ""  # pyright: ignore[reportAttributeAccessIssue] - read by Textual
        super()._handle_exception(error)


def _main_screen(session: Session) -> Screen[None]:
    from workbench.tui.screens.main import MainScreen  # noqa: PLC0415 - brings the session's modules, with numpy

    return MainScreen(session)


def run(source: Session | Callable[[], Session]) -> int:
    """Show a session until the person leaves; gives the exit status. The terminal is as it was before.

    A function instead of a session is called once the first frame is painted. Raises the `WorkbenchError` it raises.
    """
    app = WorkbenchApp(source)
    app.run()
    if app.refused is not None:
        raise app.refused
    if app.crash is not None:
        sys.stderr.write(crash_line(app.crash) + "\n")
        return CRASHED
    return app.return_code or 0


def crash_line(error: BaseException) -> str:
    """What happened and where, in one line, without a value that was in memory."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""
    return f"workbench: internal error: {type(error).__name__}{where}; files on disk are as last saved"
