"""`workbench catalog lint`: what is missing, old or odd in a catalog."""

from __future__ import annotations

from datetime import UTC, date, datetime

import click

from workbench.catalog.lint import lint
from workbench.cli import diagnostics
from workbench.cli.catalog.source import chosen_catalog
from workbench.cli.invocation import Invocation, declare
from workbench.cli.output import counted
from workbench.cli.shapes import catalog_json


def _day(_ctx: click.Context, _param: click.Parameter, value: datetime | None) -> date | None:
    return None if value is None else value.date()


@declare("lint", "Show what is missing or odd in a catalog.")
@click.option("--catalog", "name", metavar="NAME|FILE", help="Another catalog than the workspace's.")
@click.option(
    "--today",
    type=click.DateTime(["%Y-%m-%d"]),
    callback=_day,
    metavar="DAY",
    help="The day that ages count to.",
)
def command(invocation: Invocation, name: str | None, today: date | None) -> int:
    """Show what is missing, old, in dispute or refused in a catalog. Exit code 1 where a row was refused."""
    catalog = chosen_catalog(invocation, name)
    findings = lint(catalog, today or datetime.now(UTC).date())
    errors = sum(finding.severity == "error" for finding in findings)
    if invocation.as_json:
        body = {
            "catalog": catalog_json(catalog),
            "errors": errors,
            "warnings": len(findings) - errors,
            "findings": [finding.as_document() for finding in findings],
        }
        invocation.output.document(body)
        return diagnostics.FINDINGS if errors else diagnostics.OK
    for finding in findings:
        if finding.severity == "error" or not invocation.quiet:
            invocation.output.line(diagnostics.finding_line(finding))
    if not invocation.quiet:
        told = (
            counted(len(catalog), "offer"), counted(errors, "error"), counted(len(findings) - errors, "warning"),
        )  # fmt: skip
        invocation.output.line(", ".join(told))
    return diagnostics.FINDINGS if errors else diagnostics.OK
