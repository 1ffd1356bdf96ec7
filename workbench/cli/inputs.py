"""Files that a command is given by name, `-` being stdin; bounded, regular files only."""

from __future__ import annotations

import sys
from pathlib import Path

from workbench.boundary import files
from workbench.errors import FileRefused, Finding, Place

STDIN = "-"


def read_input(name: str, *, max_bytes: int) -> tuple[bytes, str]:
    """The bytes of the file `name` and the word that findings use for it. Raises `FileRefused`."""
    if name != STDIN:
        return files.read_bytes(Path(name), max_bytes=max_bytes), name
    data = sys.stdin.buffer.read(max_bytes + 1) if sys.stdin is not None else b""
    if len(data) > max_bytes:
        finding = Finding(f"more than {max_bytes:,} bytes", "too_large", Place("<stdin>"))
        raise FileRefused("stdin is too large", [finding])
    return data, "<stdin>"
