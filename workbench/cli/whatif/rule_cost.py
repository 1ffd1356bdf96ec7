"""`workbench rule-cost`: what each clause adds to the bill and to quality, leaving it out alone."""

from __future__ import annotations

from dataclasses import replace

import click

from workbench.cli import diagnostics
from workbench.cli.completion import complete_tenant
from workbench.cli.invocation import Invocation, declare, outcome_of
from workbench.cli.whatif.answers import check_form, show
from workbench.cli.whatif.supposing import broken_json, csv_option, told_broken
from workbench.session.evaluation import Evaluator
from workbench.whatif.reports.rule_cost import tenant_costs_report, totals_report
from workbench.whatif.rule_cost import dearest_rules, rule_costs


@declare("rule-cost", "Say what each clause costs, and what quality it brings.")
@click.argument("tenant", required=False, shell_complete=complete_tenant)
@csv_option
def command(invocation: Invocation, tenant: str | None, as_csv: bool) -> int:
    """Leave out each clause of TENANT alone: who would answer, and the difference in cost and in quality.

    Without TENANT: every clause over all tenants, the dearest a month first. A figure is a fact about prices and scores
    and no advice.
    """
    check_form(invocation, as_csv=as_csv)
    workspace = invocation.open()
    state = workspace.state
    if tenant is not None:
        outcome_of(workspace, tenant)
        show(invocation, tenant_costs_report(rule_costs(state, tenant, Evaluator())), as_csv=as_csv)
        return diagnostics.OK
    totals, every = dearest_rules(state, Evaluator())
    known = {costs.tenant for costs in every}
    lacking = [one.id for one in state.tenants if one.id not in known]
    report = totals_report(totals, every, lacking)
    show(
        invocation,
        replace(report, document={**report.document, "broken": broken_json(workspace)}),
        as_csv=as_csv,
    )
    return diagnostics.FINDINGS if told_broken(invocation, workspace) or lacking else diagnostics.OK
