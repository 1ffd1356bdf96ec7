"""The terminal app: one session, one main screen. It owns the theme, the palette, signals and how it ends."""

from __future__ import annotations

import asyncio
import io
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from rich.console import Console
from textual.app import App
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.screen import Screen

from workbench.session.session import Session
from workbench.tui.palette import ActionCommands
from workbench.tui.screens.main import MainScreen
from workbench.tui.theme import DARK, EXTRA_DARK, LIGHT

STYLES = Path(__file__).parent / "styles"
SIGNALS = {"SIGTERM": 143, "SIGHUP": 129}
"""Signals that end the app in order, and the exit status of each."""
CRASHED = 5


class WorkbenchApp(App[int]):
    """The workbench in a terminal."""

    TITLE = "policy workbench"
    CSS_PATH = [  # noqa: RUF012 - Textual declares it so
        STYLES / "base.tcss",
        STYLES / "main.tcss",
        STYLES / "editor.tcss",
        STYLES / "dialogs.tcss",
    ]
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {ActionCommands}
    COMMAND_PALETTE_BINDING = "ctrl+p"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "interrupt", "quit", show=False, id="app.interrupt", system=True),
    ]

    def __init__(self, session: Session, *, light: bool = False) -> None:
        super().__init__()
        self.session = session
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = LIGHT.name if light else DARK.name
        self.crash: BaseException | None = None
        self.error_console = Console(file=io.StringIO())
        """Where Textual would print a traceback with local variables: nowhere. `run` says what there is to say."""

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own variables, for themes that do not know them."""
        return EXTRA_DARK

    def get_default_screen(self) -> Screen[None]:
        return MainScreen(self.session)

    def on_mount(self) -> None:
        loop = asyncio.get_running_loop()
        for name, status in SIGNALS.items():
            if hasattr(signal, name):
                loop.add_signal_handler(getattr(signal, name), self.exit, None, status)

    async def action_interrupt(self) -> None:
        """`ctrl+c` asks as `q` does."""
        if isinstance(self.screen, MainScreen):
            await self.screen.action_do("app.quit")

    def _handle_exception(self, error: Exception) -> None:
        """Remember what went wrong. Without this hook `run` would know that the app crashed, but not how."""
        self.crash = self.crash or error
        super()._handle_exception(error)


def run(session: Session) -> int:
    """Show the session until the person leaves; gives the exit status. The terminal is as it was before."""
    app = WorkbenchApp(session)
    app.run()
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
