"""`workbench rank`: the offers in the order a tenant would try them, and why the others are not among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click

from workbench.cli import diagnostics
from workbench.cli.completion import complete_tenant
from workbench.cli.decide.policy_file import outcome_under, read_policy_file
from workbench.cli.invocation import Invocation, declare, outcome_of
from workbench.cli.layout import Table
from workbench.cli.output import Output, dollars, number
from workbench.cli.shapes import catalog_json, check_json, finite, offer_json, policy_json
from workbench.errors import Finding, NoCandidate, Place
from workbench.session.evaluation import Outcome
from workbench.session.ranking import ranking_warnings
from workbench.session.state import WorkspaceState
from workbench.session.views import fallback_rows, rank_row, rejected_row, tenant_view

SHOWN = 20
"""Rows of a table where no limit is given; JSON has them all."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """What is to be shown of one decision."""

    state: WorkspaceState
    outcome: Outcome
    limit: int | None
    rejected: bool
    warnings: tuple[Finding, ...]

    @property
    def total(self) -> int:
        """How many offers stand in the order."""
        return 0 if self.outcome.decision is None else len(self.outcome.decision.order)

    def places(self, unless_given: int) -> range:
        """The places to show, from 0; a limit of 0 is none."""
        wanted = unless_given if self.limit is None else self.limit or self.total
        return range(min(wanted, self.total))


@declare("rank", "Rank the offers for a tenant.")
@click.argument("tenant", shell_complete=complete_tenant)
@click.option("--policy", metavar="FILE", help="Decide by the policy_ir in FILE; - is stdin.")
@click.option("--limit", type=click.IntRange(min=0), metavar="N", help=f"At most N; 0 is all. Tables show {SHOWN}.")
@click.option("--rejected", is_flag=True, help="Show the rejected offers too, with every rule against them.")
def command(invocation: Invocation, tenant: str, policy: str | None, limit: int | None, rejected: bool) -> int:
    """Rank the offers for TENANT, best first: the order in which they would be tried.

    Exit code 3 where nobody survives; the reasons are shown all the same.
    """
    workspace = invocation.open()
    warnings: tuple[Finding, ...] = ()
    if policy is None:
        outcome = outcome_of(workspace, tenant)
    else:
        known = workspace.state.tenant(tenant)
        file = read_policy_file(policy, workspace.state)
        warnings = file.warnings
        outcome = outcome_under(workspace.state, known, file.policy)
    warnings += ranking_warnings(workspace.state, outcome)
    ranking = Ranking(workspace.state, outcome, limit, rejected, warnings)
    if invocation.as_json:
        invocation.output.document(_document(ranking))
    else:
        _show(invocation.output, ranking)
    invocation.warn(warnings)
    if ranking.total:
        return diagnostics.OK
    invocation.complain(_nobody(tenant).findings)
    return NoCandidate.exit_code


def _nobody(tenant: str) -> NoCandidate:
    hint = f"`workbench explain {tenant} OFFER` says why an offer is out"
    reason = f"no offer is left for tenant `{tenant}`"
    return NoCandidate("no candidate", [Finding(reason, "no_candidate", Place(), hint)])


def _document(ranking: Ranking) -> dict[str, Any]:
    state, outcome = ranking.state, ranking.outcome
    compiled, decision = outcome.compiled, outcome.decision
    if compiled is None or decision is None:
        return {}
    rows = [rank_row(state, outcome, place) for place in ranking.places(ranking.total)]
    return {
        "tenant": outcome.tenant.id,
        "catalog": catalog_json(state.catalog),
        "policy": policy_json(compiled.policy),
        "population": decision.population,
        "survivors": decision.survivors,
        "ranked_total": ranking.total,
        "ranked": [{"place": row.place, **offer_json(row.offer), "score": finite(row.score)} for row in rows],
        "rejected": [_rejected_json(state, outcome, k) for k in range(len(decision.rejected))],
        "fallback": [{"reason": reason, "action": action} for reason, action in fallback_rows(state, outcome)],
        "warnings": [finding.as_document() for finding in (*compiled.findings, *ranking.warnings)],
    }


def _rejected_json(state: WorkspaceState, outcome: Outcome, k: int) -> dict[str, Any]:
    row = rejected_row(state, outcome, k)
    return {**offer_json(row.offer), "reason": row.reason, "rules": [check_json(check) for check in row.checks]}


def _show(output: Output, ranking: Ranking) -> None:
    state, outcome = ranking.state, ranking.outcome
    compiled, decision = outcome.compiled, outcome.decision
    if compiled is None or decision is None:
        return
    kept = f", {ranking.total} kept" if ranking.total != decision.survivors else ""
    output.heading(f"{outcome.tenant.id}: {decision.survivors} of {decision.population} offers pass{kept}")
    places = ranking.places(SHOWN)
    output.table(_ranked(state, outcome, places))
    output.more(ranking.total - len(places))
    if ranking.rejected:
        output.line()
        output.table(_rejected(state, outcome))
    elif not ranking.total:
        output.line()
        output.table(reasons(state, outcome))


def _ranked(state: WorkspaceState, outcome: Outcome, places: Sequence[int]) -> Table:
    rows: list[tuple[str, ...]] = []
    for place in places:
        row = rank_row(state, outcome, place)
        offer = row.offer
        prices = (dollars(offer.price_in), dollars(offer.price_out), dollars(offer.cost_per_run))
        rows.append(
            (str(row.place), offer.provider, offer.served_model_id, offer.region or "?", *prices, number(row.score))
        )
    headings = ("#", "provider", "model", "region", "$/M in", "$/M out", "$/run", "score")
    return Table(headings, rows, frozenset(("#", "$/M in", "$/M out", "$/run", "score")))


def _rejected(state: WorkspaceState, outcome: Outcome) -> Table:
    rows: list[tuple[str, ...]] = []
    for k in range(len(outcome.decision.rejected) if outcome.decision is not None else 0):
        row = rejected_row(state, outcome, k)
        against = "; ".join(f"{c.clause.rule}: {c.observed}, needs {c.needed}" for c in row.checks)
        rows.append((row.offer.label, row.reason, against))
    return Table(("rejected", "reason", "rules"), rows)


def reasons(state: WorkspaceState, outcome: Outcome) -> Table:
    """What each clause removes, one after the other and by itself."""
    rows = [
        (row.clause.shown, row.clause.rule, str(row.removed), str(row.left), str(row.alone), str(row.only))
        for row in tenant_view(state, outcome).rows
    ]
    headings = ("clause", "rule", "removes", "left", "alone", "only it")
    return Table(headings, rows, frozenset(("removes", "left", "alone", "only it")))
