"""`workbench token list`: every token, what it allows and what it has spent this month."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from workbench.cli import diagnostics
from workbench.cli.invocation import Invocation, declare
from workbench.cli.layout import Table
from workbench.cli.tokens.shown import (
    amount,
    iso,
    limit_words,
    missing_file,
    month,
    names_words,
    now_ms,
    opened,
    shared_option,
    spending_of,
    spent_words,
    token_json,
    tokens_option,
)

if TYPE_CHECKING:
    from workbench.server.callers.token import Token
    from workbench.server.callers.tokens import Spending


@declare("list", "List the tokens and what each has spent.")
@click.option("--all", "everyone", is_flag=True, help="Those that are revoked or expired too.")
@tokens_option()
@shared_option()
def command(invocation: Invocation, everyone: bool, place: str | None, shared: str | None) -> int:
    """List the tokens, with what each has spent in this calendar month (UTC)."""
    this = month()
    nowhere = missing_file(invocation, place)
    known: Sequence[Token] = ()
    if nowhere is not None:
        spending = spending_of(None, shared, this)
    else:
        with opened(invocation, place) as tokens:
            known, spending = tokens.all(), spending_of(tokens, shared, this)
    shown = [token for token in known if everyone or token.standing(now_ms()) == "active"]
    if invocation.as_json:
        rows = [token_json(token, spending.get(token.id)) for token in shown]
        invocation.output.document({"month": this, "tokens": rows})
        return diagnostics.OK
    invocation.output.table(_table(shown, spending, everyone=everyone))
    if not shown:
        invocation.output.line("no tokens" if not known else "no token is active; --all lists them all")
        where = "" if nowhere is None else f"there is no file {nowhere} yet; "
        invocation.note(f"{where}`workbench token new NAME` makes one")
    return diagnostics.OK


def _table(shown: Sequence[Token], spending: Mapping[str, Spending], *, everyone: bool) -> Table:
    """The tokens, their ids never cut; a limit that none of them has is left out."""
    columns: dict[str, Callable[[Token], str]] = {"id": lambda token: token.id, "name": lambda token: token.name}
    if everyone:
        columns["standing"] = lambda token: token.standing(now_ms())
    if any(token.expires_ms is not None for token in shown):
        columns["until"] = lambda token: iso(token.expires_ms) or "-"
    columns["tenants"] = lambda token: names_words(token.tenants)
    if any(token.routes is not None for token in shown):
        columns["routes"] = lambda token: names_words(token.routes)
    if any(token.rate_per_minute is not None for token in shown):
        columns["rate"] = lambda token: limit_words(token.rate_per_minute, "/min")
    if any(token.concurrency is not None for token in shown):
        columns["at once"] = lambda token: limit_words(token.concurrency)
    columns["budget $"] = lambda token: "-" if token.budget_usd is None else amount(token.budget_usd)
    columns["spent $"] = lambda token: spent_words(token, spending.get(token.id))
    rows = [[cell(token) for cell in columns.values()] for token in shown]
    return Table(list(columns), rows, frozenset(("id", "rate", "at once", "budget $", "spent $")))
