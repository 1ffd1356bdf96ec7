"""`workbench token show`: what one token allows, and what it has spent. Not its secret, which nobody has kept."""

from __future__ import annotations

import click

from workbench.cli import diagnostics
from workbench.cli.invocation import Invocation, declare
from workbench.cli.layout import Table
from workbench.cli.tokens.shown import amount, month, opened, shared_option, spending_of, token_json, tokens_option


@declare("show", "Show what one token allows.")
@click.argument("token")
@tokens_option()
@shared_option()
def command(invocation: Invocation, token: str, place: str | None, shared: str | None) -> int:
    """Show what TOKEN (its name, its id or a beginning of it) allows, and what it has spent this month."""
    with opened(invocation, place, there=True) as tokens:
        found = tokens.one(token)
        shown = token_json(found, spending_of(tokens, shared, month()).get(found.id))
    if invocation.as_json:
        invocation.output.document(shown)
        return diagnostics.OK
    invocation.output.heading(f"{found.id}: {found.name}")
    rows = [
        (name.replace("_", " "), _words(name, value)) for name, value in shown.items() if name not in ("id", "name")
    ]
    invocation.output.table(Table(("", ""), rows))
    return diagnostics.OK


def _words(name: str, value: object) -> str:
    if value is None:
        return "all" if name in {"tenants", "routes"} else "-"
    if isinstance(value, float):
        return amount(value)
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)  # pyright: ignore[reportUnknownArgumentType]
