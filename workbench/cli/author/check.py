"""`workbench check`: everything that is wrong in a workspace, in one go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from workbench.cli import diagnostics
from workbench.cli.invocation import Invocation, declare
from workbench.cli.output import counted
from workbench.errors import Finding, Place, WorkbenchError
from workbench.language.runnable import runnable
from workbench.session.evaluation import Evaluator, Outcome
from workbench.session.ranking import ranking_warnings
from workbench.session.workspace import Workspace, open_workspace, syntax_faults


@declare("check", "Show everything that is wrong in the workspace, at once.")
def command(invocation: Invocation) -> int:
    """Show every finding of the workspace: catalog, rulebook, tenants, and what each tenant compiles to.

    Exit code 1 where one of them is an error; warnings alone leave it at 0.
    """
    root = invocation.root()
    title: str | None = None
    tenants = 0
    try:
        workspace = open_workspace(root)
    except WorkbenchError as error:
        findings = [*(error.findings or [Finding(error.title, "error")]), *syntax_faults(root)]
    else:
        title = workspace.title
        tenants = len(workspace.state.tenants)
        findings = list(findings_of(workspace))
    findings = list(dict.fromkeys(findings))
    errors = sum(finding.severity == "error" for finding in findings)
    head = {"workspace": str(root), "title": title, "tenants": tenants}
    _tell(invocation, head, findings, errors)
    return diagnostics.FINDINGS if errors else diagnostics.OK


def findings_of(workspace: Workspace) -> Iterator[Finding]:
    """Every finding, files first and then tenant by tenant; one may come twice."""
    yield from workspace.findings
    for broken in workspace.broken:
        yield from broken.findings
    for outcome in Evaluator().evaluate(workspace.state).outcomes.values():
        yield from _tenant_findings(outcome)
        yield from ranking_warnings(workspace.state, outcome)


def _tenant_findings(outcome: Outcome) -> Iterator[Finding]:
    tenant = outcome.tenant
    if outcome.compiled is None:
        yield from outcome.errors
        return
    yield from outcome.compiled.findings
    for finding in runnable(outcome.compiled.policy):
        place = replace(finding.place, source=tenant.source)
        yield replace(finding, reason=f"tenant `{tenant.id}`: {finding.reason}", place=place)
    place = Place(tenant.source)
    if outcome.mark == "nobody":
        hint = f"`workbench rank {tenant.id}` shows what each clause removes"
        yield Finding(f"no offer is left for tenant `{tenant.id}`", "nobody", place, hint, "warning")
    elif outcome.mark == "one provider":
        hint = "an outage there leaves nobody"
        yield Finding(f"tenant `{tenant.id}` has one provider only", "one_provider", place, hint, "warning")


def _tell(invocation: Invocation, head: dict[str, Any], findings: list[Finding], errors: int) -> None:
    warnings = len(findings) - errors
    if invocation.as_json:
        invocation.output.document(
            {
                **head,
                "errors": errors,
                "warnings": warnings,
                "findings": [finding.as_document() for finding in findings],
            }
        )
        return
    for finding in findings:
        if finding.severity == "error" or not invocation.quiet:
            invocation.output.line(diagnostics.finding_line(finding))
    if not invocation.quiet:
        told = (counted(head["tenants"], "tenant"), counted(errors, "error"), counted(warnings, "warning"))
        invocation.output.line(", ".join(told))
