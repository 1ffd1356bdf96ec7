"""What a person can do to a state: one frozen intention per kind of edit, applied purely.

An edit has a scope. `rule` changes the rulebook and so every tenant that the rule applies to; `tenant` changes one
tenant only and is kept in that tenant's file as an override.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from workbench.errors import WorkbenchError
from workbench.language.clause_text import to_text
from workbench.rulebook.rule import DEFAULT_RULE, Rule, RuleClause
from workbench.rulebook.rulebook import reordered
from workbench.session.state import WorkspaceState
from workbench.session.targets import (
    Scope,
    Target,
    change_rule,
    drop_override,
    find_target,
    new_override,
    put_override,
    read_for,
    refuse,
    scope_of,
    touched_by_rule,
)


class Edit(Protocol):
    """One intention."""

    @property
    def title(self) -> str:
        """What undo says."""
        ...

    def apply(self, state: WorkspaceState) -> WorkspaceState:
        """The next state. Raises `ClauseError` for half-typed text, `EditRefused`, or another `WorkbenchError`."""
        ...

    def touches(self, state: WorkspaceState) -> tuple[str, ...]:
        """Ids of the tenants whose policy it is about, in ascending order."""
        ...


@dataclass(frozen=True, slots=True)
class _OnClause:
    """An edit that aims at one clause of one tenant."""

    tenant_id: str
    clause_id: str
    scope: Scope = "rule"

    def target(self, state: WorkspaceState) -> Target:
        """The clause, refused where nothing may change it."""
        target = find_target(state, self.tenant_id, self.clause_id)
        if target.guard:
            raise refuse(
                f"`{target.clause.shown}` holds for every tenant and can't be changed", "add a clause beside it"
            )
        return target

    def touches(self, state: WorkspaceState) -> tuple[str, ...]:
        """Ids of the tenants whose policy it is about, in ascending order."""
        try:
            target = find_target(state, self.tenant_id, self.clause_id)
        except WorkbenchError:
            return (self.tenant_id,)
        if scope_of(target, self.scope) == "tenant" or target.clause.rule_id is None:
            return (self.tenant_id,)
        return touched_by_rule(state, target.clause.rule_id)


def _with_clauses(rule: Rule, clauses: list[RuleClause]) -> Rule:
    return replace(rule, clauses=tuple(clauses))


def _for_tenant(target: Target, text: str | None, *, off: bool = False) -> WorkspaceState:
    """The target's clause as an override of this tenant, its note kept."""
    known = target.override
    slot = target.clause.slot
    if known is not None:
        changed = replace(known, text=text, off=off)
    else:
        changed = new_override(target.tenant, target.clause, slot, text, off=off)
    return target.state.with_tenant(put_override(target.tenant, changed))


@dataclass(frozen=True, slots=True)
class EditClause(_OnClause):
    """Another text for a clause, or for what stands in a slot (rank, select, transform, fallback)."""

    text: str = ""

    @property
    def title(self) -> str:
        """What undo says."""
        return f"edit {self.clause_id}"

    def apply(self, state: WorkspaceState) -> WorkspaceState:
        """The next state."""
        target = self.target(state)
        read_for(state, target.tenant, target.clause.slot, self.text)
        if scope_of(target, self.scope) == "tenant":
            return _for_tenant(target, self.text)

        def change(rule: Rule) -> Rule:
            clauses = list(rule.clauses)
            clauses[target.clause.place] = replace(clauses[target.clause.place], text=self.text)
            return _with_clauses(rule, clauses)

        return change_rule(target, change)


@dataclass(frozen=True, slots=True)
class ToggleClause(_OnClause):
    """Switch a clause off, or on again."""

    @property
    def title(self) -> str:
        """What undo says."""
        return f"switch {self.clause_id}"

    def apply(self, state: WorkspaceState) -> WorkspaceState:
        """The next state."""
        target = self.target(state)
        if scope_of(target, self.scope) == "rule":
            return change_rule(target, lambda rule: _toggled(rule, target))
        known = target.override
        if known is None:
            return _for_tenant(target, None, off=True)
        if known.off and known.text is None:
            return state.with_tenant(drop_override(target.tenant, known.id))
        return state.with_tenant(put_override(target.tenant, replace(known, off=not known.off)))


