"""A change that is only supposed: other facts of a tenant, other texts of clauses. Applied to a state, written nowhere.

Owns reading such a change from words (`plan=vip`, `free-floor=0.4`) and refuses what the schema or the rulebook does
not know, every word at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final, cast

from workbench.boundary import strict_json
from workbench.errors import DocumentError, Finding, Place, UsageError, WorkbenchError
from workbench.language.clause_text import to_text
from workbench.rulebook.plan import trial
from workbench.rulebook.reader import SLOTS
from workbench.rulebook.report import suggestion
from workbench.rulebook.rule import Rule, clause_id
from workbench.rulebook.rulebook import Rulebook, with_rule
from workbench.rulebook.schema import NO_LOG, WORKLOAD_FIELDS, Fact, FactRefused, TenantField, read_fact
from workbench.rulebook.tenant import DEFAULT_WORKLOAD, Tenant, Workload
from workbench.session.edits import EditClause, ToggleClause
from workbench.session.state import WorkspaceState
from workbench.session.targets import find_target
from workbench.session.tenant_edits import EditSlot

_WHEN: Final = "when"
_MOST_TOKENS: Final = 1e12


@dataclass(frozen=True, slots=True)
class ClauseText:
    """Another text for one clause; None switches it off."""

    clause_id: str
    text: str | None
    tenant_only: bool = False
    """For the tenant alone; else for everyone under the rule."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What is supposed to be different."""

    facts: Mapping[str, Fact | None] = field(default_factory=dict[str, "Fact | None"])
    """Of one tenant; None takes the fact back to what a tenant has that does not state it."""
    clauses: tuple[ClauseText, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.facts or self.clauses)


def apply_changes(
    state: WorkspaceState, tenant_id: str | None, changes: Changes, workload: Workload = DEFAULT_WORKLOAD
) -> WorkspaceState:
    """The state as it would be. `workload` is the workspace's own, for what a tenant does not state.

    Raises `UsageError` where facts or a tenant's clause are to change and no tenant is named, and what the rulebook
    raises for a text that does not read.
    """
    rulebook = state.rulebook
    for clause in changes.clauses:
        if not clause.tenant_only:
            rulebook = with_clause(rulebook, clause)
    if rulebook is not state.rulebook:
        state = state.with_rulebook(rulebook)
    if changes.facts:
        tenant = with_facts(state.tenant(_named(tenant_id)), changes.facts, rulebook, workload)
        state = state.with_tenant(tenant)
    for clause in changes.clauses:
        if clause.tenant_only:
            state = for_tenant(state, _named(tenant_id), clause)
    return state


def _named(tenant_id: str | None) -> str:
    if tenant_id is None:
        finding = Finding("`TENANT` is missing", "missing_argument", hint="facts are those of one tenant")
        raise UsageError("no tenant is named", [finding])
    return tenant_id


# -- facts ------------------------------------------------------------------------------------------------------------


def with_facts(
    tenant: Tenant, facts: Mapping[str, Fact | None], rulebook: Rulebook, workload: Workload = DEFAULT_WORKLOAD
) -> Tenant:
    """The tenant with other facts, as if its file said so. Raises `UsageError` with every fact that does not fit."""
    known = dict(tenant.facts)
    work = tenant.workload
    findings: list[Finding] = []
    for name, value in facts.items():
        try:
            if name in WORKLOAD_FIELDS:
                work = replace(work, **{name: _tokens(name, value, workload)})
            else:
                _put(known, _field(rulebook, name), value)
        except FactRefused as refused:
            findings.append(Finding(refused.reason, "fact", Place(path=f"facts.{name}"), refused.hint))
    if findings:
        raise UsageError("a fact can't be so", findings)
    ordered = {name: known[name] for name in rulebook.schema.fields if name in known}
    return replace(tenant, facts=MappingProxyType(ordered), workload=work)


def _field(rulebook: Rulebook, name: str) -> TenantField:
    found = rulebook.schema.fields.get(name)
    if found is None:
        names = [*rulebook.schema.fields, *WORKLOAD_FIELDS]
        raise FactRefused(f"there is no fact `{name}`", suggestion(name, names) or f"one of {', '.join(names)}")
    return found


