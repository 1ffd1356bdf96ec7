"""Which version of the package runs."""

from __future__ import annotations

PACKAGE = "policy-workbench"


def installed_version() -> str:
    """The installed package's version; a word where it runs from a tree that was never installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(PACKAGE)
    except PackageNotFoundError:
        return "not installed"
