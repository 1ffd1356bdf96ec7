"""What a call is decided by: a profile, a tenant's policy, a policy of its own, inside every envelope that holds.

Envelopes only narrow. The workspace's holds around everything, then the tenant's own filter where a policy came along
for a tenant; a family or a pin narrows further, and the filter holds for a pin too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from typing import Any, Final, Literal

from workbench.catalog import Catalog
from workbench.errors import AdmissionError, WorkspaceError
from workbench.language.admission import Admitted, compose
from workbench.rulebook.clause import Clause
from workbench.rulebook.compile import Compiled
from workbench.rulebook.schema import NO_LOG
from workbench.rulebook.tenant import DEFAULT_WORKLOAD, Tenant
from workbench.server.chat.parameters import Call
from workbench.server.errors import AGAIN_THE_SAME, ROUTER, Refused, invalid, said
from workbench.server.hooks import Caller
from workbench.server.state import ServerState
from workbench.server.x.admitting import admit_policy
from workbench.server.x.asking import reads_requirements
from workbench.server.x.refusal import because
from workbench.server.x.requirements import pin_of
from workbench.server.x.sourced import Sourced, narrowing, within
from workbench.server.x.tenancy import compiled_for, name_of, scope_of, tenant_of
from workbench.session.calls.health.measured import looks_at_measures
from workbench.session.profiles.named import taken_apart
from workbench.session.views import envelope_clause

MOST_KEPT: Final = 1_024
"""Subjects remembered for one snapshot."""
MOST_WRITTEN: Final = 16 * 1024
"""Characters of a policy and a tenant's state that came with a request and is remembered."""
POLICY: Final = "policy_ir"
FLOW: Final = "flow_ir"
_SEEDED: Final = ("sample", "jitter", "inject_seed", "from_ctx", "filter_text", "filter_image")


@dataclass(frozen=True, eq=False)
class Subject:
    """One policy as it is really evaluated, with whom it is for. Compared by identity: equal calls share one."""

    tenant: Tenant
    """Of a call without a tenant: one that stands for the caller, whose text is never kept."""
    scope: str
    """Whose breakers and disables hold; no two tenants and no caller share one."""
    compiled: Compiled
    """The whole policy; its clauses are all filters in force, envelopes first."""
    sourced: Sourced
    """The same for explaining."""
    owner: str
    """Whose running totals its sessions are: a caller's, apart for each tenant."""
    family: str | None = None
    """The one model family that was asked for."""
    provider: str | None = None
    """Whose it has to be, where a pin says so."""

    @cached_property
    def caller(self) -> str:
        """The id of who asked."""
        return self.owner.partition(" ")[0]

    @cached_property
    def reads_requirements(self) -> bool:
        """Whether what a call requires has an effect."""
        return reads_requirements(self.policy)

    @cached_property
    def seeded(self) -> bool:
        """Whether something in the policy draws from a seed."""
        encoding = self.policy.encoding
        return any(f"({word}" in encoding or f'"{word}"' in encoding for word in _SEEDED)

    @cached_property
    def measured(self) -> bool:
        """Whether what calls measured has a say."""
        return looks_at_measures(self.policy)

    @property
    def policy(self) -> Admitted:
        """The whole policy."""
        return self.compiled.policy


@dataclass(frozen=True, slots=True)
class Sugar:
    """What the field `model` (or the path) says."""

    profile: str = ""
    """Empty: the default one."""
    family: str | None = None
    provider: str | None = None
    warnings: tuple[str, ...] = ()


Brings = Literal["nothing", "a tenant"]
"""What a body without a policy says beside `model` of who decides. A tenant is narrowed by a model."""


Names = Callable[[], Iterable[str]]
"""What may stand in `model`; asked only on the way to a refusal."""


def sugar_for(call: Call, caller: Caller, path_profile: str | None, *, lenient: bool, names: Names = tuple) -> Sugar:
    """What the call's `model`, or the profile in the path, means, and a pin in `requirements`. Raises `Refused`."""
    body = call.body
    if body.get("policy_ir") is not None:
        sugar = Sugar(path_profile or "", warnings=outvoted(call, path_profile, POLICY))
    else:
        tenant = body.get("tenant") or body.get("tenant_state") is not None or caller.tenant is not None
        brings: Brings = "a tenant" if tenant else "nothing"
        sugar = sugar_of(call.model, path_profile, brings, lenient=lenient, names=names)
    pin = pin_of(body.get("requirements") or {})
    if pin is None:
        return sugar
    if sugar.family not in (None, pin.model) or sugar.provider not in (None, pin.provider):
        message = f"`model` asks for `{call.model[:80]}`, and `requirements.pin` for another pair; give one of them"
        raise invalid(message, param="requirements", code="invalid_requirements")
    return replace(sugar, family=pin.model, provider=pin.provider)


