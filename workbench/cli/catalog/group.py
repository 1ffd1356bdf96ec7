"""`workbench catalog`: the commands about offers."""

from __future__ import annotations

from typing import Final

from workbench.cli.groups import Entry, group_of

_HERE: Final = "workbench.cli.catalog"

COMMANDS: Final = {
    "show": Entry(f"{_HERE}.show", "List the offers.", "Commands"),
    "facts": Entry(f"{_HERE}.facts", "Show all that is known of one offer, with its sources.", "Commands"),
    "fields": Entry(f"{_HERE}.fields", "List the fields that clauses may name.", "Commands"),
    "lint": Entry(f"{_HERE}.lint", "Show what is missing or odd in a catalog.", "Commands"),
    "diff": Entry(f"{_HERE}.diff", "Show what differs between two catalogs, fact by fact.", "Commands"),
    "import": Entry(f"{_HERE}.imports", "Make a catalog from published price lists.", "Commands"),
}

command: Final = group_of(
    "catalog", COMMANDS, "Show, check and import catalogs of offers.", "Show, check and import catalogs of offers."
)
