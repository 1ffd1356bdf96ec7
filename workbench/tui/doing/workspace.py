"""Actions on the workspace: undo, save, reload, export, quit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.errors import WorkbenchError
from workbench.session.export import Export, export_of
from workbench.tui import wording
from workbench.tui.screens.dialogs import Ask, AskText, Choice
from workbench.tui.screens.looking import host_of
from workbench.tui.workers import clock

if TYPE_CHECKING:
    from workbench.tui.screens.main import MainScreen

Handler = Callable[["MainScreen"], None]


def undo(screen: MainScreen) -> None:
    """Go back one edit."""
    title = screen.session.undo()
    screen.refresh_view()
    screen.say(f"undone: {title}; ^r does it again" if title else "there is nothing to undo")


def redo(screen: MainScreen) -> None:
    """Make the last undone edit again."""
    title = screen.session.redo()
    screen.refresh_view()
    screen.say(f"done again: {title}" if title else "there is nothing to do again")


def save(screen: MainScreen, then: Callable[[], None] | None = None) -> None:
    """Write what changed; the sample, which is read-only, is copied to a folder of one's own."""
    session = screen.session
    if not session.workspace.writable:
        text = "This workspace can't be written to. A copy with your edits goes into a new folder, and you go on there."
        host_of(screen).push_screen(
            AskText("Save a copy", text, str(Path.cwd() / "policies")), lambda path: _save_to(screen, path, then)
        )
        return
    if not session.dirty:
        screen.say("nothing has changed since the last save")
        return
    try:
        report = session.save()
    except WorkbenchError as error:
        _complain(screen, error)
        return
    _saved(screen, report.written, then)


def _save_to(screen: MainScreen, path: str | None, then: Callable[[], None] | None) -> None:
    if path is None:
        return
    try:
        report = screen.session.save_to(Path(path).expanduser())
    except WorkbenchError as error:
        _complain(screen, error)
        return
    _saved(screen, report.written, then)


def _saved(screen: MainScreen, written: tuple[Path, ...], then: Callable[[], None] | None) -> None:
    screen.saved_at = clock()
    screen.files_read()
    screen.refresh_view()
    screen.say(f"saved {wording.plural(len(written), 'file')}: {', '.join(path.name for path in written[:3])}")
    if then is not None:
        then()


def _complain(screen: MainScreen, error: WorkbenchError) -> None:
    finding = error.findings[0] if error.findings else None
    screen.show_banner(f"{error.title}: {finding}" if finding else error.title)


def reload(screen: MainScreen) -> None:
    """Read the files again; asks where that gives up edits."""
    if not screen.session.dirty:
        screen.reload("read again from disk")
        return
    names = ", ".join(path.name for path in screen.session.changed_files)
    ask = Ask(
        "Read the files again?", f"Not saved: {names}. These edits are given up.", [Choice("r", "read again", "reload")]
    )
    host_of(screen).push_screen(ask, lambda answer: screen.reload("read again from disk") if answer else None)


def export(screen: MainScreen) -> None:
    """Write the selected tenant's policy and its sources."""
    view = screen.view
    if view is None or view.outcome is None or view.outcome.compiled is None:
        screen.say("this tenant has no policy to export", "warn")
        return
    parcel = export_of(view.state, view.outcome)
    text = (
        f"{parcel.file_name} holds version, fingerprint and policy_ir; the file beside it holds identity and sources. "
        "Tenant facts and keys are in neither. Into which folder?"
    )
    text += "".join(f" Mind: {finding.reason}." for finding in parcel.warnings)
    host_of(screen).push_screen(
        AskText(f"Export the policy of {view.outcome.tenant.id}", text, str(Path.cwd() / "exports")),
        lambda folder: _export_to(screen, parcel, folder),
    )


def _export_to(screen: MainScreen, parcel: Export, folder: str | None, *, overwrite: bool = False) -> None:
    if folder is None:
        return
    target = Path(folder).expanduser()
    try:
        clashes = () if overwrite else parcel.clashes(target)
        written = () if clashes else parcel.write(target)
    except WorkbenchError as error:
        _complain(screen, error)
        return
    if clashes:
        names = ", ".join(path.name for path in clashes)
        ask = Ask("Write over it?", f"{names}: it holds something else.", [Choice("o", "overwrite", "yes")])
        host_of(screen).push_screen(
            ask, lambda answer: _export_to(screen, parcel, folder, overwrite=True) if answer else None
        )
        return
    screen.say(f"exported {', '.join(path.name for path in written)}")


def quit_app(screen: MainScreen) -> None:
    """Leave; asks where something is not saved."""
    if not screen.session.dirty:
        host_of(screen).exit(0)
        return
    names = ", ".join(path.name for path in screen.session.changed_files)
    choices = [Choice("s", "save and leave", "save"), Choice("d", "leave without saving", "leave")]

    def answered(answer: str | None) -> None:
        if answer == "save":
            save(screen, lambda: host_of(screen).exit(0))
        elif answer == "leave":
            host_of(screen).exit(0)

    host_of(screen).push_screen(Ask("Leave?", f"Not saved: {names}.", choices), answered)


HANDLERS: Mapping[str, Handler] = {
    "edit.undo": undo,
    "edit.redo": redo,
    "workspace.save": save,
    "workspace.reload": reload,
    "policy.export": export,
    "app.quit": quit_app,
}
