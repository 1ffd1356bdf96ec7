"""`workbench compare`: two to four tenants side by side, or one before and after a change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from workbench.cli import diagnostics
from workbench.cli.completion import complete_tenant
from workbench.cli.invocation import Invocation, declare
from workbench.cli.whatif.answers import check_form, show
from workbench.cli.whatif.supposing import change_options, changes_of, csv_option, readable
from workbench.session.evaluation import Evaluator
from workbench.session.workspace import default_workload
from workbench.whatif.changes import apply_changes
from workbench.whatif.compare import before_and_after, tenants_side_by_side
from workbench.whatif.reports.compare import compare_report


@declare("compare", "Put tenants side by side, or one before and after a change.")
@click.argument("tenants", nargs=-1, required=True, metavar="TENANT...", shell_complete=complete_tenant)
@change_options
@click.option("--all", "everything", is_flag=True, help="What is the same too, not only what differs.")
@csv_option
def command(invocation: Invocation, tenants: Sequence[str], everything: bool, as_csv: bool, **options: Any) -> int:
    """Put two to four tenants side by side: facts, clauses by rule, every offer's fate, winner, cost, fallback.

    One TENANT with --set, --rule, --clause or --without is compared with itself, before and after. In a cell, `#1` is
    a place and `x` names the clauses that reject.
    """
    check_form(invocation, as_csv=as_csv)
    workspace = invocation.open()
    readable(workspace, tenants)
    asked = any(options.values())
    if asked and len(tenants) > 1:
        raise diagnostics.usage("a change is of one tenant", hint="name one, or leave --set and the like out")
    if asked:
        changes = changes_of(workspace, tenants[0], options)
        after = apply_changes(workspace.state, tenants[0], changes, default_workload(workspace.settings))
        comparison = before_and_after(workspace.state, after, tenants[0], Evaluator())
    else:
        comparison = tenants_side_by_side(workspace.state, tenants, Evaluator())
    show(invocation, compare_report(comparison, everything=everything), as_csv=as_csv)
    if not everything:
        invocation.note("--all shows what is the same too")
    return diagnostics.OK
