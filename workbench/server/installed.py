"""What the extra `server` brings: whoever imports a part of it says by this what to install where it is missing."""

from __future__ import annotations

from workbench.errors import Finding, UsageError


def missing(package: str) -> UsageError:
    """The error of a part that is not installed, with the extra that brings it."""
    hint = "pip install 'policy-workbench[server]'"
    return UsageError(
        "the endpoint needs more than is installed", [Finding(f"`{package}` is not installed", "extra", hint=hint)]
    )
