"""Lines to read: no cursor, the arrows scroll."""

from __future__ import annotations

from typing import ClassVar

from workbench.tui.widgets.line_table import LineTable


class Reader(LineTable):
    """Lines without a cursor: the arrows scroll."""

    GUTTER: ClassVar[int] = 0

    def action_step(self, by: int) -> None:
        self.scroll_to(y=round(self.scroll_y) + by, animate=False)

    def action_page(self, by: int) -> None:
        self.scroll_to(y=round(self.scroll_y) + by * max(1, self.size.height - 1), animate=False)

    def action_to(self, row: int) -> None:
        self.scroll_to(y=0 if row == 0 else self.virtual_size.height, animate=False)
