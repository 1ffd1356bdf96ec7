"""What is different for one tenant: its overrides laid over the clauses that the rules gave it.

An override names a rule's clause and stands in for it, or switches it off, or is a clause of the tenant's own. One that
names nothing is an error, not a no-op.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from workbench.errors import AdmissionError, ClauseError, DocumentError, Finding, Place, Severity
from workbench.rulebook.clause import Clause
from workbench.rulebook.condition import Facts
from workbench.rulebook.plan import shown_off, trial
from workbench.rulebook.reader import Reading
from workbench.rulebook.report import suggestion
from workbench.rulebook.rule import Rule, RuleClause, clause_position
from workbench.rulebook.rulebook import Rulebook
from workbench.rulebook.schema import Fact
from workbench.rulebook.tenant import Override, Tenant

Tell = Callable[[Finding], None]
_OWN: Final = "own"


def apply_overrides(
    tenant: Tenant, rulebook: Rulebook, clauses: list[Clause], facts: Facts, tell: Tell
) -> list[Clause]:
    """`clauses` with the tenant's overrides in place; findings go to `tell`."""
    result = list(clauses)
    taken: set[tuple[str, str, int]] = set()
    for override in tenant.overrides:
        rule = None if override.rule is None else rulebook.by_id.get(override.rule)
        if override.rule is None:
            result += _own(override, rulebook, facts, tell, tenant)
        elif rule is None:
            hint = suggestion(override.rule, rulebook.by_id) or "take the override out, or write it without `rule`"
            tell(_finding(tenant, override, f"there is no rule `{override.rule}`", "unknown_rule", hint))
        elif clause_position(rule.clauses, override.slot, override.index) is None:
            tell(_finding(tenant, override, _no_clause(rule, override), "unknown_clause", _what_it_has(rule)))
        elif (rule.id, override.slot, override.index) in taken:
            reason = f"two overrides stand for the same clause of rule `{rule.id}`"
            tell(_finding(tenant, override, reason, "duplicate", "keep one of them"))
        else:
            taken.add((rule.id, override.slot, override.index))
            result = _replaced(result, rule, override, rulebook, facts, tell, tenant)
    return result


def _no_clause(rule: Rule, override: Override) -> str:
    which = f"{override.slot} {override.index}" if override.index > 1 else override.slot
    return f"rule `{rule.id}` has no {which} to override"


def _what_it_has(rule: Rule) -> str:
    return f"it has {', '.join(dict.fromkeys(clause.slot for clause in rule.clauses))}"


def _replaced(
    clauses: list[Clause], rule: Rule, override: Override, rulebook: Rulebook, facts: Facts, tell: Tell, tenant: Tenant
) -> list[Clause]:
    place = clause_position(rule.clauses, override.slot, override.index)
    here = next((k for k, clause in enumerate(clauses) if clause.rule_id == rule.id and clause.place == place), None)
    if here is None or not rule.enabled:
        reason = f"rule `{rule.id}` does not apply to tenant `{tenant.id}`, so this override does nothing"
        tell(_finding(tenant, override, reason, "idle_override", None, severity="warning"))
        return clauses
    before = clauses[here]
    made = _made(override, before, rulebook, facts, tell, tenant)
    rest = [clause for clause in clauses[here + 1 :] if clause.rule_id != rule.id or clause.place != place]
    return [*clauses[:here], *made, *rest]


def _made(
    override: Override, before: Clause, rulebook: Rulebook, facts: Facts, tell: Tell, tenant: Tenant
) -> list[Clause]:
    changed = replace(before, origin="override", replaced_text=before.text, note=override.note)
    if override.off:
        shown = before.shown
        if override.text is not None:
            shown = shown_off(rulebook.reader, override.slot, override.text, facts)
        text = before.text if override.text is None else override.text
        return [replace(changed, text=text, shown=shown, term=None, enabled=False)]
    text = override.text or before.text
    reading = _read(override, text, rulebook, facts, tell, tenant)
    if reading is None:
        return [changed]
    behind = dict(before.facts) | _behind(reading, facts)
    replaced = replace(
        changed, text=text, shown=reading.shown, term=reading.term, enabled=True, facts=tuple(behind.items())
    )
    return [replaced, *_ranking(replaced, reading)]


def _own(override: Override, rulebook: Rulebook, facts: Facts, tell: Tell, tenant: Tenant) -> list[Clause]:
    text = override.text or ""
    if override.id in rulebook.by_id:
        reason = f"override `{override.id}` has the id of a rule"
        tell(_finding(tenant, override, reason, "duplicate", f'write rule = "{override.id}", or give it another id'))
    clause = Clause(
        override.id, override.slot, text, text, None, None, "This tenant only", (), _OWN, False, note=override.note
    )
    if override.off:
        return [replace(clause, shown=shown_off(rulebook.reader, override.slot, text, facts))]
    reading = _read(override, text, rulebook, facts, tell, tenant)
    if reading is None:
        return [clause]
    behind = tuple(_behind(reading, facts).items())
    own = replace(clause, shown=reading.shown, term=reading.term, facts=behind, enabled=True)
    return [own, *_ranking(own, reading)]


def _behind(reading: Reading, facts: Facts) -> dict[str, Fact]:
    return {name: facts[name] for name in reading.names}


def _ranking(select: Clause, reading: Reading) -> list[Clause]:
    if reading.scorer is None:
        return []
    return [replace(select, id=f"{select.id}.rank", slot="rank", term=reading.scorer, shown=reading.ranking_shown)]


def _read(
    override: Override, text: str, rulebook: Rulebook, facts: Facts, tell: Tell, tenant: Tenant
) -> Reading | None:
    try:
        names = trial(RuleClause(override.slot, text), rulebook.schema, rulebook.reader).names
        lacking = [name for name in names if name not in facts]
        for name in lacking:
            reason = f"tenant `{tenant.id}` lacks `{name}`, which override `{override.id}` needs"
            tell(_finding(tenant, override, reason, "missing_fact", f"state `{name}` under [facts]"))
        if lacking:
            return None
        return rulebook.reader.read(override.slot, text, {name: facts[name] for name in names})
    except (AdmissionError, DocumentError) as error:
        column = error.column if isinstance(error, ClauseError) else None
        for found in error.findings or (Finding(error.title, "clause"),):
            reason = f"override `{override.id}`: {found.reason}"
            tell(_finding(tenant, override, reason, found.code, found.hint, column=column))
    return None


def _finding(
    tenant: Tenant, override: Override, reason: str, code: str, hint: str | None, *,
    column: int | None = None, severity: Severity = "error",
) -> Finding:  # fmt: skip
    place = Place(tenant.source, tenant.lines.get(override.id), column, f"override.{override.id}")
    return Finding(reason, code, place, hint, severity)
