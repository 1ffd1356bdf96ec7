"""Which version of the package runs: the one that its own code states, installed or not."""

from __future__ import annotations

from workbench import __version__


def installed_version() -> str:
    """The version of the code that runs."""
    return __version__
