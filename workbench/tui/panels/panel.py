"""A bordered part of the main screen: a title, a note at the right end, and what is inside."""

from __future__ import annotations

from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from workbench.tui.view import View
from workbench.tui.widgets.drawing import clean


class Panel(Vertical):
    """A part that shows a view. Title and subtitle are text, never markup."""

    view: reactive[View | None] = reactive(None, repaint=False, always_update=True)
    """What is shown; bound to the screen's."""

    said: Message | None = None
    """What this panel said last and the screen has not heard yet. Until then its cursor is ahead of the view."""

    def announce(self, message: Message) -> None:
        """Say where the cursor is now."""
        self.said = message
        self.post_message(message)

    def name_it(self, title: str, note: str = "") -> None:
        """Set the border's title and its right-hand note."""
        for attribute, text in (("border_title", title), ("border_subtitle", note)):
            content = Content(clean(text))
            if getattr(self, attribute) != content.markup:
                setattr(self, attribute, content)

    @property
    def target(self) -> Widget | None:
        """What gets the focus when someone goes to this panel."""
        return next((child for child in self.query("LineView").results(Widget) if child.focusable), None)
