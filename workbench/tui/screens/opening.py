"""What is on the screen while a workspace is being read: the frames of the main screen, and a word.

It imports nothing of the session, so that the first paint waits for Textual alone.
"""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen

from workbench.tui.widgets.drawing import Cell, clean
from workbench.tui.widgets.text_block import TextBlock

HORIZONTAL = [(0, "-narrow"), (104, "-wide"), (170, "-ultra")]
VERTICAL = [(0, "-short"), (30, "-tall")]


class Opening(Screen[None]):
    """Frames, with what will stand in them."""

    HORIZONTAL_BREAKPOINTS = HORIZONTAL
    VERTICAL_BREAKPOINTS = VERTICAL

    def __init__(self) -> None:
        super().__init__(classes="main")
        self.add_class("at-tenants")

    def compose(self) -> ComposeResult:
        yield TextBlock(
            lambda _width: [[Cell("policy workbench", "title"), Cell("   opening …", "muted")]], id="header"
        )
        with Horizontal(id="body"):
            yield _frame("tenants", "Tenants")
            with Vertical(id="middle"):
                yield _frame("clauses", "Clauses")
                yield _frame("policy", "policy_ir")
            with Vertical(id="right"):
                yield _frame("decision", "Decision")
                yield _frame("why", "Why not")
            yield _frame("facts", "Facts")
        yield TextBlock(lambda _width: [[Cell("")]], id="footer")


def _frame(name: str, title: str) -> Vertical:
    frame = Vertical(id=name, classes="frame")
    frame.border_title = Content(clean(title))
    return frame