def _toggled(rule: Rule, target: Target) -> Rule:
    if target.clause.slot != "filter":
        raise refuse(
            f"`{target.clause.slot}` can't be empty", "edit it, or delete it where a rule or an override set it"
        )
    if not rule.enabled:
        return replace(rule, enabled=True)
    clauses = list(rule.clauses)
    clause = clauses[target.clause.place]
    clauses[target.clause.place] = replace(clause, enabled=not clause.enabled)
    return _with_clauses(rule, clauses)


@dataclass(frozen=True, slots=True)
class DuplicateClause(_OnClause):
    """Add a copy of a clause after it."""

    @property
    def title(self) -> str:
        """What undo says."""
        return f"duplicate {self.clause_id}"

    def apply(self, state: WorkspaceState) -> WorkspaceState:
        """The next state."""
        target = find_target(state, self.tenant_id, self.clause_id)
        if target.clause.slot != "filter":
            raise refuse(f"there is one `{target.clause.slot}` only", "edit it instead")
        return AddClause(self.tenant_id, target.clause.text, self.scope, self.clause_id).apply(state)


@dataclass(frozen=True, slots=True)
class NegateClause(_OnClause):
    """Turn a filter clause into its opposite."""

    @property
    def title(self) -> str:
        """What undo says."""
        return f"negate {self.clause_id}"

    def apply(self, state: WorkspaceState) -> WorkspaceState:
        """The next state."""
        target = self.target(state)
        if target.clause.slot != "filter":
            raise refuse(f"a `{target.clause.slot}` has no opposite")
        text = opposite(target)
        return EditClause(self.tenant_id, self.clause_id, self.scope, text).apply(state)


def opposite(target: Target) -> str:
    """The clause's text negated; `$names` stay names."""
    text = target.clause.text.strip()
    if "$" not in text:
        term = read_for(target.state, target.tenant, "filter", text).term.normal
        return to_text(term[1] if term[0] == "not" else ["not", term], target.state.vocabulary)
    if text.startswith("["):
        return f'["not",{text}]'
    inner = text.removeprefix("not (").removesuffix(")")
    return inner if text == f"not ({inner})" and _balanced(inner) else f"not ({text})"


def _balanced(text: str) -> bool:
    depth = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            return False
    return depth == 0


@dataclass(frozen=True, slots=True)
class DeleteClause(_OnClause):
    """Take a clause out; of a rule's clause for one tenant, that is switching it off there."""

    @property
    def title(self) -> str:
        """What undo says."""
        return f"delete {self.clause_id}"

    def apply(self, state: WorkspaceState) -> WorkspaceState:
        """The next state."""
        target = self.target(state)
        if scope_of(target, self.scope) == "rule":
            return change_rule(target, lambda rule: _without(rule, target))
        known = target.override
        if known is not None and (known.rule is None or target.clause.slot != "filter"):
            return state.with_tenant(drop_override(target.tenant, known.id))
        if target.clause.slot != "filter":
            raise refuse(f"`{target.clause.slot}` can't be empty", "edit it instead")
        return _for_tenant(target, None, off=True)


def _without(rule: Rule, target: Target) -> Rule:
    if rule.id == DEFAULT_RULE and target.clause.slot != "filter":
        raise refuse(f"`{target.clause.slot}` can't be empty", "edit it instead")
    clauses = list(rule.clauses)
    if len(clauses) == 1:
        raise refuse(f"it is all that rule `{rule.id}` adds", "switch it off instead")
    del clauses[target.clause.place]
    return _with_clauses(rule, clauses)


