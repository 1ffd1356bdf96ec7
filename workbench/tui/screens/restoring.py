"""What an earlier sitting left unsaved: asked about at the start, never taken up silently."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.errors import WorkbenchError
from workbench.tui.doing.saving import reason_of
from workbench.tui.keeping import Found, JournalKeeper
from workbench.tui.screens.dialogs import Ask, Choice
from workbench.tui.screens.looking import host_of

if TYPE_CHECKING:
    from workbench.tui.screens.main import MainScreen

CHOICES = (
    Choice("r", "restore", "restore"),
    Choice("d", "discard", "discard"),
    Choice("l", "later", "later"),
)


def ask_about(screen: MainScreen, keeper: JournalKeeper, found: Found) -> None:
    """Ask what becomes of unsaved edits that were found; without an answer they stay and are asked about again."""
    names = ", ".join(sorted(found.journal.texts))
    text = f"An earlier sitting ended with unsaved edits in: {names}."
    stale = found.journal.stale_files(screen.session.workspace)
    if stale:
        text += (
            f" Changed on disk since: {', '.join(stale)}; restoring shows the kept text instead of what they say now, "
            "and a save would write it over."
        )

    def answered(answer: str | None) -> None:
        try:
            if answer == "restore":
                _restore(screen, keeper, found)
            elif answer == "discard":
                keeper.decided(found)
                screen.say("the edits of the earlier sitting are gone")
            else:
                screen.say("the edits of the earlier sitting stay, and are asked about at the next start")
        except (WorkbenchError, OSError) as error:
            screen.show_banner(f"not done, the kept edits stay where they are: {reason_of(error)}")

    host_of(screen).push_screen(Ask("Restore unsaved edits?", text, CHOICES), answered)


def _restore(screen: MainScreen, keeper: JournalKeeper, found: Found) -> None:
    screen.session.restore(found.journal)
    keeper.taken_up(found)
    screen.refresh_view()
    screen.say("restored, not saved yet; u undoes")
