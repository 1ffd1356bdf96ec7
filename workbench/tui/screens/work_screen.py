"""The base of every screen beside the main one: its heading, its keys, its filter, its banner, its work in threads.

A screen names its place (`PLACE`, as in the registry of actions) and says what it is called (`HEADING`). It composes
what is between heading and footer (`compose_body`) and does each of its actions: the action `matrix.sort` calls
`do_sort`. Work that may take longer than a frame goes through `self.background.start(title, work, done)`: `work` runs
in a thread and may report progress, `done` gets the answer on the UI's side, `escape` cancels. What is shown comes from
`session.shown`; a screen changes nothing in the session but by an edit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from workbench.boundary.sanitiser import visible
from workbench.session.actions import Where, actions_for
from workbench.tui.panels.bars import Footer
from workbench.tui.screens.speaking import Speaking
from workbench.tui.widgets.text_block import TextBlock

if TYPE_CHECKING:
    from workbench.tui.screens.main import MainScreen


def bindings_of(place: Where) -> list[BindingType]:
    """The keys of a screen, from the registry of actions."""
    return [
        Binding(",".join(action.keys), f"do({action.id!r})", action.title, show=False, id=action.id)
        for action in actions_for(place)
    ]


class WorkScreen(Speaking):
    """A screen of its own over the main one."""

    def __init_subclass__(cls, **settings: Any) -> None:
        if "PLACE" in cls.__dict__:
            cls.BINDINGS = [*cls.__dict__.get("BINDINGS", ()), *bindings_of(cls.PLACE)]
        super().__init_subclass__(**settings)

    def compose(self) -> ComposeResult:
        yield TextBlock(lambda width: [self.heading_line(width)], id="work-heading")
        with Vertical(id="work-body"):
            yield from self.compose_body()
        yield TextBlock(id="banner")
        yield Input(id="filter", compact=True, placeholder="filter: type, enter keeps it, esc clears it")
        yield Footer(id="footer")

    def on_mount(self) -> None:
        self.query_one("#filter", Input).cursor_blink = False
        self.show_footer()

    # what a screen gives

    def opened_from(self, main: MainScreen) -> None:
        """Take what the main screen has and this one needs, before it is shown."""

    def compose_body(self) -> ComposeResult:
        """What stands between heading and footer."""
        yield from ()

    def filter_rows(self, text: str) -> None:
        """Show only what contains `text`; `/` opens the field. Empty shows all."""

    def copied(self) -> str:
        """What `y` copies: the thing under the cursor."""
        return ""

    def exports(self) -> Mapping[str, bytes]:
        """What `x` writes: contents by file name, the same bytes as the command prints."""
        return {}

    def go_back(self) -> bool:
        """Take one step back inside the screen (a drilled-in row, a narrowed list); False where there is none."""
        return False

    # doing things

    def action_do(self, action_id: str) -> None:
        """Do what the registry calls `action_id`."""
        handler: Callable[[], None] = getattr(self, f"do_{action_id.partition('.')[2]}")
        handler()

    def do_back(self) -> None:
        """Close the filter, stop what runs, take a step back, or leave: the first of these that there is."""
        field = self.query_one("#filter", Input)
        if field.has_class("-open") or field.value:
            field.value = ""
            self._close_filter()
        elif self.background.cancel():
            self.say("stopped")
        elif not self.go_back():
            self.dismiss(None)

    def do_filter(self) -> None:
        """Open the field for a text that rows must contain."""
        field = self.query_one("#filter", Input)
        field.add_class("-open")
        self.set_focus(field)

    @on(Input.Changed, "#filter")
    def _filter_typed(self, event: Input.Changed) -> None:
        event.stop()
        self.filter_rows(event.value)

    @on(Input.Submitted, "#filter")
    def _filter_kept(self, event: Input.Submitted) -> None:
        event.stop()
        self._close_filter()

    def _close_filter(self) -> None:
        self.query_one("#filter", Input).remove_class("-open")
        self.focus_body()

    def focus_body(self) -> None:
        """Put the focus where the screen's list is."""
        for child in self.query("#work-body LineView, #work-body Input"):
            if child.focusable:
                self.set_focus(child)
                return

    def do_copy(self) -> None:
        """Copy what the cursor is on, safe to paste, and say what it was."""
        text = visible(self.copied())
        if not text:
            self.say("there is nothing to copy here", "warn")
            return
        self.host.copy_to_clipboard(text)
        said = " ".join(text.split())
        self.say(f"copied: {said[:60]}{'…' if len(said) > 60 else ''}")

    def do_export(self) -> None:
        """Write what is shown to files."""
        from workbench.tui.work.exporting import ask_where_to  # noqa: PLC0415 - when it is asked for

        ask_where_to(self, self.exports())

    def do_help(self) -> None:
        """Keys and signs for where one is."""
        from workbench.tui.screens.help import Help  # noqa: PLC0415 - when it is asked for

        self.host.push_screen(Help(self.PLACE, self.HEADING, self.about()))

    def do_quit(self) -> None:
        """Leave the app by way of the main screen, which asks where something is not saved."""
        self.background.cancel()
        self.dismiss(None)
        self.host.call_later(self.host.run_action, "screen.do('app.quit')")