def _put(known: dict[str, Fact], declared: TenantField, value: Fact | None) -> None:
    if value is not None:
        raw: object = list(value) if isinstance(value, tuple) else value
        known[declared.name] = read_fact(declared, raw)
    elif declared.name == NO_LOG:
        known[NO_LOG] = True
    elif declared.default is not None:
        known[declared.name] = declared.default
    else:
        known.pop(declared.name, None)


def _tokens(name: str, value: Fact | None, workload: Workload) -> float | None:
    if value is None:
        return cast("float | None", getattr(workload, name))
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MOST_TOKENS:
        raise FactRefused(f"`{name}` must be a number between 0 and {_MOST_TOKENS:g}")
    return value


def read_facts(
    tenant: Tenant, rulebook: Rulebook, sets: Sequence[str], unsets: Sequence[str]
) -> dict[str, Fact | None]:
    """Facts from words: `plan=vip`, `approved_providers=a,b`, `approved_providers+=c`, `approved_providers-=a`.

    Raises `UsageError` with every word that can't be read.
    """
    found: dict[str, Fact | None] = {}
    findings: list[Finding] = []
    for word in sets:
        name, sign, value = word.partition("=")
        operation = name[-1:] if name[-1:] in {"+", "-"} else ""
        name = name.removesuffix(operation).strip()
        if not sign or not name:
            findings.append(Finding(f"`{word}` is no NAME=VALUE", "usage", hint="write `plan=vip`"))
            continue
        declared = rulebook.schema.fields.get(name)
        if operation:
            held = found.get(name, tenant.facts.get(name))
            try:
                found[name] = _entries(declared, held, operation, value)
            except FactRefused as refused:
                findings.append(Finding(refused.reason, "fact", Place(path=f"facts.{name}"), refused.hint))
        else:
            found[name] = fact_of(name, declared, value)
    for name in unsets:
        if name in found:
            findings.append(Finding(f"`{name}` is both set and unset", "usage", hint="keep one of them"))
        found[name] = None
    if findings:
        raise UsageError("the facts can't be read", findings)
    return found


def _entries(declared: TenantField | None, held: Fact | None, operation: str, value: str) -> Fact:
    if declared is None or declared.kind != "list":
        name = "this" if declared is None else f"`{declared.name}`"
        raise FactRefused(f"{name} is no list, so nothing is added or taken out", "write NAME=VALUE")
    before = held if isinstance(held, tuple) else ()
    words = _split(value)
    if operation == "+":
        return (*before, *(word for word in words if word not in before))
    lost = [word for word in words if word not in before]
    if lost:
        raise FactRefused(f"`{declared.name}` does not hold `{lost[0]}`", suggestion(lost[0], before))
    return tuple(word for word in before if word not in words)


def fact_of(name: str, declared: TenantField | None, value: str) -> Fact:
    """The text as a value of the field's kind; where it is none, it stays a text, and is refused as one."""
    kind = "number" if name in WORKLOAD_FIELDS else "text" if declared is None else declared.kind
    if kind == "flag":
        return {"true": True, "yes": True, "false": False, "no": False}.get(value, value)
    if kind == "list":
        return _split(value)
    if kind == "number":
        return _number(value)
    return value


def _split(value: str) -> tuple[str, ...]:
    if value.lstrip().startswith("["):
        try:
            entries = strict_json.loads(value, source="list")
        except DocumentError as error:
            raise UsageError("a list can't be read", error.findings) from None
        if isinstance(entries, list) and all(isinstance(entry, str) for entry in entries):
            return tuple(cast("list[str]", entries))
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _number(value: str) -> float | str:
    try:
        return int(value) if value.lstrip("-").isdecimal() else float(value)
    except ValueError:
        return value


# -- clauses ----------------------------------------------------------------------------------------------------------


def read_clauses(words: Iterable[str], off: Iterable[str] = (), *, tenant_only: bool = False) -> tuple[ClauseText, ...]:
    """Clause texts from words: `free-floor=bench_intelligence >= 0.4`; those in `off` are switched off.

    Raises `UsageError` with every word that names no clause.
    """
    found: list[ClauseText] = []
    findings: list[Finding] = []
    for word in words:
        name, sign, text = word.partition("=")
        if not sign or not name.strip() or not text.strip():
            hint = 'write `free-floor="bench_intelligence >= 0.4"`, or `free-floor=0.4`'
            findings.append(Finding(f"`{word}` is no CLAUSE=TEXT", "usage", hint=hint))
        else:
            found.append(ClauseText(name.strip(), text.strip(), tenant_only))
    found += [ClauseText(name, None, tenant_only) for name in off]
    if findings:
        raise UsageError("the clauses can't be read", findings)
    return tuple(found)


