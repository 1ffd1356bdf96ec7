"""`workbench compile`: the policy of one tenant, as it goes on the wire."""

from __future__ import annotations

import click

from workbench.boundary import strict_json
from workbench.cli import diagnostics
from workbench.cli.completion import complete_tenant
from workbench.cli.invocation import Invocation, declare, outcome_of
from workbench.cli.layout import Table
from workbench.cli.shapes import facts_words, policy_json
from workbench.rulebook.compile import Clause, Compiled


@declare("compile", "Print the policy a tenant compiles to.")
@click.argument("tenant", shell_complete=complete_tenant)
@click.option("--explain", is_flag=True, help="Add where each clause comes from: its rule and the tenant's facts.")
def command(invocation: Invocation, tenant: str, explain: bool) -> int:
    """Print the canonical `policy_ir` of TENANT, in normal form: the same bytes each time."""
    compiled = outcome_of(invocation.open(), tenant).compiled
    assert compiled is not None  # noqa: S101 - outcome_of raises where there is none
    clauses = (*compiled.clauses, *compiled.slots.values())
    if invocation.as_json:
        body = {"tenant": tenant, **policy_json(compiled.policy), "policy_ir": compiled.policy.normal}
        if explain:
            body["clauses"] = [clause.as_document() for clause in clauses]
        body["warnings"] = [finding.as_document() for finding in compiled.findings]
        invocation.output.document(body)
        return diagnostics.OK
    if explain:
        _explain(invocation, compiled, clauses)
    else:
        invocation.output.raw(strict_json.canonical(compiled.policy.normal).decode() + "\n")
    invocation.warn(compiled.findings)
    return diagnostics.OK


def _explain(invocation: Invocation, compiled: Compiled, clauses: tuple[Clause, ...]) -> None:
    output = invocation.output
    policy = compiled.policy
    output.heading(f"{compiled.tenant_id}: {policy.version}, fingerprint {policy.fingerprint}")
    output.line(f"identity {policy.identity}")
    output.line()
    headings = ("slot", "id", "clause", "rule", "because")
    output.table(Table(headings, [_row(clause) for clause in clauses]))
    output.line()
    output.raw(strict_json.canonical(policy.normal).decode() + "\n")


def _row(clause: Clause) -> tuple[str, ...]:
    text = clause.shown.replace("\n", "; ")  # a failure plan has a line for each reason
    shown = text if clause.enabled else f"off: {text}"
    rule = f"{clause.rule} ({clause.origin})" if clause.origin == "override" else clause.rule
    return clause.slot, clause.id, shown, rule, facts_words(clause.facts)
