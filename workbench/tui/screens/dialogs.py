"""Small screens that ask one thing: a choice by key, or a line of text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from workbench.tui.widgets.drawing import Cell, Line, line_width, wrap
from workbench.tui.widgets.text_block import TextBlock


class Choice(NamedTuple):
    """One answer: its key, its word, its value."""

    key: str
    title: str
    value: str


class Ask(ModalScreen[str | None]):
    """A question with a few answers; escape gives none."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "cancel", show=False, id="ask.cancel")]

    def __init__(self, title: str, text: str, choices: Sequence[Choice]) -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._choices = choices

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield TextBlock(self._lines)
            yield TextBlock(lambda width: [self._answers(width)], id="answers")

    def _lines(self, width: int) -> list[Line]:
        return [[Cell(self._title, "title")], (), *([Cell(text)] for text in wrap(self._text, width)), ()]

    def _answers(self, width: int) -> Line:
        _ = width
        cells: list[Cell] = []
        for choice in (*self._choices, Choice("esc", "cancel", "")):
            cells += [Cell(f"{choice.key} ", "key"), Cell(f"{choice.title}    ", "")]
        return cells

    def on_key(self, event: events.Key) -> None:
        for choice in self._choices:
            if event.key == choice.key:
                event.stop()
                self.dismiss(choice.value)

    @on(TextBlock.Clicked, "#answers")
    def _clicked(self, event: TextBlock.Clicked) -> None:
        start = 0
        for choice in (*self._choices, Choice("esc", "cancel", "")):
            end = start + line_width([Cell(f"{choice.key} {choice.title}    ")])
            if start <= event.x < end:
                self.dismiss(choice.value or None)
                return
            start = end


class AskText(ModalScreen[str | None]):
    """A question whose answer is a line of text; escape gives none."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "cancel", show=False, id="ask.cancel")]

    def __init__(self, title: str, text: str, value: str) -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._value = value

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield TextBlock(self._lines)
            field = Input(self._value, id="answer", compact=True, select_on_focus=False)
            field.cursor_blink = False
            yield field
            yield TextBlock(
                lambda _width: [(), [Cell("enter ", "key"), Cell("ok    "), Cell("esc ", "key"), Cell("cancel")]]
            )

    def _lines(self, width: int) -> list[Line]:
        return [[Cell(self._title, "title")], (), *([Cell(text)] for text in wrap(self._text, width)), ()]

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip():
            self.dismiss(event.value.strip())
