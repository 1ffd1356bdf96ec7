"""`workbench token list`: every token, what it allows and what it has spent this month."""

from __future__ import annotations

import click

from workbench.cli import diagnostics
from workbench.cli.invocation import Invocation, declare
from workbench.cli.layout import Table
from workbench.cli.tokens.shown import (
    limit_words,
    month,
    names_words,
    now_ms,
    opened,
    shared_option,
    spending_of,
    token_json,
    tokens_option,
)


@declare("list", "List the tokens and what each has spent.")
@click.option("--all", "everyone", is_flag=True, help="Those that are revoked or expired too.")
@tokens_option()
@shared_option()
def command(invocation: Invocation, everyone: bool, place: str | None, shared: str | None) -> int:
    """List the tokens, with what each has spent in this calendar month (UTC)."""
    this = month()
    with opened(invocation, place) as tokens:
        known, spending = tokens.all(), spending_of(tokens, shared, this)
    shown = [token for token in known if everyone or token.standing(now_ms()) == "active"]
    if invocation.as_json:
        rows = [token_json(token, spending.get(token.id)) for token in shown]
        invocation.output.document({"month": this, "tokens": rows})
        return diagnostics.OK
    rows = [
        (
            token.id,
            token.name,
            token.standing(now_ms()),
            names_words(token.tenants),
            names_words(token.routes),
            limit_words(token.rate_per_minute, "/min"),
            limit_words(token.concurrency),
            limit_words(token.budget_usd),
            f"{spending[token.id].usd:.4f}" if token.id in spending else "-" if token.budget_usd is None else "0",
        )
        for token in shown
    ]
    headings = ("id", "name", "standing", "tenants", "routes", "rate", "at once", "budget $", "spent $")
    invocation.output.table(Table(headings, rows, frozenset(("rate", "at once", "budget $", "spent $"))))
    if not rows:
        invocation.output.line("no tokens" if not known else "no token is active; --all lists them all")
        invocation.note("`workbench token new NAME` makes one")
    return diagnostics.OK
