"""Names from data, and why they never become paths by themselves.

Owns what an identifier may look like and the proof that a path stays in its folder. It opens nothing.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, NoReturn

from workbench.boundary.sanitiser import one_line
from workbench.errors import FileRefused, Finding, Place

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f\\:\ud800-\udfff]")
_STEP_BYTES: Final = 255
_DEVICES: Final = frozenset(
    ("con", "prn", "aux", "nul", *(f"com{n}" for n in range(10)), *(f"lpt{n}" for n in range(10)))
)
"""Names that Windows takes for a device, whatever extension follows."""


def check_name(name: str, *, what: str) -> str:
    """`name` itself where it may name a file, a tenant, a rule; a FileRefused that says `what` it was to name.

    Lower-case letters, digits, `.`, `_` and `-`, at most 64, a letter or digit first, no dot last, no device name.
    """
    if not _NAME.fullmatch(name):
        _refuse(
            name, f"`{one_line(name, limit=80)}` is no {what}", "name", hint="use a-z, 0-9, `.`, `_`, `-`, at most 64"
        )
    if name.endswith("."):
        _refuse(name, f"the {what} `{name}` ends with a dot", "name", hint="leave the dot out")
    if name.split(".", 1)[0] in _DEVICES:
        _refuse(name, f"the {what} `{name}` is the name of a device on some systems", "name", hint="choose another")
    return name


def path_inside(root: Path, *parts: str) -> Path:
    """The path of `parts` under `root`, links resolved; a FileRefused where it would leave `root`.

    A part may contain `/`; it may not be empty or absolute, nor hold `..`, a backslash, a colon or a control character.
    """
    shown = f"`{one_line('/'.join(parts), limit=80)}`"
    if not all(_is_step(step) for part in parts for step in part.split("/")):
        _refuse(str(root), f"{shown} is no path inside this folder", "outside")
    base = root.resolve()
    try:
        path = base.joinpath(*parts).resolve()
    except (OSError, RuntimeError, ValueError) as error:
        _refuse(str(root), f"{shown} cannot be resolved, {type(error).__name__}", "outside")
    if any(_is_link(each) for each in (path, *path.parents)):  # since Python 3.13 a loop of links stays as it is
        _refuse(str(root), f"{shown} cannot be resolved, its links lead in a circle", "outside")
    if path != base and base not in path.parents:
        _refuse(str(root), f"{shown} leads out of its folder through a link", "outside")
    return path


def _is_link(path: Path) -> bool:
    try:
        return path.is_symlink()
    except OSError:  # what may not be looked at is told whoever opens it
        return False


def _is_step(step: str) -> bool:
    if step in ("", ".", "..") or _UNSAFE.search(step):
        return False
    return len(step.encode("utf-8", "replace")) <= _STEP_BYTES


def _refuse(source: str, reason: str, code: str, hint: str | None = None) -> NoReturn:
    finding = Finding(reason, code, Place(one_line(source, limit=80)), hint)
    raise FileRefused("a name that is no safe path", [finding]) from None


def expanded(text: str) -> Path:
    """The path that a person wrote, `~` and `~NAME` being home folders. Raises `FileRefused` for nobody's."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        finding = Finding("nobody of that name has a home folder here", "path", Place(text), "write the whole path")
        raise FileRefused("no such path", [finding]) from None
