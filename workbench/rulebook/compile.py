"""Tenant state and a rulebook become a policy, and every clause of it keeps the rule and the facts that put it there.

Refuses to guess. A fact that a rule asks for and a tenant lacks is an error; so are two rules that set one slot. Two
things hold for every tenant and cannot be overridden: `meets_req`, and for a `no_log` tenant `no_log or has_tee`.
The same tenant, rulebook and vocabulary give the same bytes, always.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from workbench.errors import AdmissionError, CompileError, DocumentError, Finding, Place, RulebookError
from workbench.language.admission import Admitted
from workbench.language.vocabulary import Vocabulary
from workbench.rulebook.clause import Clause
from workbench.rulebook.lint import clause_warnings
from workbench.rulebook.overrides import apply_overrides
from workbench.rulebook.plan import Plan
from workbench.rulebook.reader import MEMORY, SLOTS, Slot
from workbench.rulebook.report import listed
from workbench.rulebook.rule import DEFAULT_RULE
from workbench.rulebook.rulebook import FALLBACKS, Rulebook, under
from workbench.rulebook.schema import NO_LOG, Fact
from workbench.rulebook.tenant import Tenant

__all__ = ["Clause", "Compiled", "compile_policy"]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A tenant's policy and its sources."""

    tenant_id: str
    policy: Admitted
    """The whole policy (v2), inside the envelope where there is one."""
    clauses: tuple[Clause, ...]
    """The filters in shown order: guards, defaults, rules in their order, the tenant's own; those off included."""
    slots: Mapping[str, Clause]
    """The clause in force for rank, select, transform and fallback."""
    findings: tuple[Finding, ...]
    """Warnings."""


def compile_policy(
    tenant: Tenant, rulebook: Rulebook, vocabulary: Vocabulary, *, envelope: Admitted | None = None
) -> Compiled:
    """The policy of `tenant` under `rulebook`. Raises `CompileError` with every finding.

    `vocabulary` should be the one that the rulebook was read under; under another one it is read anew each time.
    What a tenant was given is remembered with the rulebook, for as long as the same objects come in.
    """
    known = rulebook.compiled.get(id(tenant))
    if known is not None and known[0] is tenant and known[1] is vocabulary and known[2] is envelope:
        return known[3]
    compiled = _compile(tenant, rulebook, vocabulary, envelope)
    if len(rulebook.compiled) >= MEMORY:
        rulebook.compiled.clear()
    rulebook.compiled[id(tenant)] = tenant, vocabulary, envelope, compiled
    return compiled


def _compile(tenant: Tenant, rulebook: Rulebook, vocabulary: Vocabulary, envelope: Admitted | None) -> Compiled:
    if rulebook.vocabulary is not vocabulary and rulebook.vocabulary != vocabulary:
        rulebook = _reread(tenant, rulebook, vocabulary)
    findings: list[Finding] = []
    facts = tenant.bindings()
    given = _gather(tenant, rulebook, facts, findings)
    if tenant.overrides:
        given = apply_overrides(tenant, rulebook, given, facts, findings.append)
    slots = _slots(tenant, rulebook, given, findings)
    filters = _guarded(tenant, [clause for clause in given if clause.slot == "filter"], rulebook)
    _stop(tenant, findings)
    terms = tuple(clause.term for clause in filters if clause.term is not None)
    parts = tuple(term for slot in SLOTS[1:] if (term := slots[slot].term) is not None)
    try:
        policy = rulebook.reader.policy(terms, parts, envelope)
    except AdmissionError as error:
        raise CompileError(f"tenant `{tenant.id}` gets no policy", error.findings) from None
    findings += clause_warnings(tenant, filters, rulebook)
    return Compiled(tenant.id, policy, tuple(filters), MappingProxyType(slots), tuple(findings))


def _reread(tenant: Tenant, rulebook: Rulebook, vocabulary: Vocabulary) -> Rulebook:
    try:
        return under(rulebook, vocabulary)
    except RulebookError as error:
        raise CompileError(f"tenant `{tenant.id}` gets no policy: {error.title}", error.findings) from None


def _stop(tenant: Tenant, findings: list[Finding]) -> None:
    if any(finding.severity == "error" for finding in findings):
        raise CompileError(f"tenant `{tenant.id}` gets no policy", findings)


def _gather(tenant: Tenant, rulebook: Rulebook, facts: Mapping[str, Fact], findings: list[Finding]) -> list[Clause]:
    """What every rule gives this tenant, in their order; what it must state and does not goes to `findings`."""
    given: list[Clause] = []
    for plan in rulebook.plans:
        try:
            clauses = plan.clauses(facts, rulebook.reader)
        except (AdmissionError, DocumentError) as error:
            findings += [_misfit(tenant, plan, finding) for finding in error.findings]
            continue
        if clauses is None:
            findings += [_lack(tenant, rulebook, plan, name, part) for name, part in plan.missing(facts)]
        else:
            given += clauses
    return given


