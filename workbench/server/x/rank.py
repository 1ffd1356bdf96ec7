"""`POST /x/rank` and `GET /x/rank`: the order of the offers under a policy, and why the others are not in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from workbench.errors import WorkspaceError
from workbench.rulebook.tenant import Tenant
from workbench.server.errors import ROUTER, Refused, said
from workbench.server.hooks import Caller
from workbench.server.state import ServerState
from workbench.server.x.admitting import admit_policy
from workbench.server.x.asking import asked_of
from workbench.server.x.refusal import Fault, because, shapeless
from workbench.server.x.requirements import Pin
from workbench.server.x.sourced import (
    Sourced,
    catalog_json,
    inside,
    named,
    narrowing,
    of_compiled,
    of_policy,
    ranked_rows,
    rejected_rows,
    within,
)
from workbench.server.x.tenancy import compiled_for, scope_of, tenant_of
from workbench.session.profiles.named import DEFAULT


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks, of which snapshot, with what the host knows of its providers right now."""

    state: ServerState
    caller: Caller
    health: Callable[[str], Mapping[str, Any]]
    """By whose it is (`tenancy.scope_of`), as a call would see it."""
    now: int
    """Seconds since 1970."""


def rank(body: Mapping[str, Any], asking: Asking) -> dict[str, Any]:
    """The ranking under `policy_ir`, or under the policy of `tenant` or `tenant_state` where there is none.

    With both, the policy decides inside the tenant's own filter. Nobody left is still an answer. Raises `Refused`.
    """
    tenant = tenant_of(body, asking.state, asking.caller)
    return ranking(sourced_of(body, tenant, asking), body, tenant, asking)


def rank_profile(query: Mapping[str, str], asking: Asking) -> dict[str, Any]:
    """The ranking under a named policy of the workspace; inside the tenant's own filter, for a caller that has one.

    Raises `Refused`: 422 without `profile`, 400 unknown.
    """
    name = query.get("profile")
    if name is None:
        raise shapeless(("missing", ("query", "profile"), "Field required", None))
    try:
        profile = asking.state.profiles.get(name or DEFAULT)
    except WorkspaceError as error:
        raise because(400, "rank", f"rank failed: {error.title}", error.findings) from None
    if profile is None:
        raise Refused(400, "rank", said(f"rank failed: unknown profile: {name[:128]}"), ROUTER)
    session = asking.state.session
    sourced, tenant = of_compiled(profile.compiled, session), tenant_of(query, asking.state, asking.caller)
    if tenant is not None:
        sourced = inside(sourced, compiled_for(tenant, asking.state), session.vocabulary)
    body: dict[str, Any] = {}
    if "context" in query:
        body["context"] = _whole(query["context"])
    return {"profile": name, **ranking(sourced, body, tenant, asking)}


def _whole(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 15:
        return int(text)
    raise shapeless(("int_parsing", ("query", "context"), "Input should be a valid integer", text[:128]))


def sourced_of(body: Mapping[str, Any], tenant: Tenant | None, asking: Asking) -> Sourced:
    """What a request is decided by. Raises `Refused`."""
    session = asking.state.session
    if body.get("policy_ir") is not None or (tenant is None and "policy_ir" in body):
        term = policy_ir(body)
        inner = admit_policy(term, session.vocabulary)
        whole = inner if session.envelope is None else admit_policy(term, session.vocabulary, session.envelope)
        sourced = of_policy(inner, whole, session)
        if tenant is not None:
            sourced = inside(sourced, compiled_for(tenant, asking.state), session.vocabulary)
        return sourced
    if tenant is None:
        raise shapeless(missing("policy_ir"))
    compiled = compiled_for(tenant, asking.state)
    return of_compiled(compiled, session)


def policy_ir(body: Mapping[str, Any], key: str = "policy_ir") -> list[Any]:
    """The term in a body. Raises `Refused` 422 where it is missing or no list."""
    if key not in body:
        raise shapeless(missing(key))
    value = body[key]
    if not isinstance(value, list):
        raise shapeless(("list_type", ("body", key), "Input should be a valid list", value))
    return cast("list[Any]", value)


def missing(key: str) -> Fault:
    """A key that has to be there."""
    return "missing", ("body", key), "Field required", None


def ranking(sourced: Sourced, body: Mapping[str, Any], tenant: Tenant | None, asking: Asking) -> dict[str, Any]:
    """The whole answer."""
    state = asking.state
    catalog, pool = state.session.catalog, state.kept.pool
    asked = asked_of(body, sourced.policy, asking.health(scope_of(tenant, asking.caller)))
    sourced = pinned(sourced, asked.pin, state)
    decision = state.decisions.decide(sourced.policy, asked.context)
    ranked = ranked_rows(decision, catalog)
    rejected = rejected_rows(sourced, decision, catalog, pool, asked.context)
    if asked.pin is not None and not asked.pin.is_in(catalog):
        rejected = [{"reason": "pin_not_found", "pin": asked.pin.json()}]
    answer: dict[str, Any] = {
        "rank_source": "router",
        "ranked": ranked,
        "rejected": rejected,
        "ts": asking.now,
        **named(sourced.policy),
        "catalog": catalog_json(catalog),
        "population": decision.population,
        "survivors": decision.survivors,
    }
    return {**answer, "warnings": list(asked.warnings)} if asked.warnings else answer


def pinned(sourced: Sourced, pin: Pin | None, state: ServerState) -> Sourced:
    """What decides as a call with that pin has it: the selector chooses among the pinned."""
    if pin is None:
        return sourced
    clause = narrowing(pin.model, pin.provider, state.session)
    return Sourced(within(sourced.policy, clause, state.session), (clause, *sourced.clauses))
