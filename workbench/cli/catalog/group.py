"""`workbench catalog`: the commands about offers."""

from __future__ import annotations

from typing import Final

import click

from workbench.cli.groups import Entry, LazyGroup
from workbench.cli.invocation import CONTEXT, common_options

_HERE: Final = "workbench.cli.catalog"

COMMANDS: Final = {
    "show": Entry(f"{_HERE}.show", "List the offers.", "Commands"),
    "facts": Entry(f"{_HERE}.facts", "Show all that is known of one offer, with its sources.", "Commands"),
    "fields": Entry(f"{_HERE}.fields", "List the fields that clauses may name.", "Commands"),
    "lint": Entry(f"{_HERE}.lint", "Show what is missing or odd in a catalog.", "Commands"),
    "diff": Entry(f"{_HERE}.diff", "Show what differs between two catalogs, fact by fact.", "Commands"),
    "import": Entry(f"{_HERE}.imports", "Make a catalog from published price lists.", "Commands"),
}


@click.group(
    "catalog",
    cls=LazyGroup,
    entries=COMMANDS,
    short_help="Show, check and import catalogs of offers.",
    help="Show, check and import catalogs of offers.",
    no_args_is_help=False,
    add_help_option=False,
    context_settings=dict(CONTEXT),
)
def command() -> None:
    pass


command.params.extend(common_options())
