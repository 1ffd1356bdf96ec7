"""A policy together with the clauses it is made of, so that every rejection can name the rule behind it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.catalog import Catalog
from workbench.engine import explain
from workbench.engine.context import Context
from workbench.engine.decision import Decision
from workbench.engine.pool import Pool
from workbench.errors import AdmissionError
from workbench.language.admission import Admitted, check, compose
from workbench.language.clause_text import to_text
from workbench.language.vocabulary import Vocabulary
from workbench.rulebook.clause import REQUEST, Clause
from workbench.rulebook.compile import Compiled
from workbench.server.x.admitting import AT_ADMISSION
from workbench.server.x.refusal import because
from workbench.session.policy_edits import children
from workbench.session.state import WorkspaceState
from workbench.session.views import envelope_clause


@dataclass(frozen=True)
class Sourced:
    """What is decided by: the whole policy, envelope included, and its filter clauses with their rules."""

    policy: Admitted
    clauses: tuple[Clause, ...]
    """Filters in force, the envelope first."""


def of_policy(inner: Admitted, whole: Admitted, state: WorkspaceState) -> Sourced:
    """A policy that came with a request: a clause for each part of its filter, under the rule `policy`."""
    parts = children(inner.slot("filter").normal)
    clauses = tuple(_part(number, part, inner, state.vocabulary) for number, part in enumerate(parts, start=1))
    return Sourced(whole, (*envelope_clause(state), *clauses))


def _part(number: int, part: list[Any], policy: Admitted, vocabulary: Vocabulary) -> Clause:
    term = check(part, vocabulary, version=policy.version, sort="Pred")
    text = to_text(part, vocabulary)
    return Clause(f"policy-{number}", "filter", text, text, term, None, "The request's own policy", (), "policy")


def of_compiled(compiled: Compiled, state: WorkspaceState) -> Sourced:
    """A tenant's policy, with the rule behind each clause."""
    filters = [clause for clause in compiled.clauses if clause.slot == "filter" and clause.term is not None]
    return Sourced(compiled.policy, (*envelope_clause(state), *filters))


def inside(sourced: Sourced, own: Compiled, vocabulary: Vocabulary) -> Sourced:
    """A request's policy for a tenant: the tenant's filter holds too, it only narrows.

    Raises `Refused` 400 where they are too much together.
    """
    filters = tuple(clause for clause in own.clauses if clause.slot == "filter" and clause.term is not None)
    try:
        policy = compose(sourced.policy, own.policy.slot("filter"), vocabulary)
    except AdmissionError as error:
        raise because(400, "invalid_policy", AT_ADMISSION, error.findings) from None
    return Sourced(policy, (*filters, *sourced.clauses))


def narrowing(family: str, provider: str | None, state: WorkspaceState) -> Clause:
    """What a call's `model` or pin asks for, as a clause. Raises `Refused` 400."""
    term: list[Any] = ["family_eq", family]
    if provider is not None:
        term = ["and", ["provider_eq", provider], term]
    try:
        admitted = check(term, state.vocabulary, sort="Pred")
    except AdmissionError as error:
        raise because(400, "invalid_model", "the model can't be asked for", error.findings) from None
    text = to_text(admitted.normal, state.vocabulary)
    return Clause(REQUEST, "filter", text, text, admitted, None, "What the request asks for", (), "default")


def within(policy: Admitted, clause: Clause, state: WorkspaceState) -> Admitted:
    """The policy with a clause and-ed onto its filter. Raises `Refused` 400 where they are too much together."""
    assert clause.term is not None  # noqa: S101 - a clause in force has one
    try:
        return compose(policy, clause.term, state.vocabulary)
    except AdmissionError as error:
        raise because(400, "invalid_policy", "the policy can't run inside its envelopes", error.findings) from None


def finite(value: float | None) -> float | None:
    """The number, null where it is infinite or none: JSON has no other word for it."""
    return value if value is not None and math.isfinite(value) else None


def offer_json(catalog: Catalog, index: int) -> dict[str, Any]:
    """One offer under the names that clients know, region and id beside them. Unknown is null."""
    row = catalog.candidates[index]
    return {
        "provider": row["provider_id"],
        "model_family": row["model_family"],
        "served_model_id": row["served_model_id"],
        "region": catalog.offers[index].region,
        "tier": row.get("tier"),
        "discovery": "static",
        "price_in": row.get("price_in"),
        "price_out": row.get("price_out"),
        "quality": row.get("bench_intelligence"),
        "offer": catalog.offer_id(index),
    }


def ranked_rows(decision: Decision, catalog: Catalog) -> list[dict[str, Any]]:
    """The order as rows, best first."""
    ranked = zip(decision.order, decision.scores, strict=True)
    return [{**offer_json(catalog, index), "score": finite(score)} for index, score in ranked]


def rejected_rows(
    sourced: Sourced, decision: Decision, catalog: Catalog, pool: Pool, context: Context
) -> list[dict[str, Any]]:
    """Who was turned away, in catalog order: the conforming reason, and every rule against it with what it saw."""
    masks = [explain.mask(clause.term, pool, context) for clause in sourced.clauses if clause.term is not None]
    against = list(zip(sourced.clauses, masks, strict=True))
    rows: list[dict[str, Any]] = []
    for rejection in decision.rejected:
        index = rejection.index
        offer = catalog.candidates[index]
        rules = [rule_json(clause, index, pool, context) for clause, held in against if not held[index]]
        rows.append(
            {
                "model": offer["model_family"],
                "reason": rejection.reason,
                "provider": offer["provider_id"],
                "model_family": offer["model_family"],
                "served_model_id": offer["served_model_id"],
                "region": catalog.offers[index].region,
                "rules": rules,
            }
        )
    return rows


def rules_against(sourced: Sourced, pool: Pool, context: Context) -> list[tuple[str, int]]:
    """How many offers each rule turns away, by itself or with others; the most first."""
    held: dict[str, list[Admitted]] = {}
    for clause in sourced.clauses:
        if clause.term is not None:
            held.setdefault(clause.rule, []).append(clause.term)
    away = {rule: len(pool) - int(explain.together(terms, pool, context).sum()) for rule, terms in held.items()}
    return sorted(((rule, count) for rule, count in away.items() if count), key=lambda pair: (-pair[1], pair[0]))


def rule_json(clause: Clause, index: int, pool: Pool, context: Context) -> dict[str, Any]:
    """One clause's verdict on one offer: rule, clause, what the offer shows, what is needed."""
    assert clause.term is not None  # noqa: S101 - clauses in force have one
    verdict = explain.observe(clause.term, index, pool, context)
    return {
        "rule": clause.rule,
        "clause": clause.shown,
        "clause_id": clause.id,
        "observed": verdict.observed,
        "needed": verdict.needed,
    }


def named(policy: Admitted) -> dict[str, Any]:
    """Which policy: its names."""
    return {"version": policy.version, "fingerprint": policy.fingerprint, "identity": policy.identity}


def catalog_json(catalog: Catalog) -> Mapping[str, Any]:
    """Which catalog a decision stands on."""
    return {"name": catalog.name, "date": catalog.date, "sha256": catalog.sha256, "offers": len(catalog)}
