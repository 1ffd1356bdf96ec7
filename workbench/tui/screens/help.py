"""Keys, signs and words for where one is; everything comes from the registry of actions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from workbench.session.actions import SCREENS, Action, Where, actions_for
from workbench.tui import wording
from workbench.tui.widgets.drawing import Cell, Line, clean, fit, wrap
from workbench.tui.widgets.reader import Reader
from workbench.tui.widgets.rows import ListedRows

SIGNS = (
    ("✓ x ○", "passes, rejects, switched off"),
    ("▲ ▼", "the winner costs more, costs less than before the edit"),
    ("~ =", "another winner at the same price, the same winner"),
    ("x +", "nobody is left, somebody is there again"),
    ("•", "the open edit is about this tenant"),
    ("!", "one provider is left: no fallback if it fails"),
    ("?", "unknown; never 0 and never no"),
    ("alone", "offers that this clause removes by itself"),
    ("only it", "offers that this clause removes and no other: what it costs"),
)
ABOUT: dict[str, str] = {
    "tenants": "Each line is a tenant: the model it gets, and what a run costs. Moved ones come first while you edit.",
    "clauses": "What the selected tenant's policy demands, clause by clause, and how many offers each removes.",
    "decision": "The offers that passed, best first, then those that did not, each with what kept it out.",
    "policy": "The policy as it goes on the wire: every clause compiled into one array. The cursor follows clauses.",
    "editor": "One clause as text. What it would do is shown while you type; nothing changes before enter.",
}
SHARED = ("everywhere", SCREENS)
LISTS = (
    ("↑ ↓  PgUp PgDn", "move"),
    ("enter", "go deeper: edit a clause, ask about an offer"),
    ("tab", "next panel"),
    ("esc", "back"),
)


class Help(ModalScreen[None]):
    """Any key of leaving leaves."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,enter", "dismiss(None)", "back", show=False, id="help.close"),
    ]

    def __init__(self, place: Where, title: str = "", about: str = "") -> None:
        super().__init__()
        self._place: Where = place
        self._title = title or place
        self._about = about or ABOUT.get(place, "")
        self._table = Reader(id="help-lines")

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog helper") as box:
            box.border_title = Content(clean(f"Help: {self._title}"))
            box.border_subtitle = Content("esc")
            yield self._table

    def on_mount(self) -> None:
        self.call_after_refresh(self._fill)

    def on_resize(self) -> None:
        self.call_after_refresh(self._fill)

    def _fill(self) -> None:
        width = self._table.draw_width
        self._table.show_rows(ListedRows([(None, line) for line in help_lines(self._place, width, self._about)]))
        self._table.focus()


def help_lines(place: Where, width: int, about: str = "") -> Iterator[Line]:
    """What works here, then what works everywhere, then what the signs mean."""
    yield [Cell(f"Here: {place}", "title")]
    yield from ([Cell(text)] for text in wrap(about or ABOUT.get(place, ""), width))
    for action in actions_for(place):
        if action.where not in SHARED:
            yield from _action_lines(action, width)
    yield ()
    yield [Cell("Everywhere", "title")]
    for action in actions_for(place):
        if action.where in SHARED:
            yield from _action_lines(action, width)
    for keys, meaning in LISTS:
        yield [Cell(fit(keys, 16), "key"), Cell(meaning)]
    yield ()
    yield [Cell("Signs", "title")]
    for sign, meaning in SIGNS:
        for k, text in enumerate(wrap(meaning, width - 16)):
            yield [Cell(fit(sign if k == 0 else "", 16), "strong"), Cell(text)]


def _action_lines(action: Action, width: int) -> Iterator[Line]:
    keys = " ".join(wording.key_name(key) for key in action.keys)
    said = f"{action.help}" + (f"   (workbench {action.command})" if action.command and width >= 90 else "")
    for k, text in enumerate(wrap(said, width - 16)):
        yield [Cell(fit(keys if k == 0 else "", 16), "key"), Cell(text)]
