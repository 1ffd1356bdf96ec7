"""Actions on the workspace: undo, reload, export; saving and leaving are `saving.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.errors import WorkbenchError
from workbench.session.export import Export, export_of
from workbench.tui.doing.saving import here, quit_app, reason_of, save
from workbench.tui.screens.dialogs import Ask, AskText, Choice
from workbench.tui.screens.looking import host_of

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
        AskText(f"Export the policy of {view.outcome.tenant.id}", text, str(here() / "exports")),
        lambda folder: _export_to(screen, parcel, folder),
    )


def _export_to(screen: MainScreen, parcel: Export, folder: str | None, *, overwrite: bool = False) -> None:
    if folder is None:
        return
    try:
        target = Path(folder).expanduser()
        clashes = () if overwrite else parcel.clashes(target)
        written = () if clashes else parcel.write(target)
    except (WorkbenchError, OSError, RuntimeError) as error:
        screen.show_banner(f"could not be exported: {reason_of(error)}")
        return
    if clashes:
        names = ", ".join(path.name for path in clashes)
        ask = Ask("Write over it?", f"{names}: it holds something else.", [Choice("o", "overwrite", "yes")])
        host_of(screen).push_screen(
            ask, lambda answer: _export_to(screen, parcel, folder, overwrite=True) if answer else None
        )
        return
    screen.say(f"exported {', '.join(path.name for path in written)}")


HANDLERS: Mapping[str, Handler] = {
    "edit.undo": undo,
    "edit.redo": redo,
    "workspace.save": save,
    "workspace.reload": reload,
    "policy.export": export,
    "app.quit": quit_app,
}
