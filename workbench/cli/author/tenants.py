"""`workbench tenants`: every tenant, its facts, and what it gets."""

from __future__ import annotations

from typing import Any

import click

from workbench.cli import diagnostics
from workbench.cli.invocation import Invocation, declare
from workbench.cli.layout import Table
from workbench.cli.output import dollars
from workbench.cli.shapes import catalog_json, finite, offer_json, winner_words, without
from workbench.cli.usage import suggestion
from workbench.rulebook.schema import fact_words, facts_json
from workbench.session.evaluation import Evaluator, Outcome
from workbench.session.state import WorkspaceState
from workbench.session.views import offer_row
from workbench.session.workspace import Workspace

RESULTS = ("id", "title", "winner", "cost_per_run", "survivors", "providers", "mark")


@declare("tenants", "List the tenants and what each gets.")
@click.option("--sort", "column", metavar="COLUMN", help="Sort by a result or a fact; what is unknown comes last.")
def command(invocation: Invocation, column: str | None) -> int:
    """List the tenants: facts, winner, cost per run, survivors.

    A mark says where a tenant has nobody left, or one provider only. A tenant file that can't be read is told and does
    not stop the others.
    """
    workspace = invocation.open()
    outcomes = list(Evaluator().evaluate(workspace.state).outcomes.values())
    if column is not None:
        outcomes = _sorted(workspace, outcomes, column)
    broken = [finding for file in workspace.broken for finding in file.findings]
    if invocation.as_json:
        invocation.output.document(_document(workspace, outcomes))
    else:
        invocation.output.table(_table(workspace, outcomes))
    invocation.complain([*broken, *(finding for outcome in outcomes for finding in outcome.errors)])
    return diagnostics.FINDINGS if broken or any(outcome.errors for outcome in outcomes) else diagnostics.OK


def _document(workspace: Workspace, outcomes: list[Outcome]) -> dict[str, Any]:
    return {
        "workspace": str(workspace.root),
        "title": workspace.title,
        "catalog": catalog_json(workspace.state.catalog),
        "tenants": [_row(workspace.state, outcome) for outcome in outcomes],
        "broken": [
            {"file": str(file.path), "findings": [f.as_document() for f in file.findings]} for file in workspace.broken
        ],
    }


def _row(state: WorkspaceState, outcome: Outcome) -> dict[str, Any]:
    facts = facts_json(outcome.tenant.facts.items())
    won = None if outcome.winner is None else offer_json(offer_row(state, outcome, outcome.winner))
    return {
        "id": outcome.tenant.id,
        "title": outcome.tenant.title,
        **without(facts, RESULTS),
        "facts": facts,
        "winner": None if won is None else won["offer"],
        "winner_offer": won,
        "cost_per_run": finite(outcome.cost_per_run),
        "survivors": outcome.survivors,
        "providers": outcome.providers,
        "mark": outcome.mark,
        "errors": [finding.as_document() for finding in outcome.errors],
    }


def _table(workspace: Workspace, outcomes: list[Outcome]) -> Table:
    schema = workspace.state.rulebook.schema.fields
    fields = [name for name, field in schema.items() if field.kind in {"choice", "flag"}]
    shown = [name for name in fields if any(name in outcome.tenant.facts for outcome in outcomes)]
    headings = ["tenant", "winner", "$/run", "survivors", "providers", "mark", *shown]
    rows = [
        [
            outcome.tenant.id,
            winner_words(workspace.state, outcome),
            dollars(outcome.cost_per_run) if outcome.winner is not None else "-",
            str(outcome.survivors),
            str(outcome.providers),
            outcome.mark or "-",
            *(fact_words(outcome.tenant.facts.get(name)) for name in shown),
        ]
        for outcome in outcomes
    ]
    return Table(headings, rows, frozenset(("$/run", "survivors", "providers")))


def _sorted(workspace: Workspace, outcomes: list[Outcome], column: str) -> list[Outcome]:
    known = [*RESULTS, *workspace.state.rulebook.schema.fields]
    if column not in known:
        hint = suggestion(column, known) or f"known columns: {', '.join(known)}"
        raise diagnostics.usage(f"there is no column `{column}`", hint=hint, code="unknown_column")

    def key(outcome: Outcome) -> tuple[bool, int, Any]:
        row = _row(workspace.state, outcome)
        value = row[column] if column in RESULTS else row["facts"].get(column)
        if isinstance(value, bool | int | float):
            return (False, 0, float(value))
        return (value is None, 1, str(value))

    return sorted(outcomes, key=key)
