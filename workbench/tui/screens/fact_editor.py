"""A tenant's facts for what-if: the list, and one of them with what it may be. Gives values, changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input

from workbench.rulebook.schema import Fact, FactRefused, TenantField, read_fact
from workbench.tui import wording
from workbench.tui.lines.fact_lines import tenant_lines
from workbench.tui.panels.clause_rows import fact_text
from workbench.tui.view import View
from workbench.tui.widgets.drawing import Cell, Line, clean, wrap
from workbench.tui.widgets.line_table import LineTable
from workbench.tui.widgets.rows import ListedRows
from workbench.tui.widgets.text_block import TextBlock

UNKNOWN = "(unknown)"


class Given(NamedTuple):
    """A fact's new value; None makes it unknown."""

    value: Fact | None


class FactList(ModalScreen[str | None]):
    """Gives the name of the fact to be edited."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "cancel", show=False, id="facts.cancel")
    ]

    def __init__(self, view: View) -> None:
        super().__init__()
        self._view = view
        self._names = tuple(view.state.rulebook.schema.fields)
        self._table = LineTable(id="fact-list")

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog fact-editor") as box:
            box.border_title = Content(clean(f"Facts of {self._view.cursors.tenant_id}"))
            box.border_subtitle = Content("enter edits · esc")
            yield self._table

    def on_mount(self) -> None:
        self._table.focus()

    def on_resize(self) -> None:
        self.call_after_refresh(self._fill)

    def _fill(self) -> None:
        lines = tenant_lines(self._view, self._table.draw_width)
        self._table.show_rows(ListedRows(list(enumerate(lines))))

    @on(LineTable.RowOpened)
    def _opened(self, event: LineTable.RowOpened) -> None:
        event.stop()
        if event.row < len(self._names):
            self.dismiss(self._names[event.row])


class FactEditor(ModalScreen[Given | None]):
    """One fact: a list where there are only so many values, else a line of text."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "cancel", show=False, id="fact.cancel")]

    def __init__(self, tenant_id: str, field: TenantField, value: Fact | None) -> None:
        super().__init__()
        self._tenant_id = tenant_id
        self._field = field
        self._value = value
        self._choices = choices_of(field)
        self._error = ""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog fact-editor") as box:
            box.border_title = Content(clean(f"{self._field.name} of {self._tenant_id}"))
            box.border_subtitle = Content("enter makes the edit · esc")
            yield TextBlock(self._lines, id="fact-about")
            if self._choices:
                yield LineTable(id="fact-choices")
            else:
                text = "" if self._value is None else written(self._value)
                field = Input(clean(text), id="fact-value", compact=True, select_on_focus=False)
                field.cursor_blink = False
                yield field

    def on_mount(self) -> None:
        if not self._choices:
            self.query_one(Input).focus()
            return
        table = self.query_one(LineTable)
        shown = [UNKNOWN if choice is None else fact_text(choice) for choice in self._choices]
        at = self._choices.index(self._value) if self._value in self._choices else 0
        table.show_rows(ListedRows([(k, [Cell(text)]) for k, text in enumerate(shown)]), at)
        table.focus()

    def _lines(self, width: int) -> list[Line]:
        lines: list[Line] = [[Cell(text, "muted")] for text in wrap(about(self._field), width)]
        lines += [[Cell(text, "bad")] for text in wrap(self._error, width)] if self._error else []
        return lines

    @on(LineTable.RowOpened)
    def _chosen(self, event: LineTable.RowOpened) -> None:
        event.stop()
        self.dismiss(Given(self._choices[event.row]))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        try:
            self.dismiss(Given(typed_fact(self._field, event.value)))
        except FactRefused as refused:
            self._error = wording.words((refused.reason, refused.hint or ""), "; ")
            self.query_one("#fact-about", TextBlock).show(self._lines)


def choices_of(field: TenantField) -> Sequence[Fact | None]:
    """The only values that a field may have; empty where they are typed."""
    if field.kind == "flag":
        return (True, False, None)
    return (*field.values, None) if field.kind == "choice" else ()


def written(value: Fact) -> str:
    """A fact as it is typed."""
    return ", ".join(value) if isinstance(value, tuple) else f"{value:.15g}" if isinstance(value, float) else str(value)


def typed_fact(field: TenantField, text: str) -> Fact | None:
    """What was typed as a fact, nothing as unknown. Raises `FactRefused`."""
    text = text.strip()
    if field.kind == "list":
        return read_fact(field, [part.strip() for part in text.split(",") if part.strip()])
    if not text:
        return None
    if field.kind != "number":
        return read_fact(field, text)
    try:
        return read_fact(field, float(text))
    except ValueError as error:
        if isinstance(error, FactRefused):
            raise
        raise FactRefused(f"`{text}` is not a number") from None


def about(field: TenantField) -> str:
    """What a field means and how it is typed."""
    how = {
        "list": f"{field.of or 'name'}s, with commas between",
        "number": f"a number{', ' + field.unit if field.unit else ''}",
        "text": "a text",
    }.get(field.kind, "")
    return wording.words((field.meaning, how))