def outvoted(call: Call, path_profile: str | None, by: str) -> tuple[str, ...]:
    """The warnings for what a call says of who decides, beside a policy or a flow that wins."""
    named = (f"`model` `{call.model[:80]}`",) if _says_who(call.model) else ()
    path = () if path_profile is None else (f"the profile `{path_profile}` in the path",)
    own = ("`policy_ir`",) if by == FLOW and call.body.get("policy_ir") is not None else ()
    return tuple(said(f"{each} had no effect: `{by}` decides") for each in (*named, *path, *own))


def _says_who(model: str) -> bool:
    """Whether a model's name would have decided something; other names are labels."""
    prefix, _, rest = model.partition(":")
    return bool(rest) and prefix in _NAMED and model != "profile:default"


def sugar_of(model: str, path_profile: str | None, brings: Brings, *, lenient: bool, names: Names = tuple) -> Sugar:
    """What `model` means; raises `Refused` for a malformed one, and for a model that nobody has here."""
    if path_profile is not None:
        unread = _says_who(model) and model != f"profile:{path_profile}"
        told = (said(f"`model` `{model[:80]}` had no effect: the profile in the path decides"),) if unread else ()
        return Sugar(path_profile, warnings=told)
    if not model:
        return Sugar()
    prefix, colon, rest = model.partition(":")
    named = _NAMED.get(prefix) if colon else None
    if named is not None:
        return named(rest)
    if prefix == "policy" and colon:
        if brings == "nothing":
            message = "`policy:` in `model` is a label only: send the policy as `policy_ir`, or a `tenant`"
            raise Refused(400, "policy_in_model_field", message)
        return Sugar()
    if lenient:
        decided = "the tenant's policy" if brings == "a tenant" else "the default profile"
        return Sugar(warnings=(said(f"there is no model `{model[:80]}` here; {decided} decided"),))
    message = f"there is no model `{model[:80]}` here: {_meant(model[:80], list(names()))}"
    raise Refused(404, "model_not_found", said(message), more={"param": "model"})


def _meant(model: str, names: Sequence[str]) -> str:
    """What a name that nobody has here may have meant."""
    known = {name if ":" in model else name.rpartition(":")[2]: name for name in reversed(names)}
    close = get_close_matches(model, known, 1)
    return f"did you mean `{known[close[0]]}`?" if close else "name a profile, a family or a pin, see /v1/models"


def _family(rest: str) -> Sugar:
    if not rest:
        raise invalid("`family:` needs a model family: `family:gpt-5.5`", param="model", code="invalid_model")
    return Sugar(family=rest)


def _pin(rest: str) -> Sugar:
    provider, _, family = rest.partition("/")
    if not (provider and family):
        raise invalid("a pin is `pin:PROVIDER/FAMILY`", param="model", code="invalid_model")
    return Sugar(family=family, provider=provider)


_NAMED: Final[Mapping[str, Callable[[str], Sugar]]] = {"profile": Sugar, "family": _family, "pin": _pin}


def subject_of(call: Call, sugar: Sugar, state: ServerState, caller: Caller, term: list[Any] | None = None) -> Subject:
    """What the call is decided by; `term` is a flow's node in place of the call's own `policy_ir`. Raises `Refused`."""
    body = call.body
    policy = term if term is not None else body.get("policy_ir")
    key = _key(body, policy, sugar, caller)
    if key is None:
        return _subject(body, policy, sugar, state, caller)
    known = state.remembered.get(key)
    if known is None:
        known = _subject(body, policy, sugar, state, caller)
        if len(state.remembered) >= MOST_KEPT:
            state.remembered.pop(next(iter(state.remembered)))
        state.remembered[key] = known
    return known


def _key(body: Mapping[str, Any], policy: Any, sugar: Sugar, caller: Caller) -> object:
    """Everything that a subject depends on beside the snapshot; None where that is too much to be remembered."""
    written = None if policy is None else json.dumps(policy, sort_keys=False)
    stated = body.get("tenant_state")
    told = None if stated is None else json.dumps(stated, sort_keys=False)
    if len(written or "") + len(told or "") > MOST_WRITTEN:
        return None
    wanted = (sugar.profile, sugar.family, sugar.provider)
    return (caller.id, body.get("tenant"), told, written, *wanted)


