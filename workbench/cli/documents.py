"""Files that a command reads or writes by a name the user gave; `-` is stdin or stdout.

Reads are bounded and of regular files. A write goes to a regular file or to a new name, never through a link; it
replaces other content only where that was asked for.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

from workbench.boundary import files, regular
from workbench.errors import FileRefused, Finding, Place

STREAM = "-"

Written = Literal["written", "unchanged", "replaced"]


def read_input(name: str, *, max_bytes: int) -> tuple[bytes, str]:
    """The bytes of the file `name` and the word that findings use for it. Raises `FileRefused`."""
    if name != STREAM:
        return files.read_bytes(Path(name), max_bytes=max_bytes), name
    data = sys.stdin.buffer.read(max_bytes + 1) if sys.stdin is not None else b""
    if len(data) > max_bytes:
        finding = Finding(f"more than {max_bytes:,} bytes", "too_large", Place("<stdin>"))
        raise FileRefused("stdin is too large", [finding])
    return data, "<stdin>"


def check_target(path: Path, data: bytes, *, force: bool) -> Written:
    """What writing `data` at `path` would do. Raises `FileRefused` for a link, a pipe, a folder, or other content."""
    target, status = regular.target_of(path, follow_link=False)
    if status is None:
        return "written"
    if status.st_size == len(data) and files.read_bytes(target, max_bytes=len(data)) == data:
        return "unchanged"
    if not force:
        finding = Finding("it exists and says something else", "exists", Place(str(path)), "--force replaces it")
        raise FileRefused("nothing is overwritten", [finding])
    return "replaced"


def write_result(path: Path, data: bytes, *, force: bool) -> Written:
    """Put `data` at `path`, whole or not at all; a file that says the same already is left alone."""
    done = check_target(path, data, force=force)
    if done != "unchanged":
        files.write_atomic(path, data, follow_link=False, overwrite=done == "replaced")
    return done


def make_folder(folder: Path) -> None:
    """The folder and those above it, where they are missing. Raises `FileRefused`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise regular.refused(folder, "made", error) from None
