"""`workbench whatif`: a change that is only supposed, and what it decides."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from workbench.cli import diagnostics
from workbench.cli.completion import complete_tenant
from workbench.cli.invocation import Invocation, declare, outcome_of
from workbench.cli.whatif.answers import check_form, show
from workbench.cli.whatif.supposing import (
    broken_json,
    change_options,
    changes_of,
    csv_option,
    readable,
    told_broken,
)
from workbench.session.evaluation import Evaluator
from workbench.session.workspace import Workspace, default_workload
from workbench.whatif.changes import Changes
from workbench.whatif.facts import suppose, suppose_all, what_matters
from workbench.whatif.report import Report
from workbench.whatif.reports.facts import all_supposed_report, matters_report, supposed_report


@declare("whatif", "Suppose other facts or clauses, and see what they decide.")
@click.argument("tenant", required=False, shell_complete=complete_tenant)
@change_options
@click.option("--all", "every", is_flag=True, help="Try every value of every fact: which matter to TENANT's winner?")
@csv_option
def command(invocation: Invocation, tenant: str | None, every: bool, as_csv: bool, **options: Any) -> int:
    """Suppose that TENANT's facts, or clauses, are others: policy, winner, cost, what opens and what closes.

    Without TENANT a change of rules is tried on every tenant: `whatif --rule free-floor=0.4`. Nothing is written.
    """
    check_form(invocation, as_csv=as_csv)
    workspace = invocation.open()
    asked = any(options.values())
    if every:
        report = _matters(workspace, tenant, asked=asked)
    elif not asked:
        hint = "give --set, --unset, --rule, --clause or --without; or --all to try every fact"
        raise diagnostics.usage("nothing is supposed to be different", hint=hint)
    else:
        changes = _changes(workspace, tenant, options)
        report = _one(workspace, tenant, changes) if tenant is not None else _all(invocation, workspace, changes)
    show(invocation, report, as_csv=as_csv)
    broken = tenant is None and told_broken(invocation, workspace)
    return diagnostics.FINDINGS if broken else diagnostics.OK


def _matters(workspace: Workspace, tenant: str | None, *, asked: bool) -> Report:
    if tenant is None:
        raise diagnostics.usage("`TENANT` is missing", hint="`whatif TENANT --all` tries every fact of one tenant")
    if asked:
        raise diagnostics.usage("--all tries every fact by itself", hint="leave the other changes out")
    outcome_of(workspace, tenant)
    return matters_report(what_matters(workspace.state, tenant, Evaluator()))


def _changes(workspace: Workspace, tenant: str | None, options: dict[str, Any]) -> Changes:
    if tenant is not None:
        readable(workspace, [tenant])
    return changes_of(workspace, tenant, options)


def _one(workspace: Workspace, tenant: str, changes: Changes) -> Report:
    workload = default_workload(workspace.settings)
    return supposed_report(workspace.state, suppose(workspace.state, tenant, changes, Evaluator(), workload), changes)


def _all(invocation: Invocation, workspace: Workspace, changes: Changes) -> Report:
    every = suppose_all(workspace.state, changes, Evaluator())
    report = all_supposed_report(workspace.state, every, changes)
    if not invocation.as_json:
        return report
    return replace(report, document={**report.document, "broken": broken_json(workspace)})