def _subject(body: Mapping[str, Any], policy: Any, sugar: Sugar, state: ServerState, caller: Caller) -> Subject:
    tenant = tenant_of(body, state, caller)
    compiled, clauses = _base(policy, sugar, state, tenant)
    if sugar.family is not None:
        clause = narrowing(sugar.family, sugar.provider, state.session)
        compiled = replace(compiled, policy=within(compiled.policy, clause, state.session))
        clauses = (clause, *clauses)
    who = _kept_as(tenant, caller)
    whole = replace(compiled, tenant_id=who.id, clauses=clauses)
    owner = owner_of(tenant, caller)
    sourced = Sourced(whole.policy, clauses)
    return Subject(who, scope_of(tenant, caller), whole, sourced, owner, sugar.family, sugar.provider)


def owner_of(tenant: Tenant | None, caller: Caller) -> str:
    """Whose running totals a call's session is: two callers, or two tenants of one, never share them."""
    return f"{caller.id} {'' if tenant is None else tenant.id}"


def _base(policy: Any, sugar: Sugar, state: ServerState, tenant: Tenant | None) -> tuple[Compiled, tuple[Clause, ...]]:
    """The policy that decides, inside the workspace's envelope and, where one came along for a tenant, its filter."""
    outer = envelope_clause(state.session)
    named = policy is None and bool(sugar.profile) and sugar.profile != "default"
    if tenant is not None and policy is None and not named:
        compiled = compiled_for(tenant, state)
        return compiled, (*outer, *_filters(compiled))
    if policy is not None:
        inner = admit_policy(policy, state.session.vocabulary)
        whole = inner if state.envelope is None else admit_policy(policy, state.session.vocabulary, state.envelope)
        compiled = taken_apart("policy", inner, whole, state.session, "The request's own policy", "policy")
    else:
        compiled = _profile(sugar.profile, state)
    clauses = (*outer, *_filters(compiled))
    if tenant is None:
        return compiled, clauses
    own = compiled_for(tenant, state)
    try:
        whole = compose(compiled.policy, own.policy.slot("filter"), state.session.vocabulary)
    except AdmissionError as error:
        raise because(400, "invalid_policy", "the policy can't run inside the tenant's", error.findings) from None
    return replace(compiled, policy=whole), (*outer, *_filters(own), *_filters(compiled))


def _filters(compiled: Compiled) -> tuple[Clause, ...]:
    return tuple(clause for clause in compiled.clauses if clause.slot == "filter" and clause.term is not None)


def _profile(name: str, state: ServerState) -> Compiled:
    try:
        profile = state.profiles.get(name or "default")
    except WorkspaceError as error:
        raise because(400, "invalid_policy", error.title, error.findings) from None
    if profile is None:
        code = said(f"unknown profile: {name[:80]}")
        close = get_close_matches(name[:80], state.profiles, 1)
        hint = f"did you mean `profile:{close[0]}`?" if close else "see /v1/models"
        raise Refused(
            502, code, said(f"router: {code} — {hint}"), ROUTER, beside={"x_router": NOBODY}, headers=(AGAIN_THE_SAME,)
        )
    return profile.compiled


def unheard_of(subject: Subject, catalog: Catalog) -> str | None:
    """What of a family or a pin no offer here has, with the name that was meant; None where there is such an offer."""
    pairs = {(str(row["provider_id"]), str(row["model_family"])) for row in catalog.candidates}
    families, providers = {family for _, family in pairs}, {provider for provider, _ in pairs}
    family, provider = subject.family, subject.provider
    if family is None or (provider, family) in pairs or (provider is None and family in families):
        return None
    if provider is not None and provider not in providers:
        return _none_of("provider", provider, providers)
    if family not in families:
        return _none_of("model family", family, families)
    return f"`{str(provider)[:80]}` offers no `{family[:80]}` here"


def _none_of(kind: str, name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name[:80], sorted(known), 1)
    hint = f"did you mean `{close[0]}`?" if close else "see /v1/models"
    return f"there is no {kind} `{name[:80]}` here: {hint}"


NOBODY: Final[Mapping[str, Any]] = {
    "provider": None, "model_family": None, "served_model_id": None, "decision_trace": {},
}  # fmt: skip


def _kept_as(tenant: Tenant | None, caller: Caller) -> Tenant:
    """The tenant, under the name that its calls are kept under.

    Who stands for a caller that names none: nobody has said that its text may be kept.
    """
    name = name_of(tenant, caller)
    if tenant is not None:
        return replace(tenant, id=name)
    return Tenant(name, caller.id, {NO_LOG: True}, DEFAULT_WORKLOAD, source="<caller>")