@dataclass(frozen=True, slots=True)
class MoveClause(_OnClause):
    """Move a filter clause up (-1) or down (1) in the order in which the funnel shows clauses; no decision changes."""

    offset: int = 1

    @property
    def title(self) -> str:
        """What undo says."""
        return f"move {self.clause_id}"

    def apply(self, state: WorkspaceState) -> WorkspaceState:
        """The next state."""
        target = self.target(state)
        shown = target.compiled.clauses
        here = next((k for k, clause in enumerate(shown) if clause.id == self.clause_id), None)
        if here is None:
            raise refuse("only filter clauses have an order")
        there = here + self.offset
        if not 0 <= there < len(shown):
            raise refuse("it stands at the end already")
        other = shown[there]
        if target.clause.origin == "own" and other.origin == "own":
            return _swap_own(target, other.id)
        if target.clause.rule_id is None or other.rule_id is None:
            raise refuse("defaults and a tenant's own clauses keep their places around the rules")
        if target.clause.rule_id == other.rule_id:
            return change_rule(target, lambda rule: _swapped(rule, target.clause.place, other.place))
        return _swap_rules(target, other.rule_id)


def _swap_own(target: Target, other_id: str) -> WorkspaceState:
    known = list(target.tenant.overrides)
    places = {override.id: place for place, override in enumerate(known)}
    a, b = places[target.clause.id], places[other_id]
    known[a], known[b] = known[b], known[a]
    return target.state.with_tenant(replace(target.tenant, overrides=tuple(known)))


def _swapped(rule: Rule, a: int, b: int) -> Rule:
    clauses = list(rule.clauses)
    clauses[a], clauses[b] = clauses[b], clauses[a]
    return _with_clauses(rule, clauses)


def _swap_rules(target: Target, other_id: str) -> WorkspaceState:
    mine = target.clause.rule_id
    if DEFAULT_RULE in (mine, other_id):
        raise refuse("the defaults stand before every rule")
    ids = [rule.id for rule in target.state.rulebook.rules]
    a, b = ids.index(mine or ""), ids.index(other_id)
    ids.insert(b, ids.pop(a))
    return target.state.with_rulebook(reordered(target.state.rulebook, ids))


@dataclass(frozen=True, slots=True)
class RevertOverride(_OnClause):
    """Take an override back, so that the rule holds again."""

    scope: Scope = "tenant"

    @property
    def title(self) -> str:
        """What undo says."""
        return f"revert {self.clause_id}"

    def apply(self, state: WorkspaceState) -> WorkspaceState:
        """The next state."""
        target = self.target(state)
        known = target.override
        if known is None:
            raise refuse(f"`{target.clause.shown}` is no override", "undo takes back the last edit")
        return state.with_tenant(drop_override(target.tenant, known.id))


@dataclass(frozen=True, slots=True)
class AddClause:
    """Another filter clause: to the rule of the clause `after`, or for this tenant only."""

    tenant_id: str
    text: str
    scope: Scope = "tenant"
    after: str | None = None

    @property
    def title(self) -> str:
        """What undo says."""
        return f"add {self.text}"

    def apply(self, state: WorkspaceState) -> WorkspaceState:
        """The next state."""
        tenant = state.tenant(self.tenant_id)
        read_for(state, tenant, "filter", self.text)
        if self.scope == "rule" and self.after is not None:
            find_target(state, self.tenant_id, self.after)
        if self._rule_id(state) is None:
            return state.with_tenant(put_override(tenant, new_override(tenant, None, "filter", self.text)))
        target = find_target(state, self.tenant_id, self.after or "")

        def change(rule: Rule) -> Rule:
            clauses = list(rule.clauses)
            filters = sum(clause.slot == "filter" for clause in clauses)
            place = min(target.clause.place + 1, filters) if target.clause.slot == "filter" else filters
            clauses.insert(place, RuleClause("filter", self.text))
            return _with_clauses(rule, clauses)

        return change_rule(target, change)

    def touches(self, state: WorkspaceState) -> tuple[str, ...]:
        """Ids of the tenants whose policy it is about, in ascending order."""
        rule_id = self._rule_id(state)
        return (self.tenant_id,) if rule_id is None else touched_by_rule(state, rule_id)

    def _rule_id(self, state: WorkspaceState) -> str | None:
        """The rule it goes to; None: the tenant."""
        if self.scope == "tenant" or self.after is None:
            return None
        try:
            return find_target(state, self.tenant_id, self.after).clause.rule_id
        except WorkbenchError:
            return None
