"""Which store a workspace's traces go to: the option, else the environment, else `workbench.toml`, else the user's own.

Owns that order and the check of a place before anything is opened. What opening does to a file that is no store (it
is set aside under another name) may not happen to a file of somebody's: a store's name ends in `.db`, and one that
`workbench.toml` names lies below the workspace.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

import platformdirs

from workbench.boundary import files
from workbench.errors import Finding, Place, UsageError
from workbench.session.settings import Settings
from workbench.traces.databases.address import ENDINGS, is_address, masked

if TYPE_CHECKING:
    from workbench.session.workspace import Workspace

VARIABLE: Final = "WORKBENCH_TRACES"
_ODD: Final = re.compile(r"[^a-z0-9]+")


def place_of(workspace: Workspace, option: str | None = None) -> Path | str:
    """The file, or the address of the PostgreSQL database, that the workspace's traces are in.

    Raises `UsageError` where the option or the variable names none, `FileRefused` where a path leaves the workspace.
    """
    return place_for(workspace.root, workspace.settings, option)


def place_for(
    root: Path, settings: Settings | None, option: str | None = None, environment: Mapping[str, str] | None = None
) -> Path | str:
    """As `place_of`, of a workspace that need not be read whole; without `settings` those are left out."""
    given = os.environ if environment is None else environment
    for text, where in ((option, "--traces"), (given.get(VARIABLE), VARIABLE)):
        if text:
            return _named(text, where)
    if settings is not None and settings.traces is not None:
        stated = settings.traces
        return stated if is_address(stated) else files.path_inside(root, *Path(stated).parts)
    return default_place(root)


def default_place(root: Path) -> Path:
    """The file in the user's state folder, one per workspace folder; a copy of a workspace has its own."""
    resolved = root.resolve()
    digest = sha256(str(resolved).encode("utf-8", errors="surrogateescape")).hexdigest()[:8]
    name = _ODD.sub("-", resolved.name.lower()).strip("-")[:40] or "workspace"
    return platformdirs.user_state_path("policy-workbench") / "traces" / f"{name}-{digest}.db"


def shown_place(place: Path | str) -> str:
    """The place as people may see it: an address without its password."""
    return masked(place) if isinstance(place, str) and is_address(place) else str(place)


def _named(text: str, where: str) -> Path | str:
    """A place that a person named outside the workspace: any path, any address."""
    if is_address(text):
        return text
    if "://" in text:
        raise _refused(f"`{masked(text)}` is no address of a trace store", where, "postgresql://USER@HOST/DATABASE")
    if "\x00" in text or not text.endswith(ENDINGS):
        reason = f"`{text}` is no name of a trace store"
        raise _refused(reason, where, f"a file whose name ends in {', '.join(ENDINGS)}, or postgresql://...")
    return files.expanded(text).absolute()


def _refused(reason: str, where: str, hint: str) -> UsageError:
    return UsageError("the place of the traces can't be used", [Finding(reason, "trace_place", Place(where), hint)])


def told_place(option: str | None, environment: Mapping[str, str] | None = None) -> bool:
    """Whether the option or the variable says it, so that nothing of the workspace need be read."""
    given = os.environ if environment is None else environment
    return bool(option or given.get(VARIABLE))
