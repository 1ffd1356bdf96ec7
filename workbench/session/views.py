"""What a screen or a command shows of one tenant: rows and words, drawn from the decision; nothing is decided here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.engine import explain
from workbench.engine.failplan import fallback_table
from workbench.language.admission import check
from workbench.language.clause_text import to_text
from workbench.rulebook.clause import ENVELOPE, Clause
from workbench.session.evaluation import Outcome, cost_per_run
from workbench.session.state import WorkspaceState

SLOTS = ("rank", "select", "transform", "fallback")


@dataclass(frozen=True, slots=True)
class ClauseRow:
    """One filter clause with its effect on the catalog. All counts are offers; 0 where the clause is off."""

    clause: Clause
    removed: int
    """Taken by this clause after those above it."""
    left: int
    """Still there after it."""
    alone: int
    """Removed by this clause by itself."""
    only: int
    """Removed by this clause and by no other."""


@dataclass(frozen=True, slots=True)
class TenantView:
    """The decision of one tenant, clause by clause."""

    outcome: Outcome
    rows: tuple[ClauseRow, ...]
    slots: Mapping[str, Clause]


@dataclass(frozen=True, slots=True)
class OfferRow:
    """One offer as lists show it. Prices in USD per million tokens; None is unknown."""

    index: int
    label: str
    provider: str
    model_family: str
    served_model_id: str
    region: str | None
    tier: str | None
    price_in: float | None
    price_out: float | None
    cost_per_run: float | None
    """USD for one run of the tenant's workload."""


@dataclass(frozen=True, slots=True)
class RankRow:
    """One survivor at its place in the fallback order."""

    place: int
    """1 is the winner."""
    offer: OfferRow
    score: float


@dataclass(frozen=True, slots=True)
class Check:
    """One clause's verdict on one offer."""

    clause: Clause
    passed: bool
    observed: str
    needed: str


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """One offer that the filter took."""

    offer: OfferRow
    reason: str
    """The conforming reason (LANGUAGE.md 6.1): the first failing child in normal-form order."""
    checks: tuple[Check, ...]
    """Every clause that rejects it, in shown order."""


@dataclass(frozen=True, slots=True)
class Why:
    """Why an offer stands where it stands, or does not."""

    offer: OfferRow
    place: int | None
    """Its place in the order; None where it is rejected or not kept by the selector."""
    of: int
    """How many stand in the order."""
    reason: str | None
    """The conforming reason where it is rejected."""
    checks: tuple[Check, ...]
    """Every clause's verdict, in shown order."""
    parts: tuple[explain.ScorePart, ...]
    """The score's parts where it survives."""
    score: float | None
    behind: float | None
    """How far its score is behind the winner's; 0 for the winner."""

    @property
    def summary(self) -> str:
        """One sentence in words."""
        failed = [c.clause.shown for c in self.checks if not c.passed]
        if failed:
            return f"rejected by {len(failed)} clause{'s' if len(failed) > 1 else ''}: {'; '.join(failed)}"
        if self.place == 1:
            return f"the winner, 1 of {self.of}"
        if self.place is not None:
            return f"place {self.place} of {self.of}"
        return "passes the filter, but the selector does not keep it"


def tenant_view(state: WorkspaceState, outcome: Outcome) -> TenantView:
    """The clauses of `outcome` with their counts. An outcome without a policy has no rows."""
    if outcome.compiled is None:
        return TenantView(outcome, (), {})
    clauses = [*envelope_clause(state), *outcome.compiled.clauses]
    live = [c for c in clauses if c.term is not None]
    funnel = explain.funnel([c.term for c in live if c.term is not None], state.pool, state.context)
    counts = {
        c.id: (*funnel.steps[k], int(funnel.alone[k]), int(funnel.only[k])) for k, c in enumerate(live)
    }  # fmt: skip
    left = len(state.pool.candidates)
    rows: list[ClauseRow] = []
    for clause in clauses:
        removed, left, alone, only = counts.get(clause.id, (0, left, 0, 0))
        rows.append(ClauseRow(clause, removed, left, alone, only))
    return TenantView(outcome, tuple(rows), outcome.compiled.slots)


def offer_row(state: WorkspaceState, outcome: Outcome, index: int) -> OfferRow:
    """The offer at `index` of the catalog, priced for the outcome's tenant."""
    candidate = state.catalog.candidates[index]
    offer = state.catalog.offers[index]
    return OfferRow(
        index,
        state.catalog.offer_id(index),
        candidate["provider_id"],
        candidate["model_family"],
        candidate["served_model_id"],
        offer.region,
        candidate.get("tier"),
        candidate.get("price_in"),
        candidate.get("price_out"),
        cost_per_run(candidate, outcome.tenant.workload),
    )


def rank_row(state: WorkspaceState, outcome: Outcome, place0: int) -> RankRow:
    """The offer at a place (0-based) of the fallback order; one at a time, for long lists."""
    decision = outcome.decision
    if decision is None:
        raise IndexError(place0)
    return RankRow(place0 + 1, offer_row(state, outcome, decision.order[place0]), decision.scores[place0])