def _lack(tenant: Tenant, rulebook: Rulebook, plan: Plan, name: str, part: str) -> Finding:
    rule = "[defaults]" if plan.rule.id == DEFAULT_RULE else f"rule `{plan.rule.id}`"
    where = "its `when`" if part == "when" else f"its clause `{part}`"
    reason = f"tenant `{tenant.id}` lacks `{name}`, which {rule} needs for {where}"
    known = rulebook.schema.fields.get(name)
    if known is None:
        place = Place(tenant.source, tenant.lines.get("[workload]"), None, f"workload.{name}")
        return Finding(reason, "missing_fact", place, f"state `{name}` under [workload]")
    may = f": one of {listed(known.values)}" if known.values else f": a {known.kind}"
    place = Place(tenant.source, tenant.lines.get("[facts]"), None, f"facts.{name}")
    return Finding(reason, "missing_fact", place, f"state `{name}` under [facts]{may}")


def _misfit(tenant: Tenant, plan: Plan, finding: Finding) -> Finding:
    names = [name for name in plan.needs if name in tenant.facts]
    line = next((tenant.lines[name] for name in reversed(names) if name in tenant.lines), None)
    reason = f"tenant `{tenant.id}` and rule `{plan.rule.id}`: {finding.reason}"
    path = f"facts.{names[-1]}" if names else None
    return Finding(reason, finding.code, Place(tenant.source, line, None, path), finding.hint)


_GUARDS: Final = (
    ("default.meets-req", "meets_req", "The request's own requirements hold"),
    ("default.no-log", "no_log or has_tee", "A no-log tenant reaches only offers that keep nothing"),
)
_AS_STRICT: Final = {
    "default.meets-req": frozenset(("sigma-pol/v2:(meets_req)",)),
    "default.no-log": frozenset((
        'sigma-pol/v2:(is "no_log")', 'sigma-pol/v2:(is "has_tee")', 'sigma-pol/v2:(or (is "has_tee") (is "no_log"))',
    )),
}  # fmt: skip
"""Clauses that make a guard needless, being at least as strict."""


def _guarded(tenant: Tenant, filters: list[Clause], rulebook: Rulebook) -> list[Clause]:
    """The filters with the guards before them that no clause makes needless."""
    said = {clause.term.encoding for clause in filters if clause.term is not None}
    guards: list[Clause] = []
    for guard_id, text, title in _GUARDS:
        facts: tuple[tuple[str, Fact], ...] = ()
        if guard_id == "default.no-log":
            if not tenant.no_log:
                continue
            facts = ((NO_LOG, True),)
        if not said.isdisjoint(_AS_STRICT[guard_id]):
            continue
        reading = rulebook.reader.read("filter", text, {})
        guards.append(Clause(guard_id, "filter", text, reading.shown, reading.term, None, title, facts, "default"))
    return guards + filters


def _slots(tenant: Tenant, rulebook: Rulebook, given: list[Clause], findings: list[Finding]) -> dict[str, Clause]:
    """The one clause in force for each slot but the filter."""
    setters: dict[Slot, list[Clause]] = {slot: [] for slot in SLOTS[1:]}
    for clause in given:
        if clause.slot != "filter" and clause.term is not None:
            setters[clause.slot].append(clause)
    return {
        slot: each[0] if len(each) == 1 else _one_of(tenant, slot, each, rulebook, findings)
        for slot, each in setters.items()
    }


def _one_of(tenant: Tenant, slot: Slot, setters: list[Clause], rulebook: Rulebook, findings: list[Finding]) -> Clause:
    """The setter that wins: the tenant's own, else a rule that overrides, else the only rule, else the default."""
    defaults = [clause for clause in setters if clause.rule_id == DEFAULT_RULE]
    own = [clause for clause in setters if clause.rule_id is None]
    rules = [clause for clause in setters if clause.rule_id not in (None, DEFAULT_RULE)]
    marked = [clause for clause in rules if rulebook.by_id[clause.rule_id or ""].overrides]
    for rank in (own, marked, rules):
        if len(rank) > 1:
            findings.append(_conflict(tenant, slot, rank))
        if rank:
            wins = rank[-1]
            beaten = next((clause for clause in (*rules, *(defaults if own else ())) if clause not in rank), None)
            return wins if beaten is None or wins.replaced_text else replace(wins, replaced_text=beaten.text)
    # A default `select` may bring a ranking along; it goes before the plain default ranking.
    if defaults:
        return defaults[-1]
    return _fallback(slot, rulebook, tenant)


def _fallback(slot: Slot, rulebook: Rulebook, tenant: Tenant) -> Clause:
    """What holds where even the default was switched off."""
    text = next(clause.text for clause in FALLBACKS if clause.slot == slot)
    facts = tenant.bindings()
    bound = {name: facts[name] for name in ("tokens_in", "tokens_out")} if "$" in text else {}
    reading = rulebook.reader.read(slot, text, bound)
    return Clause(
        f"default.{slot}", slot, text, reading.shown, reading.term, None, "Default", tuple(bound.items()), "default"
    )


def _conflict(tenant: Tenant, slot: Slot, setters: list[Clause]) -> Finding:
    names = listed(f"`{clause.rule_id or clause.id}`" for clause in setters)
    who = "overrides" if setters[0].rule_id is None else "rules"
    reason = f"{who} {names} both set `{slot}` for tenant `{tenant.id}`"
    hint = "keep one" if setters[0].rule_id is None else "mark one of them `overrides = true`, or narrow a `when`"
    return Finding(reason, "slot_conflict", Place(tenant.source, None, None, slot), hint)
