"""`workbench explain`: every clause's verdict on an offer, and what its place and score are made of."""

from __future__ import annotations

from typing import Any

import click

from workbench.catalog import Catalog
from workbench.cli import diagnostics
from workbench.cli.completion import complete_offer, complete_tenant
from workbench.cli.invocation import Invocation, declare, outcome_of
from workbench.cli.layout import Table
from workbench.cli.output import Output, dollars, number
from workbench.cli.shapes import (
    catalog_json,
    check_json,
    facts_words,
    finite,
    offer_json,
    policy_json,
)
from workbench.engine.explain import ScorePart
from workbench.language.clause_text import to_text
from workbench.rulebook.schema import facts_json
from workbench.session.evaluation import Outcome
from workbench.session.state import WorkspaceState
from workbench.session.views import Check, Why, why


@declare("explain", "Say why an offer is chosen, or is not.")
@click.argument("tenant", shell_complete=complete_tenant)
@click.argument("offer", shell_complete=complete_offer)
def command(invocation: Invocation, tenant: str, offer: str) -> int:
    """Say why OFFER is chosen for TENANT, or is not: every clause, what it saw and what it needs.

    OFFER is PROVIDER/SERVED_MODEL_ID, with @REGION for one of several. A model's bare name explains every offer of it.
    """
    workspace = invocation.open()
    state = workspace.state
    outcome = outcome_of(workspace, tenant)
    found = [why(state, outcome, index) for index in offers_named(state.catalog, offer)]
    if invocation.as_json:
        invocation.output.document(_document(state, outcome, found))
    elif len(found) == 1:
        _show_one(invocation.output, state, outcome, found[0])
    else:
        _show_many(invocation, outcome, offer, found)
    return diagnostics.OK


def offers_named(catalog: Catalog, text: str) -> list[int]:
    """Indices of the offers that `text` names: all of a model, all regions of one served id, or one offer.

    Raises `UsageError` with suggestions.
    """
    offers = list(enumerate(catalog.offers))
    family = [index for index, offer in offers if offer.model == text]
    served = [index for index, offer in offers if f"{offer.provider}/{offer.served_model_id}" == text]
    return family or served or [catalog.find(text)]


def _document(state: WorkspaceState, outcome: Outcome, found: list[Why]) -> dict[str, Any]:
    policy = None if outcome.compiled is None else policy_json(outcome.compiled.policy)
    return {
        "tenant": outcome.tenant.id,
        "catalog": catalog_json(state.catalog),
        "policy": policy,
        "offers": [_why_json(state, one) for one in found],
    }


def _why_json(state: WorkspaceState, one: Why) -> dict[str, Any]:
    return {
        **offer_json(one.offer),
        "verdict": verdict_of(one),
        "summary": one.summary,
        "place": one.place,
        "of": one.of,
        "reason": one.reason,
        "rules": [check_json(check) for check in one.checks if not check.passed],
        "checks": [
            {**check_json(check), "passed": check.passed, "facts": facts_json(check.clause.facts)}
            for check in one.checks
        ],
        "score": finite(one.score),
        "behind": finite(one.behind),
        "score_parts": [
            {
                "part": to_text(part.term, state.vocabulary),
                "value": finite(part.value),
                "contribution": finite(part.contribution),
            }
            for part in one.parts
        ],
    }


def verdict_of(one: Why) -> str:
    """`winner`, `ranked`, `not kept` (by the selector) or `rejected`."""
    if one.reason is not None:
        return "rejected"
    if one.place is None:
        return "not kept"
    return "winner" if one.place == 1 else "ranked"


def _show_one(output: Output, state: WorkspaceState, outcome: Outcome, one: Why) -> None:
    output.heading(f"{one.offer.label} for {outcome.tenant.id}: {headline(one)}")
    prices = f"in {dollars(one.offer.price_in)}, out {dollars(one.offer.price_out)} $/M tokens"
    run = f"{dollars(one.offer.cost_per_run)} $/run"
    output.line(f"{one.offer.model_family}, region {one.offer.region or '?'}, {prices}, {run}")
    output.line()
    output.table(_checks(one.checks))
    if one.parts:
        output.line()
        output.table(_parts(state, one))
    if one.behind:
        output.line(f"behind the winner by {number(one.behind)}")


def headline(one: Why) -> str:
    """Its fate in a few words."""
    if one.reason is not None:
        count = sum(not check.passed for check in one.checks)
        return f"rejected by {count} of {len(one.checks)} clauses" if count else f"rejected, {one.reason}"
    if one.place is None:
        return "passes, but the selector does not keep it"
    return f"the winner, 1 of {one.of}" if one.place == 1 else f"place {one.place} of {one.of}"


def _checks(checks: tuple[Check, ...]) -> Table:
    rows = [
        (
            "✓ pass" if check.passed else "✗ FAIL",
            check.clause.shown,
            check.observed,
            check.needed,
            check.clause.rule,
            facts_words(check.clause.facts),
        )
        for check in checks
    ]
    return Table(("verdict", "clause", "observed", "needed", "rule", "because"), rows)


def _parts(state: WorkspaceState, one: Why) -> Table:
    rows = [_part(state, part) for part in one.parts]
    rows.append(("score", "", number(one.score)))
    return Table(("score part", "value", "adds"), rows, frozenset(("value", "adds")))


def _part(state: WorkspaceState, part: ScorePart) -> tuple[str, str, str]:
    return to_text(part.term, state.vocabulary), number(part.value), number(part.contribution)


def _show_many(invocation: Invocation, outcome: Outcome, text: str, found: list[Why]) -> None:
    output = invocation.output
    output.heading(f"{text}: {len(found)} offers, for {outcome.tenant.id}")
    rows = [
        (one.offer.label, one.offer.region or "?", dollars(one.offer.cost_per_run), headline(one), _against(one))
        for one in found
    ]
    output.table(Table(("offer", "region", "$/run", "verdict", "against it"), rows, frozenset(("$/run",))))
    invocation.note("name one offer to see every clause")


def _against(one: Why) -> str:
    failed = [check for check in one.checks if not check.passed]
    if not failed and one.behind:
        return f"score {number(one.score)}, {number(one.behind)} behind the winner"
    return "; ".join(f"{c.clause.rule}: {c.observed}, needs {c.needed}" for c in failed) or "-"