def left_out(state: WorkspaceState, outcome: Outcome) -> tuple[int, ...]:
    """Catalog places of the survivors that the selector does not keep, the best score first, then catalog order."""
    decision, compiled = outcome.decision, outcome.compiled
    if decision is None or compiled is None or len(decision.order) == decision.survivors:
        return ()
    kept = set(decision.order)
    scored = explain.survivor_scores(compiled.policy, decision, state.pool, state.context)
    found = [pair for pair in zip(decision.survivor_indices, scored, strict=True) if pair[0] not in kept]
    found.sort(key=lambda pair: math.inf if math.isnan(pair[1]) else -pair[1])
    return tuple(index for index, _ in found)


def rejected_row(state: WorkspaceState, outcome: Outcome, k: int) -> RejectedRow:
    """The k-th rejected offer in catalog order, with every clause that rejects it."""
    decision = outcome.decision
    if decision is None:
        raise IndexError(k)
    rejection = decision.rejected[k]
    failed = tuple(c for c in checks(state, outcome, rejection.index) if not c.passed)
    return RejectedRow(offer_row(state, outcome, rejection.index), rejection.reason, failed)


def checks(state: WorkspaceState, outcome: Outcome, index: int) -> tuple[Check, ...]:
    """Every clause's verdict on one offer, in shown order; clauses that are off are left out."""
    if outcome.compiled is None:
        return ()
    found: list[Check] = []
    for clause in (*envelope_clause(state), *outcome.compiled.clauses):
        if clause.slot == "filter" and clause.term is not None:
            verdict = explain.observe(clause.term, index, state.pool, state.context)
            found.append(Check(clause, verdict.passed, verdict.observed, verdict.needed))
    return tuple(found)


def envelope_clause(state: WorkspaceState) -> tuple[Clause, ...]:
    """The workspace's envelope as a clause, where there is one: it narrows every policy and comes from no rule."""
    if state.envelope is None:
        return ()
    text = to_text(state.envelope.normal, state.vocabulary)
    title = "The workspace's envelope holds for every tenant"
    return (Clause(ENVELOPE, "filter", text, text, state.envelope, None, title, (), "default"),)


def why(state: WorkspaceState, outcome: Outcome, index: int) -> Why:
    """Everything that speaks for or against the offer at `index` of the catalog."""
    offer = offer_row(state, outcome, index)
    decision, compiled = outcome.decision, outcome.compiled
    if decision is None or compiled is None:
        return Why(offer, None, 0, None, (), (), None, None)
    reason, place = decision.reason(index), decision.place(index)
    parts: tuple[explain.ScorePart, ...] = ()
    if reason is None:
        parts = explain.score_parts(compiled.policy, index, decision, state.pool, state.context)
    score = None if place is None else decision.scores[place - 1]
    behind = None if score is None else decision.scores[0] - score
    return Why(offer, place, len(decision.order), reason, checks(state, outcome, index), parts, score, behind)


def fallback_rows(state: WorkspaceState, outcome: Outcome) -> tuple[tuple[str, str], ...]:
    """What happens on each kind of failure, in words: (reason, action)."""
    if outcome.compiled is None:
        return ()
    vocabulary = state.vocabulary
    return tuple(
        (reason, to_text(["always", action], vocabulary).removeprefix("otherwise: "))
        for reason, action in fallback_table(outcome.compiled.policy)
    )


def threshold_hint(state: WorkspaceState, outcome: Outcome, clause_id: str | None, term: Any) -> str | None:
    """Where the next thresholds lie for a clause that compares a number, those that tighten it first.

    `0.6 admits 12; tighter 0.61: 9, 0.62: 4, 0.65: nobody; looser 0.59: 14`: the present value, then the nearest ones,
    each with how many offers it would admit. `=` and `!=` have no direction: `5 admits 12; near 4: 3, 6: 9`.
    `clause_id` is the clause being edited, which is left out of the others; `term` is what it says now.
    None where the clause is no single comparison.
    """
    if not isinstance(term, list) or not term or term[0] != "cmp" or outcome.compiled is None:
        return None
    others = [
        c.term
        for c in outcome.compiled.clauses
        if c.slot == "filter" and c.term is not None and c.id != clause_id
    ]  # fmt: skip
    pred = check(term, state.vocabulary, sort="Pred")  # pyright: ignore[reportUnknownArgumentType]
    steps = explain.thresholds(pred, explain.together(others, state.pool, state.context), state.pool, state.context)
    bound, relation = pred.normal[3], pred.normal[2]
    now = next((count for value, count in steps if value == bound), 0)
    below = [step for step in reversed(steps) if step.value < bound]
    above = [step for step in steps if step.value > bound]
    if relation in ("ge", "gt"):
        groups = (("tighter", above), ("looser", below))
    elif relation in ("le", "lt"):
        groups = (("tighter", below), ("looser", above))
    else:
        groups = (("near", [*reversed(below), *above]),)
    said = [f"{bound:g} admits {now or 'nobody'}"]
    said += [f"{word} {', '.join(_admits(step) for step in found)}" for word, found in groups if found]
    return "; ".join(said)


def _admits(step: explain.Threshold) -> str:
    return f"{step.value:g}: {step.admits or 'nobody'}"
