"""The drill's second view: every provider gone, one at a time, and what each loss does."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.content import Content
from textual.widget import Widget

from workbench.engine import explain
from workbench.language.admission import check
from workbench.language.clause_text import parse_pred
from workbench.session.evaluation import Evaluation
from workbench.tui.widgets.drawing import Cell, Line, clean, cut
from workbench.tui.widgets.line_table import LineTable
from workbench.tui.widgets.reader import Reader
from workbench.tui.widgets.rows import EvenRows, ListedRows
from workbench.tui.widgets.text_block import TextBlock
from workbench.tui.work.drill.lines import RADAR, about_lines, loss_lines, radar_line
from workbench.whatif.matrix.axis import By
from workbench.whatif.radar import Loss, Mask, Radar, radar

BYS: tuple[By, ...] = ("provider", "model", "region", "served_by")
_CLAUSE = ("=", "<", ">", " in ")


class Losses(EvenRows):
    """The losses, a line each."""

    def __init__(self, losses: tuple[Loss, ...], by: By) -> None:
        self.losses = losses
        self._by = by

    def __len__(self) -> int:
        return len(self.losses)

    def draw_row(self, row: int, sub: int, width: int) -> Line:  # noqa: ARG002 - one line each
        return radar_line(self.losses[row], width)

    def heading(self, width: int) -> Line | None:
        line = RADAR.heading(width)
        line[0] = Cell(self._by.replace("_", " ").ljust(22), "heading")
        return line


class RadarView(Container):
    """What is said of it, the losses, and one of them in full."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self.by: By = "provider"
        self.sort = "dies"
        self.text = ""
        """A part of a name, or a clause."""
        self.found: Radar | None = None
        self._evaluation: Evaluation | None = None
        self._where: str | None = None

    def compose(self) -> ComposeResult:
        yield TextBlock(id="radar-about")
        with Container(id="radar-both"):
            with Vertical(classes="frame", id="radar-box"):
                yield LineTable(lambda _row: self.tell(), id="radar-table")
            with Vertical(classes="frame", id="radar-loss-box"):
                yield Reader(id="radar-loss")

    @property
    def table(self) -> LineTable:
        """The list of losses."""
        return self.query_one("#radar-table", LineTable)

    @property
    def loss(self) -> Loss | None:
        """The loss under the cursor."""
        rows = self.table.rows
        return rows.losses[self.table.cursor] if isinstance(rows, Losses) and self.table.cursor < len(rows) else None

    def asked(self, evaluation: Evaluation) -> Callable[[], Radar]:
        """What works the radar out for what is typed. Raises `WorkbenchError` where a clause can't be read."""
        mask, self._where = None, None
        if any(sign in self.text for sign in _CLAUSE):
            mask, self._where = _mask(evaluation, self.text), self.text.strip()
        self._evaluation = evaluation
        return partial(radar, evaluation, self.by, where=mask, sort=self.sort)

    def show(self, found: Radar, *, stay: bool = False) -> None:
        """Show it; `stay` keeps the cursor on its name."""
        self.found = found
        words = "" if self._where is not None else self.text.strip().casefold()
        kept = tuple(loss for loss in found.losses if words in loss.name.casefold())
        name = self.loss.name if stay and self.loss is not None else None
        at = next((k for k, loss in enumerate(kept) if loss.name == name), 0)
        self.table.show_rows(Losses(kept, self.by), at)
        title = f"Who dies if one {self.by.replace('_', ' ')} dies" + (f" · /{self.text}" if self.text else "")
        self.query_one("#radar-box", Widget).border_title = Content(clean(title))
        self.query_one("#radar-about", TextBlock).show(self._about)
        self.tell()

    def _about(self, width: int) -> list[Line]:
        if self.found is None or self._evaluation is None:
            return []
        return [cut(line, width) for line in about_lines(self.found, self._where)]

    def tell(self) -> None:
        """The loss under the cursor, in full."""
        loss, reader = self.loss, self.query_one("#radar-loss", Reader)
        if loss is None or self._evaluation is None:
            reader.show_rows(ListedRows([(None, [Cell("nothing matches", "muted")])]))
            return
        width = max(30, reader.draw_width)
        lines = loss_lines(self._evaluation.state, loss, width)
        reader.show_rows(ListedRows([(None, line) for line in lines]))


def _mask(evaluation: Evaluation, text: str) -> Mask:
    state = evaluation.state
    term = parse_pred(text, state.vocabulary).term
    return explain.mask(check(term, state.vocabulary, sort="Pred"), state.pool, state.context)
