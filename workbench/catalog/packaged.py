"""Where the catalogs that travel with the program are: beside the checkout, or inside the installed wheel."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

DEFAULT: Final = "2026-11"
"""The catalog in force where a workspace names none."""

_PACKAGE: Final = Path(__file__).resolve().parent.parent


def catalogs_folder() -> Path:
    """The folder of packaged catalogs."""
    wheel = _PACKAGE / "_data" / "catalogs"
    return wheel if wheel.is_dir() else _PACKAGE.parent / "catalogs"


@cache
def packaged_catalogs() -> dict[str, Path]:
    """Packaged catalogs by name, oldest first; the facts they are made from (`facts/`) are not among them."""
    return {path.stem: path for path in sorted(catalogs_folder().glob("*.json"))}


@cache
def checked_digests() -> frozenset[str]:
    """SHA-256 of the packaged catalogs' bytes, as written when their shape was checked (`SHA256SUMS`).

    Who can change that list can change the program beside it. A file that is not on it is checked when it is loaded.
    """
    path = catalogs_folder() / "SHA256SUMS"
    if not path.is_file():
        return frozenset()
    return frozenset(line.split()[0] for line in path.read_text(encoding="ascii").splitlines() if line.strip())
