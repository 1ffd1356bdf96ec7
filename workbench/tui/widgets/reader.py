"""Lines to read: no cursor, the arrows scroll."""

from __future__ import annotations

from typing import ClassVar

from workbench.tui.widgets.line_table import LineTable


class Reader(LineTable):
    """Lines without a cursor: the arrows scroll."""

    GUTTER: ClassVar[int] = 0

    def action_step(self, by: int) -> None:
        self.scroll_lines(self.top + by)

    def action_page(self, by: int) -> None:
        self.scroll_lines(self.top + by * max(1, self.visible_lines - 1))

    def action_to(self, row: int) -> None:
        self.scroll_lines(0 if row == 0 else self.rows.lines)
