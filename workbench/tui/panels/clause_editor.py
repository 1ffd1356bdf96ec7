"""The clause editor: an input line with its notes and a list of what could stand at the cursor.

It owns typing, completion and colours; it parses nothing and decides nothing. The screen tells it what the text means
(`show`), it tells the screen what was typed (`DraftTyped`, `DraftCommitted`, `DraftCancelled`, `ScopeSwitched`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from workbench.language.clause_text import Completion
from workbench.tui.draft import Draft, completions
from workbench.tui.lines.scope_line import scope_line
from workbench.tui.messages import DraftCancelled, DraftCommitted, DraftTyped, ScopeSwitched
from workbench.tui.view import View
from workbench.tui.widgets.drawing import Cell, Line, clean, fit, wrap
from workbench.tui.widgets.look import look_of
from workbench.tui.widgets.text_block import TextBlock
from workbench.tui.widgets.tokens import KNOWN, ClauseHighlighter

MOST_CHOICES = 7
NOTE_LINES = 4
"""Lines below the input: what is said about the text, and last whom the edit is for."""
BREAKS = str.maketrans("\n\r\t", "   ")
STALE = (" stale: the last good result stays", " stale: last good result", " stale")
"""The longest that fits stands beside the caret."""


class ClauseInput(Input):
    """One line of clause text. What is pasted loses what a terminal would act on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "complete", show=False, id="editor.complete"),
        Binding("down", "choose(1)", "next choice", show=False, id="editor.next_choice"),
        Binding("up", "choose(-1)", "previous choice", show=False, id="editor.previous_choice"),
        Binding("escape", "leave", "cancel", show=False, id="editor.cancel"),
        Binding("ctrl+t", "scope", "rule or tenant", show=False, id="edit.scope"),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        self.colours = ClauseHighlighter()
        super().__init__(id=id, highlighter=self.colours, select_on_focus=False, compact=True)
        self.cursor_blink = False

    def validate_value(self, value: str) -> str:
        """Whatever is typed or put there, on one line and visible; a line break parts words as a space does."""
        return clean(value.translate(BREAKS))

    def on_paste(self, event: events.Paste) -> None:
        """Take everything that is pasted, where the base class takes the first line."""
        event.stop()
        event.prevent_default()
        lines = event.text.splitlines()
        joined = event.text if event.text in lines else " ".join(line.strip() for line in lines if line.strip())
        self.replace(joined, *self.selection)

    def on_mount(self) -> None:
        self.colours.styles = {name: look_of(self)[name] for name in KNOWN}

    def action_complete(self) -> None:
        self._editor.accept()

    def action_choose(self, by: int) -> None:
        self._editor.choose(by)

    def action_leave(self) -> None:
        self._editor.leave()

    def action_scope(self) -> None:
        self.post_message(ScopeSwitched())

    @property
    def _editor(self) -> ClauseEditor:
        return self.query_ancestor(ClauseEditor)


