"""`POST /x/compile` and `POST /x/explain`: a tenant's policy with its sources, and why an offer is where it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.catalog import Catalog
from workbench.engine import explain as engine_explain
from workbench.engine.failplan import fallback_table
from workbench.errors import UsageError
from workbench.language.clause_text import to_text
from workbench.rulebook.schema import facts_json
from workbench.server.errors import finding_json
from workbench.server.x.asking import asked_of
from workbench.server.x.rank import Asking, missing, pinned, sourced_of
from workbench.server.x.refusal import because, refused, shapeless
from workbench.server.x.sourced import (
    Sourced,
    catalog_json,
    finite,
    named,
    offer_json,
    rule_json,
)
from workbench.server.x.tenancy import compiled_for, scope_of, tenant_of

MOST_OFFERS = 64
"""Most offers that one question may mean."""


def compile_answer(body: Mapping[str, Any], asking: Asking) -> dict[str, Any]:
    """The policy of `tenant` or `tenant_state`, and for each clause the rule and the facts that put it there.

    The tenant's `no_log` stands in it: true unless the state says false. Raises `Refused`.
    """
    tenant = tenant_of(body, asking.state, asking.caller)
    if tenant is None:
        raise shapeless(missing("tenant"))
    compiled = compiled_for(tenant, asking.state)
    rulebook = asking.state.session.rulebook
    findings = (*tenant.findings, *compiled.findings)
    return {
        "tenant": tenant.id,
        "no_log": tenant.no_log,
        **named(compiled.policy),
        "policy_ir": compiled.policy.normal,
        "sources": [clause.as_document() for clause in (*compiled.clauses, *compiled.slots.values())],
        "fallback": [{"reason": reason, "action": action} for reason, action in fallback_table(compiled.policy)],
        "rulebook": {"id": rulebook.id, "sha256": rulebook.sha256},
        "catalog": catalog_json(asking.state.session.catalog),
        "warnings": [finding_json(finding) for finding in findings],
    }


def explain_answer(body: Mapping[str, Any], asking: Asking) -> dict[str, Any]:
    """Every clause's verdict on an offer, and what its place and score are made of.

    `offer` is `PROVIDER/SERVED_MODEL_ID`, with `@REGION` for one of several; a model's bare name means every offer of
    it. Whose policy: as for a ranking. Raises `Refused`, 404 for an offer that the catalog does not have.
    """
    offer = body.get("offer")
    if "offer" not in body:
        raise shapeless(missing("offer"))
    if not isinstance(offer, str):
        raise shapeless(("string_type", ("body", "offer"), "Input should be a valid string", None))
    tenant = tenant_of(body, asking.state, asking.caller)
    sourced = sourced_of(body, tenant, asking)
    found = _offers(asking.state.session.catalog, offer)
    asked = asked_of(body, sourced.policy, asking.health(scope_of(tenant, asking.caller)))
    sourced = pinned(sourced, asked.pin, asking.state)
    return {
        **named(sourced.policy),
        "catalog": catalog_json(asking.state.session.catalog),
        "offers": [_why(index, sourced, asked.context, asking) for index in found],
        "warnings": list(asked.warnings),
    }


def _offers(catalog: Catalog, text: str) -> list[int]:
    rows = list(enumerate(catalog.offers))
    family = [index for index, offer in rows if offer.model == text]
    served = [index for index, offer in rows if f"{offer.provider}/{offer.served_model_id}" == text]
    try:
        found = family or served or [catalog.find(text)]
    except UsageError as error:
        raise because(404, "offer_not_found", error.title, error.findings) from None
    if len(found) > MOST_OFFERS:
        raise refused(400, "invalid_request", f"`{text}` names {len(found)} offers; say which")
    return found


def _why(index: int, sourced: Sourced, context: Any, asking: Asking) -> dict[str, Any]:
    pool, vocabulary = asking.state.kept.pool, asking.state.session.vocabulary
    decision = asking.state.decisions.decide(sourced.policy, context)
    place, reason = decision.place(index), decision.reason(index)
    score = None if place is None else decision.scores[place - 1]
    checks: list[dict[str, Any]] = []
    for clause in sourced.clauses:
        if clause.term is not None:
            passed = bool(engine_explain.mask(clause.term, pool, context)[index])
            checks.append(
                {**rule_json(clause, index, pool, context), "passed": passed, "facts": facts_json(clause.facts)}
            )  # fmt: skip
    parts = engine_explain.score_parts(sourced.policy, index, decision, pool, context)
    return {
        **offer_json(asking.state.session.catalog, index),
        "verdict": _verdict(reason, place),
        "place": place,
        "of": len(decision.order),
        "reason": reason,
        "rules": [{k: check[k] for k in _RULE} for check in checks if not check["passed"]],
        "checks": checks,
        "score": finite(score),
        "behind": None if score is None else finite(decision.scores[0] - score),
        "score_parts": [
            {
                "part": to_text(part.term, vocabulary),
                "value": finite(part.value),
                "contribution": finite(part.contribution),
            }
            for part in parts
        ],
    }


_RULE = ("rule", "clause", "clause_id", "observed", "needed")


def _verdict(reason: str | None, place: int | None) -> str:
    if reason is not None:
        return "rejected"
    if place is None:
        return "not kept"
    return "winner" if place == 1 else "ranked"
