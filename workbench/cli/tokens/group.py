"""`workbench token`: who may call the endpoint, and how much."""

from __future__ import annotations

from typing import Final

from workbench.cli.groups import Entry, group_of

_HERE: Final = "workbench.cli.tokens"

COMMANDS: Final = {
    "new": Entry(f"{_HERE}.new", "Make a token; its secret is shown once.", "Commands"),
    "list": Entry(f"{_HERE}.list", "List the tokens and what each has spent.", "Commands"),
    "show": Entry(f"{_HERE}.show", "Show what one token allows.", "Commands"),
    "revoke": Entry(f"{_HERE}.revoke", "End a token for good.", "Commands"),
}

command: Final = group_of(
    "token",
    COMMANDS,
    "Make, list and revoke the endpoint's tokens.",
    "Make, list and revoke the tokens that callers of `workbench serve` need.",
)