def with_clause(rulebook: Rulebook, clause: ClauseText) -> Rulebook:
    """The rulebook with another text for the clause of that id (`RULE`, `RULE.2`, `RULE.rank`, `RULE.when`).

    A bare number replaces the number of a clause that compares one. Raises `UsageError` for an unknown id, and
    `RulebookError` for a text that does not read.
    """
    rule, place = _find(rulebook, clause.clause_id)
    if place is None:
        if clause.text is None:
            raise _usage(f"`{clause.clause_id}` can't be off", f"switch `{rule.id}` off, or give another condition")
        return with_rule(rulebook, replace(rule, when=clause.text))
    clauses = list(rule.clauses)
    known = clauses[place]
    if clause.text is None:
        if known.slot != "filter":
            raise _usage(f"`{known.slot}` can't be empty", "give it another text")
        clauses[place] = replace(known, enabled=False)
    else:
        text = renumbered(clause.text, lambda: trial(known, rulebook.schema, rulebook.reader).term.source, rulebook)
        clauses[place] = replace(known, text=text, enabled=True)
    return with_rule(rulebook, replace(rule, clauses=tuple(clauses)))


def renumbered(text: str, term: Callable[[], list[Any]], rulebook: Rulebook) -> str:
    """The text, or, where it is a bare number, the comparison that `term` gives with that number in it."""
    number = _number(text)
    if isinstance(number, str):
        return text
    known = term()
    negated = known[0] == "not"
    inner = known[1] if negated else known
    if inner[0] != "cmp":
        raise _usage(f"`{text}` alone is no clause", "the clause compares no single number; give its whole text")
    changed = [*inner[:3], number]
    return to_text(["not", changed] if negated else changed, rulebook.vocabulary)


def clause_ids(rule: Rule) -> tuple[str, ...]:
    """The ids of a rule's clauses, aligned with them."""
    counts: dict[str, int] = {}
    found: list[str] = []
    for clause in rule.clauses:
        counts[clause.slot] = counts.get(clause.slot, 0) + 1
        found.append(clause_id(rule.id, clause.slot, counts[clause.slot]))
    return tuple(found)


def _find(rulebook: Rulebook, wanted: str) -> tuple[Rule, int | None]:
    """The rule and the place of a clause; no place for the rule's condition."""
    known: list[str] = []
    for rule in rulebook.by_id.values():
        ids = clause_ids(rule)
        if wanted in ids:
            return rule, ids.index(wanted)
        if wanted == f"{rule.id}.{_WHEN}" and rule is not rulebook.default_rule:
            return rule, None
        if wanted == rule.id and ids:
            return rule, 0
        known += ids
    hint = suggestion(wanted, known) or "`workbench compile TENANT --explain` shows the ids of clauses"
    raise _usage(f"the rulebook has no clause `{wanted}`", hint)


def for_tenant(state: WorkspaceState, tenant_id: str, clause: ClauseText) -> WorkspaceState:
    """The state with another text for one tenant's clause, as an override. Raises `UsageError` for an unknown id."""
    name = clause.clause_id
    if clause.text is None:
        target = find_target(state, tenant_id, name)
        if target.clause.term is None:
            return state
        return ToggleClause(tenant_id, name, "tenant").apply(state)
    if name in SLOTS[1:]:
        return EditSlot(tenant_id, name, clause.text).apply(state)
    target = find_target(state, tenant_id, name)

    def term() -> list[Any]:
        if target.clause.term is None:
            raise _usage(f"`{name}` is off, so it has no number to replace", "give its whole text")
        return target.clause.term.source

    text = renumbered(clause.text, term, state.rulebook)
    return EditClause(tenant_id, name, "tenant", text).apply(state)


def _usage(reason: str, hint: str | None) -> WorkbenchError:
    return UsageError(reason, [Finding(reason, "usage", hint=hint)])