class ClauseEditor(Vertical):
    """The input, the lines of notes, and the choices."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._draft: Draft | None = None
        self._view: View | None = None
        self._hint: str | None = None
        self._choices: Sequence[Completion] = ()
        self._chosen = 0
        self._moved = False
        self._input = ClauseInput(id="clause-input")
        self._notes = TextBlock(id="clause-notes")
        self._list = TextBlock(id="clause-choices")

    def compose(self) -> ComposeResult:
        yield self._input
        yield self._notes
        yield self._list

    # what the screen does with it

    def open(self, draft: Draft, view: View) -> None:
        """Begin with a draft's text."""
        with self._input.prevent(Input.Changed):
            self._input.value = draft.text
        self._input.cursor_position = len(self._input.value)
        self._close_choices()
        self.show(draft, view, None)
        self.screen.set_focus(self._input)

    def show(self, draft: Draft, view: View, hint: str | None) -> None:
        """What the newest text means: its error, its thresholds, whom it moves."""
        self._draft, self._view, self._hint = draft, view, hint
        self._input.colours.error_at = draft.error_column
        self._input.refresh()
        self._notes.show(self._note_lines)

    def _note_lines(self, width: int) -> list[Line]:
        draft, view = self._draft, self._view
        if draft is None or view is None:
            return []
        lines = [*self._said_lines(draft, width)][: NOTE_LINES - 1]
        lines += [()] * (NOTE_LINES - 1 - len(lines))
        return [*lines, scope_line(draft, view, width)]

    def _said_lines(self, draft: Draft, width: int) -> list[Line]:
        """The error below its caret, or where the next thresholds lie."""
        if draft.error is not None:
            said: list[Line] = [[Cell(text, "bad")] for text in wrap(draft.error_words, width)]
            return said if draft.error_column is None else [self._caret_line(draft.error_column, width), *said]
        return [[Cell(text, "accent")] for text in wrap(self._hint, width)] if self._hint else []

    def _caret_line(self, column: int, width: int) -> Line:
        at = max(0, min(cell_len(self._input.value[:column]) - round(self._input.scroll_x), width - 1))
        stale = next((text for text in STALE if len(text) < width - at), "")
        return [Cell(" " * at), Cell("^", "bad"), Cell(stale, "warn")]

    # choices

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(DraftTyped(event.value))
        if self._draft is not None and self._view is not None:
            found = completions(self._draft.typed(event.value), self._input.cursor_position, self._view.state)
            self._open_choices(found)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self._moved and self._choices:
            self.accept()
        else:
            self.post_message(DraftCommitted())

    def _open_choices(self, found: Sequence[Completion]) -> None:
        self._choices = found
        self._chosen = 0
        self._moved = False
        self._list.set_class(bool(found), "-open")
        if found:
            self._list.show(self._choice_lines)

    def _close_choices(self) -> None:
        self._open_choices(())

    def _choice_lines(self, width: int) -> list[Line]:
        first = max(0, min(self._chosen - MOST_CHOICES + 1, len(self._choices) - MOST_CHOICES))
        label_width = min(max(len(clean(c.label)) for c in self._choices), max(8, width * 3 // 5))
        lines: list[Line] = []
        for k, choice in enumerate(self._choices[first : first + MOST_CHOICES], first):
            on = k == self._chosen
            label = Cell(fit(choice.label, label_width), "strong" if on else "")
            lines.append([Cell("▌ " if on else "  ", "accent"), label, Cell(f"  {choice.detail}", "muted")])
        if len(self._choices) > MOST_CHOICES:
            lines.append([Cell(f"  {self._chosen + 1} of {len(self._choices)}", "faint")])
        return lines

    def choose(self, by: int) -> None:
        """Go to another choice; with none shown, ask for them."""
        if not self._choices and self._draft is not None and self._view is not None:
            draft = self._draft.typed(self._input.value)
            self._open_choices(completions(draft, self._input.cursor_position, self._view.state))
            return
        if self._choices:
            self._chosen = (self._chosen + by) % len(self._choices)
            self._moved = True
            self._list.show(self._choice_lines)

    def accept(self) -> None:
        """Put the choice into the text; with none shown, ask for them."""
        if not self._choices:
            self.choose(1)
            return
        choice = self._choices[self._chosen]
        self._input.replace(choice.text, choice.start, choice.end)
        self._input.cursor_position = choice.start + len(choice.text)

    def leave(self) -> None:
        """Close the choices where someone walks among them, else the editor."""
        if self._moved:
            self._close_choices()
        else:
            self.post_message(DraftCancelled())

    @on(TextBlock.Clicked, "#clause-choices")
    def _choice_clicked(self, event: TextBlock.Clicked) -> None:
        event.stop()
        if event.y < min(len(self._choices), MOST_CHOICES):
            first = max(0, min(self._chosen - MOST_CHOICES + 1, len(self._choices) - MOST_CHOICES))
            self._chosen = first + event.y
            self.accept()
            self.screen.set_focus(self._input)

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """Choices without a cursor to type at are in the way."""
        event.stop()
        self._close_choices()
