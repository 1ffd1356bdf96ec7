"""What every screen beside the main one says: its heading, its keys, its banner, the progress of its work.

It owns no content and does nothing; `work_screen` does.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, cast

from textual import events, on
from textual.app import App
from textual.screen import Screen

from workbench.errors import WorkbenchError
from workbench.session.actions import SCREENS, Action, Where, actions_for
from workbench.session.evaluation import Outcome
from workbench.session.session import Session
from workbench.session.state import WorkspaceState
from workbench.tui import wording
from workbench.tui.background import Background, Progress
from workbench.tui.doing.saving import reason_of
from workbench.tui.panels.bars import Footer
from workbench.tui.screens.opening import HORIZONTAL, VERTICAL
from workbench.tui.view import Cursors
from workbench.tui.widgets.drawing import Cell, Line, clean, shorten, spread
from workbench.tui.widgets.text_block import TextBlock


class Speaking(Screen[None]):
    """A screen with a heading, a banner and a footer."""

    PLACE: ClassVar[Where] = SCREENS
    HEADING: ClassVar[str] = ""
    HORIZONTAL_BREAKPOINTS = HORIZONTAL
    VERTICAL_BREAKPOINTS = VERTICAL

    def __init__(self, session: Session, cursors: Cursors | None = None) -> None:
        super().__init__(classes=f"work work-{self.PLACE}")
        self.session = session
        self.cursors = cursors or Cursors()
        """Where the person was looking on the main screen: tenant, clause, offer. A screen may go elsewhere."""
        self.background = Background(cast("Any", self))
        self.said: Line = ()
        self._progress: Progress | None = None

    def subject(self) -> str:
        """What the screen is about now, for the heading."""
        return self.cursors.tenant_id or ""

    def about(self) -> str:
        """A few sentences for the help: what is shown and how to read it."""
        return " ".join((self.__doc__ or "").split())

    # session

    @property
    def state(self) -> WorkspaceState:
        """The state that is shown: the last good one."""
        return self.session.shown.state

    @property
    def outcome(self) -> Outcome | None:
        """The chosen tenant's outcome."""
        return self.session.shown.outcomes.get(self.cursors.tenant_id or "")

    def look_at(self, **where: object) -> None:
        """Go to another tenant, clause or offer; the heading follows."""
        self.cursors = replace(self.cursors, **where)  # pyright: ignore[reportArgumentType] - names of `Cursors`
        self.show_heading()

    # saying things

    @property
    def host(self) -> App[int]:
        """The app this screen is in."""
        return cast("App[int]", self.app)  # pyright: ignore[reportUnknownMemberType]

    def narrowed(self) -> str:
        """The text that the shown rows contain; empty where all are shown."""
        return ""

    def heading_line(self, width: int) -> Line:
        """The line at the top."""
        words = self.narrowed()
        narrowed = [Cell(f" · /{clean(words)}", "warn")] if words else []
        left = [Cell(self.HEADING, "title"), Cell(f"   {clean(self.subject())}", "strong"), *narrowed]
        mark = [Cell("modified *", "warn"), Cell("  ")] if self.session.dirty else []
        return spread(left, [*mark, Cell("esc", "key"), Cell(" back", "muted")], width)

    def show_heading(self) -> None:
        """Draw the heading anew."""
        self.query_one("#work-heading", TextBlock).show(lambda width: [self.heading_line(width)])

    def show_footer(self) -> None:
        """The keys that are needed here, and what was said or is at work."""
        here = [action for action in actions_for(self.PLACE) if action.footer and self.offered(action)]
        here.sort(key=lambda action: action.where == SCREENS)
        status: Line = [Cell(clean(self._progress.words), "accent")] if self._progress else self.said
        keys = [(action.id, wording.key_name(action.keys[0]), self.title_of(action)) for action in here]
        self.query_one(Footer).show_keys(keys, status)

    def title_of(self, action: Action) -> str:
        """The footer's word for an action, where it says a present state."""
        return action.title

    def offered(self, action: Action) -> bool:  # noqa: ARG002 - a screen's own choice
        """Whether the footer names an action now: not one that does nothing where one is."""
        return True

    def show_progress(self, progress: Progress | None) -> None:
        """Work goes on, or is done."""
        self._progress = progress
        self.show_footer()

    def failed(self, error: WorkbenchError | OSError) -> None:
        """Work could not be done: why, in the banner."""
        self.show_banner(reason_of(error))

    @on(events.Unmount)
    def _drop_work(self) -> None:
        """Nobody waits for its work any more."""
        self._progress = None
        self.background.drop()

    def say(self, text: str, style: str = "accent") -> None:
        """Say something at the right end of the footer, until the next key."""
        self.said = (Cell(clean(text), style),)
        self.show_footer()

    def on_key(self) -> None:
        if self.said:
            self.said = ()
            self.show_footer()

    def show_banner(self, text: str) -> None:
        """A line above the footer that stays; empty takes it away."""
        banner = self.query_one("#banner", TextBlock)
        banner.set_class(bool(text), "-open")
        banner.show(lambda width: [[Cell(shorten(f" ! {text}", width), "warn")]] if text else [])
