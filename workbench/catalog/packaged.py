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
