"""`workbench near`: the smallest change that admits an offer, or that ends the winner's lead."""

from __future__ import annotations

import click

from workbench.cli import diagnostics
from workbench.cli.completion import complete_offer, complete_tenant
from workbench.cli.invocation import Invocation, declare, outcome_of
from workbench.cli.whatif.answers import check_form, show
from workbench.cli.whatif.supposing import csv_option
from workbench.session.evaluation import Evaluator
from workbench.whatif.margin.margin import margin
from workbench.whatif.near.near import near
from workbench.whatif.reports.near import margin_report, near_report


@declare("near", "Find the smallest change that admits an offer.")
@click.argument("tenant", shell_complete=complete_tenant)
@click.argument("offer", required=False, shell_complete=complete_offer)
@click.option("--winner", is_flag=True, help="The winner's margin: at which value of which field it stops to win.")
@csv_option
def command(invocation: Invocation, tenant: str, offer: str | None, winner: bool, as_csv: bool) -> int:
    """Say what it takes to admit OFFER for TENANT: the clauses, each with its exact new text, or facts instead of them.

    With --winner and no OFFER: by how much the winner leads, and the exact value of each field at which it stops to
    win; with both, its lead over OFFER. Every change told was decided.
    """
    check_form(invocation, as_csv=as_csv)
    if offer is None and not winner:
        raise diagnostics.usage("`OFFER` is missing", hint=f"name one, or ask for `near {tenant} --winner`")
    workspace = invocation.open()
    state = workspace.state
    outcome = outcome_of(workspace, tenant)
    index = None if offer is None else state.catalog.find(offer)
    if winner:
        if index is not None and (outcome.decision is None or index not in outcome.decision.order[1:]):
            hint = "name another offer that `workbench rank` lists, or leave --winner out"
            raise diagnostics.usage(f"`{state.catalog.offer_id(index)}` is not behind the winner", hint=hint)
        report = margin_report(margin(state, tenant, Evaluator(), index))
    elif index is not None:
        report = near_report(state, near(state, tenant, index, Evaluator()))
    else:
        return diagnostics.USAGE
    show(invocation, report, as_csv=as_csv)
    return diagnostics.OK
