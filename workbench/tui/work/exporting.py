"""Writing what a screen shows: asks for the folder, and before anything is written over."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.boundary import files, regular
from workbench.boundary.files import check_name
from workbench.errors import WorkbenchError
from workbench.tui.doing.saving import here, reason_of
from workbench.tui.screens.dialogs import Ask, AskText, Choice

if TYPE_CHECKING:
    from workbench.tui.screens.work_screen import WorkScreen


def ask_where_to(screen: WorkScreen, contents: Mapping[str, bytes]) -> None:
    """Ask for a folder, then write `contents` (bytes by file name) into it."""
    if not contents:
        screen.say("there is nothing to write here", "warn")
        return
    text = f"{', '.join(contents)}: what this screen shows. Into which folder?"
    screen.host.push_screen(
        AskText(f"Export: {screen.HEADING}", text, str(here() / "exports")),
        lambda folder: _write(screen, contents, folder),
    )


def _write(screen: WorkScreen, contents: Mapping[str, bytes], folder: str | None, *, overwrite: bool = False) -> None:
    if folder is None:
        return
    try:
        target = Path(folder).expanduser()
        clashes = [] if overwrite else [name for name in contents if (target / name).exists()]
        if not clashes:
            _write_all(target, contents)
    except (WorkbenchError, OSError, RuntimeError) as error:
        screen.show_banner(f"could not be exported: {reason_of(error)}")
        return
    if clashes:
        ask = Ask("Write over it?", f"There already: {', '.join(clashes)}.", [Choice("o", "overwrite", "yes")])
        screen.host.push_screen(
            ask, lambda answer: _write(screen, contents, folder, overwrite=True) if answer else None
        )
        return
    screen.say(f"exported {', '.join(contents)}")


def _write_all(folder: Path, contents: Mapping[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in contents.items():
        check_name(name.partition(".")[0], what="file name")
        regular.target_of(folder / name, follow_link=False)
        files.write_atomic(folder / name, data, follow_link=False)
