"""`workbench diff`: what the difference between two rulebooks, workspaces, revisions or catalogs decides."""

from __future__ import annotations

import click

from workbench.cli import diagnostics
from workbench.cli.invocation import Invocation, declare
from workbench.cli.whatif.answers import check_form, show
from workbench.cli.whatif.supposing import csv_option
from workbench.errors import Finding, Place, UsageError
from workbench.whatif.differ.decisions import Diff, diff
from workbench.whatif.differ.sources import read_sides
from workbench.whatif.report import Report
from workbench.whatif.reports.diff import diff_report, tenant_report


@declare("diff", "Say whose decision a change of rules or catalog changes.")
@click.argument("before")
@click.argument("after", required=False)
@click.option("--tenant", metavar="TENANT", help="One tenant's clauses and offers, in full.")
@csv_option
def command(invocation: Invocation, before: str, after: str | None, tenant: str | None, as_csv: bool) -> int:
    """Hold BEFORE against AFTER, or against the workspace as it is now, and decide for every tenant of either.

    Each is a rulebook file (.toml), a workspace's folder, a git revision (`HEAD~1`, or `HEAD~1:FOLDER`), or a catalog
    (a name or a .json file). A rulebook or a catalog alone is tried with the tenants of the other side, or of the
    workspace. Exit code 1 where a decision changed, a tenant came or went, or a tenant can't be read.
    """
    check_form(invocation, as_csv=as_csv)
    sides = read_sides(before, after, invocation.open())
    found = diff(*sides)
    show(invocation, diff_report(found) if tenant is None else _of_tenant(found, tenant), as_csv=as_csv)
    return diagnostics.FINDINGS if found.changed else diagnostics.OK


def _of_tenant(found: Diff, name: str) -> Report:
    known = {one.tenant: one for one in found.tenants}
    if name not in known:
        from workbench.cli.usage import suggestion

        reason = f"neither side has a tenant `{name}`"
        finding = Finding(
            reason, "unknown_tenant", Place(), suggestion(name, known) or "`workbench tenants` lists them"
        )
        raise UsageError("no such tenant", [finding])
    return tenant_report(found, known[name])
