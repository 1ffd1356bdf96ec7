"""What an edit aims at: the clause as compiled, and where its text lives - in a rule, or in the tenant's own file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from workbench.errors import Finding, Place, UsageError, WorkbenchError
from workbench.rulebook.clause import Clause
from workbench.rulebook.compile import Compiled, compile_policy
from workbench.rulebook.reader import Reading, Slot
from workbench.rulebook.report import suggestion
from workbench.rulebook.rule import DEFAULT_RULE, Rule
from workbench.rulebook.rulebook import with_rule
from workbench.rulebook.tenant import Override, Tenant
from workbench.session.state import WorkspaceState

Scope = Literal["rule", "tenant"]


class EditRefused(WorkbenchError):
    """An edit that makes no sense here; the title says why, the finding's hint what to do instead."""

    exit_code = 1


def refuse(reason: str, hint: str | None = None) -> EditRefused:
    """The error for an edit that can't be made."""
    return EditRefused("the edit can't be made", [Finding(reason, "edit_refused", Place(), hint)])


@dataclass(frozen=True, slots=True)
class Target:
    """A clause of one tenant, with the tenant it was compiled for."""

    state: WorkspaceState
    tenant: Tenant
    compiled: Compiled
    clause: Clause

    @property
    def guard(self) -> bool:
        """Whether the clause holds for every tenant and has no text that a person wrote."""
        return self.clause.rule_id is None and self.clause.origin == "default"

    @property
    def rule(self) -> Rule | None:
        """The rule that the clause comes from; None for the tenant's own."""
        return None if self.clause.rule_id is None else self.state.rulebook.by_id.get(self.clause.rule_id)

    @property
    def override(self) -> Override | None:
        """The override that the clause stands for, where there is one."""
        for known in self.tenant.overrides:
            if self.clause.origin == "own" and known.rule is None and known.id == self.clause.id.removesuffix(".rank"):
                return known
            if self.clause.origin == "override" and overrides(known, self.clause):
                return known
        return None


def overrides(known: Override, clause: Clause) -> bool:
    """Whether `known` is an override of the rule's clause that `clause` was compiled from."""
    return known.rule == clause.rule_id and known.slot == clause.slot and known.index == clause.index


def find_target(state: WorkspaceState, tenant_id: str, clause_id: str) -> Target:
    """The clause of that id. Raises `UsageError` where there is none, or `CompileError`."""
    tenant = state.tenant(tenant_id)
    compiled = compile_policy(tenant, state.rulebook, state.vocabulary, envelope=state.envelope)
    for clause in (*compiled.clauses, *compiled.slots.values()):
        if clause.id == clause_id:
            return Target(state, tenant, compiled, clause)
    known = [clause.id for clause in (*compiled.clauses, *compiled.slots.values())]
    hint = suggestion(clause_id, known) or "it has " + ", ".join(f"`{name}`" for name in known)
    reason = f"tenant `{tenant_id}` has no clause `{clause_id}`"
    raise UsageError("no such clause", [Finding(reason, "unknown_clause", Place(), hint)])


def scope_of(target: Target, scope: Scope) -> Scope:
    """The scope that an edit of this clause really has: a tenant's own clause is never a rule's."""
    return "tenant" if target.clause.origin == "own" else scope


def read_for(state: WorkspaceState, tenant: Tenant, slot: Slot, text: str) -> Reading:
    """The text as this tenant would have it. Raises `ClauseError` with its column, or `AdmissionError`."""
    return state.rulebook.reader.read(slot, text, tenant.bindings())


def change_rule(target: Target, change: Callable[[Rule], Rule]) -> WorkspaceState:
    """The state with the target's rule changed. Raises `EditRefused` for a clause that no rule has."""
    rule = target.rule
    if rule is None:
        raise refuse(f"`{target.clause.shown}` comes from no rule", "edit it for this tenant only, or add a rule")
    return target.state.with_rulebook(with_rule(target.state.rulebook, change(rule)))


def change_overrides(
    state: WorkspaceState, tenant: Tenant, change: Callable[[tuple[Override, ...]], tuple[Override, ...]]
) -> WorkspaceState:
    """The state with the tenant's overrides changed."""
    return state.with_tenant(replace(tenant, overrides=change(tenant.overrides)))


def put_override(tenant: Tenant, override: Override) -> Tenant:
    """The tenant with this override in place of the one of its id, else added."""
    if any(known.id == override.id for known in tenant.overrides):
        changed = tuple(override if known.id == override.id else known for known in tenant.overrides)
    else:
        changed = (*tenant.overrides, override)
    return replace(tenant, overrides=changed)


def drop_override(tenant: Tenant, override_id: str) -> Tenant:
    """The tenant without the override of that id."""
    return replace(tenant, overrides=tuple(known for known in tenant.overrides if known.id != override_id))


def new_override(tenant: Tenant, clause: Clause | None, slot: Slot, text: str | None, *, off: bool = False) -> Override:
    """An override that stands in for `clause` of a rule; without one, a clause of the tenant's own."""
    taken = {known.id for known in tenant.overrides}
    if clause is None or clause.rule_id is None:
        number = next(n for n in range(1, len(taken) + 2) if f"own-{n}" not in taken)
        return Override(f"own-{number}", None, 1, slot, text, off)
    base = clause.rule_id if slot == "filter" and clause.index == 1 else f"{clause.rule_id}-{slot}-{clause.index}"
    return Override(
        base if base not in taken else f"{base}-{len(taken)}", clause.rule_id, clause.index, slot, text, off
    )


def touched_by_rule(state: WorkspaceState, rule_id: str) -> tuple[str, ...]:
    """Ids of the tenants that the rule applies to, in ascending order; one that lacks a fact it needs counts."""
    plan = next((plan for plan in state.rulebook.plans if plan.rule.id == rule_id), None)
    if plan is None:
        return ()
    if rule_id == DEFAULT_RULE:
        return tuple(tenant.id for tenant in state.tenants)
    found: list[str] = []
    for tenant in state.tenants:
        facts = tenant.bindings()
        if plan.condition.missing(facts) or plan.condition.test(facts):
            found.append(tenant.id)
    return tuple(found)
