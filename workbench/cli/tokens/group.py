"""`workbench token`: who may call the endpoint, and how much."""

from __future__ import annotations

from typing import Final

import click

from workbench.cli.groups import Entry, LazyGroup
from workbench.cli.invocation import CONTEXT, common_options

_HERE: Final = "workbench.cli.tokens"

COMMANDS: Final = {
    "new": Entry(f"{_HERE}.new", "Make a token; its secret is shown once.", "Commands"),
    "list": Entry(f"{_HERE}.list", "List the tokens and what each has spent.", "Commands"),
    "show": Entry(f"{_HERE}.show", "Show what one token allows.", "Commands"),
    "revoke": Entry(f"{_HERE}.revoke", "End a token for good.", "Commands"),
}


@click.group(
    "token",
    cls=LazyGroup,
    entries=COMMANDS,
    short_help="Make, list and revoke the endpoint's tokens.",
    help="Make, list and revoke the tokens that callers of `workbench serve` need.",
    no_args_is_help=False,
    add_help_option=False,
    context_settings=dict(CONTEXT),
)
def command() -> None:
    pass


command.params.extend(common_options())
