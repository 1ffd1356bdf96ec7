"""Saving and leaving: asks where another program's change or one's own edits are at stake, and never loses either."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.errors import WorkbenchError
from workbench.session.saving import SaveReport
from workbench.session.saving.lock import Holder
from workbench.session.session import Session
from workbench.tui import wording
from workbench.tui.screens.dialogs import Ask, AskText, Choice
from workbench.tui.screens.looking import host_of
from workbench.tui.workers import clock

if TYPE_CHECKING:
    from workbench.tui.screens.main import MainScreen

Then = Callable[[], None]


def here() -> Path:
    """The current folder; the home folder where that one is gone."""
    try:
        return Path.cwd()
    except OSError:
        return Path.home()


def reason_of(error: Exception) -> str:
    """What went wrong, in a line."""
    if isinstance(error, WorkbenchError):
        return str(error.findings[0]) if error.findings else error.title
    said = error.strerror if isinstance(error, OSError) else None
    return (said or type(error).__name__).lower()


def save(screen: MainScreen, then: Then | None = None) -> None:
    """Write what changed; asks first where another program changed files meanwhile."""
    session = screen.session
    if session.workspace.is_sample:
        _ask_folder(screen, "The sample is read-only. A copy with your edits goes into a new folder.", then)
    elif (other := _in_use(session)) is not None:
        text = f"{other.words[0].upper()}{other.words[1:]} has this workspace open."
        _ask_folder(screen, f"{text} A copy with your edits goes into another folder.", then)
    elif not session.dirty and session.workspace.root.is_dir():
        screen.say("nothing has changed since the last save")
    elif screen.on_disk and session.workspace.root.is_dir():
        _ask_whose(screen, then)
    else:
        _write(screen, then)


def _in_use(session: Session) -> Holder | None:
    """Who else has the workspace, asked again where somebody had it."""
    return None if session.hold.other is None else session.hold.claim(session)


def _ask_whose(screen: MainScreen, then: Then | None) -> None:
    names = _names(screen.on_disk)
    mine = _names(screen.session.changed_files)
    text = (
        f"Changed on disk by another program: {names}. Your edits are in: {mine}. Where both changed a file, yours is "
        "written and theirs is kept beside it as NAME.conflict-TIME."
    )
    choices = [Choice("s", "save mine, keep theirs", "mine"), Choice("r", "reload theirs", "theirs")]

    def answered(answer: str | None) -> None:
        if answer == "mine":
            _write(screen, then)
        elif answer == "theirs":
            screen.reload("read again from disk; your edits were given up")

    host_of(screen).push_screen(Ask("Save over their change?", text, choices), answered)


def _write(screen: MainScreen, then: Then | None) -> None:
    try:
        report = screen.session.save()
    except (WorkbenchError, OSError) as error:
        reason = reason_of(error)
        screen.show_banner(f"could not be saved: {reason}. Your edits are still here")
        _ask_folder(screen, f"It could not be saved: {reason}. Your edits are still here; save a copy elsewhere?", then)
        return
    _saved(screen, report, then)


def _ask_folder(screen: MainScreen, text: str, then: Then | None) -> None:
    folder = here() / "policies"
    text += " You go on in that folder."
    host_of(screen).push_screen(AskText("Save a copy", text, str(folder)), lambda path: _save_to(screen, path, then))


def _save_to(screen: MainScreen, path: str | None, then: Then | None) -> None:
    if path is None:
        return
    session = screen.session
    left = session.journal_file
    try:
        report = session.save_to(Path(path).expanduser().absolute())
    except (WorkbenchError, OSError, RuntimeError) as error:
        screen.show_banner(f"could not be saved: {reason_of(error)}. Your edits are still here")
        return
    _settle(screen, lambda: screen.keeper.moved_from(left))
    screen.moved_to = session.workspace.root
    _saved(screen, report, then)


def _saved(screen: MainScreen, report: SaveReport, then: Then | None) -> None:
    screen.saved_at = clock()
    screen.keeper.look(saved=True)
    screen.files_read()
    screen.refresh_view()
    folder = wording.path(screen.session.workspace.root)
    names = "" if len(report.written) > 3 else f": {_names(report.written)}"
    screen.say(f"saved {wording.plural(len(report.written), 'file')} in {folder}{names}")
    if report.conflicts:
        kept = ", ".join(wording.path(path) for path in report.conflicts)
        screen.show_banner(f"another program had changed what you saved; their version is kept in {kept}")
    if then is not None and not report.conflicts:
        then()


def _settle(screen: MainScreen, do: Then) -> None:
    """Take away what is kept and not wanted any more; that it stays is no reason to stop."""
    try:
        do()
    except (WorkbenchError, OSError) as error:
        screen.not_kept(error)


def _names(paths: tuple[Path, ...]) -> str:
    shown = ", ".join(path.name for path in paths[:4])
    return shown + (f" and {len(paths) - 4} more" if len(paths) > 4 else "") or "no file"


def quit_app(screen: MainScreen) -> None:
    """Leave; asks where something is not saved."""
    if not screen.session.dirty:
        _leave(screen)
        return
    choices = [Choice("s", "save and leave", "save"), Choice("d", "discard the edits and leave", "leave")]

    def answered(answer: str | None) -> None:
        if answer == "save":
            save(screen, lambda: _leave(screen))
        elif answer == "leave":
            _leave(screen)

    host_of(screen).push_screen(Ask("Leave?", f"Not saved: {_names(screen.session.changed_files)}.", choices), answered)


def _leave(screen: MainScreen) -> None:
    """Nothing of this sitting is wanted any more; what was kept of it goes."""
    _settle(screen, screen.keeper.give_up)
    host_of(screen).exit(0)
