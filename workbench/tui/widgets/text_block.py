"""A few lines that do not scroll: headers, the winner, hints. Drawn by the same hand as the tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from workbench.tui.widgets.drawing import Cell, Line, strip_of
from workbench.tui.widgets.look import look_of

Maker = Callable[[int], Sequence[Line]]
"""Lines for a width in terminal cells."""


class TextBlock(Widget):
    """Lines made anew for each width; as high as they are many, unless the styles say otherwise."""

    @dataclass
    class Clicked(Message):
        """A cell was clicked."""

        block: TextBlock
        x: int
        y: int

        @property
        def control(self) -> TextBlock:
            return self.block

    def __init__(self, make: Maker | None = None, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._make: Maker = make or (lambda _width: ())
        self._lines: list[tuple[Cell, ...]] = []
        self._made_for = -1
        self._base: Style | None = None

    def show(self, make: Maker) -> None:
        """Show other lines; the layout is done again only where their number changed."""
        before = self._lines
        self._make = make
        self._made_for = -1
        width = self.content_size.width
        if not width:
            self.refresh(layout=True)
        elif (lines := self._made(width)) != before:
            height = self.styles.height
            self.refresh(layout=len(lines) != len(before) and (height is None or height.is_auto))

    def _made(self, width: int) -> list[tuple[Cell, ...]]:
        if width != self._made_for:
            self._lines = [tuple(line) for line in self._make(width)] if width > 0 else []
            self._made_for = width
        return self._lines

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        return len(self._made(width))

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        lines = self._made(width)
        line = lines[y] if y < len(lines) else ()
        if self._base is None:
            self._base = self.rich_style
        return strip_of(line, width, look_of(self), self._base)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._base = None

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is not None:
            self.post_message(self.Clicked(self, offset.x, offset.y))
