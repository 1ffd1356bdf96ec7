"""What is allowed and probably not meant, as warnings.

Per tenant: a clause that lets the unknown through, one that admits nobody, one that does nothing. Per workspace: names
that no offer has, rules that apply to nobody, benchmarks of another version than the rules were written for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from workbench.errors import Finding, Place
from workbench.language.admission import Admitted
from workbench.language.vocabulary import UNKNOWN, Vocabulary
from workbench.rulebook.clause import Clause
from workbench.rulebook.report import suggestion
from workbench.rulebook.rule import DEFAULT_RULE
from workbench.rulebook.rulebook import Rulebook
from workbench.rulebook.tenant import Tenant

_FALSE: Final = "sigma-pol/v2:(bot)"
_TRUE: Final = "sigma-pol/v2:(top)"


@dataclass(frozen=True, slots=True)
class _Stance:
    """What a clause does with offers whose place in a category is not known."""

    admits: tuple[str, ...]
    """Categories of which it refuses a value, and lets the unknown pass without a word."""
    refuses: tuple[str, ...]
    """Categories of which it refuses the unknown."""


def clause_warnings(tenant: Tenant, clauses: Iterable[Clause], rulebook: Rulebook) -> list[Finding]:
    """What is odd about a tenant's filter clauses."""
    live = [(clause, clause.term) for clause in clauses if clause.term is not None]
    names = _Names(rulebook.vocabulary)
    if not _odd(tuple(term for _, term in live), names):
        return []
    found: list[Finding] = []
    stances = [(clause, _stance(term, names)) for clause, term in live]
    settled = {category for _, stance in stances for category in stance.refuses}
    for clause, stance in stances:
        found += [_unknown_passes(tenant, clause, name) for name in stance.admits if name not in settled]
    for clause, term in live:
        if term.encoding == _FALSE:
            found.append(_warning(tenant, clause, f"admits no offer{_because(clause)}", "admits_nobody", None))
        elif term.encoding == _TRUE and clause.facts and clause.origin != "default":
            found.append(_warning(tenant, clause, f"restricts nothing{_because(clause)}", "no_effect", None))
    return found


def _because(clause: Clause) -> str:
    empty = [name for name, value in clause.facts if value == ()]
    return f", because {empty[0]} is empty" if empty else ""


def _unknown_passes(tenant: Tenant, clause: Clause, category: str) -> Finding:
    what = f"lets offers pass whose {category} is unknown"
    hint = f"add `and not {category}_{UNKNOWN}`, or name what is allowed"
    return _warning(tenant, clause, what, "unknown_passes", hint)


def _warning(tenant: Tenant, clause: Clause, what: str, code: str, hint: str | None) -> Finding:
    whose = f"clause `{clause.id}`" if clause.rule_id is None else f"rule `{clause.rule_id}`"
    reason = f"tenant `{tenant.id}`, {whose}: `{clause.shown}` {what}"
    return Finding(reason, code, Place(tenant.source, None, None, clause.id), hint, "warning")


class _Names:
    """A vocabulary as a cache key: equal where it is the same object."""

    __slots__ = ("vocabulary",)

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Names) and other.vocabulary is self.vocabulary

    def __hash__(self) -> int:
        return id(self.vocabulary)


@lru_cache(maxsize=4_096)
def _odd(terms: tuple[Admitted, ...], names: _Names) -> bool:
    """Whether any of these clauses may be worth a warning."""
    return any(term.encoding in (_FALSE, _TRUE) or _stance(term, names).admits for term in terms)


@lru_cache(maxsize=4_096)
def _stance(term: Admitted, names: _Names) -> _Stance:
    """Try the clause on an offer of each known value, and on one of which nothing is known."""
    fields = names.vocabulary.fields
    mentioned = {known.category for name in _flags(term.normal) if (known := fields.get(name)) and known.category}
    admits: list[str] = []
    refuses: list[str] = []
    for category in sorted(mentioned):
        values = names.vocabulary.categories[category].values
        if UNKNOWN not in values:
            continue
        if _holds(term.normal, category, UNKNOWN, names.vocabulary) is False:
            refuses.append(category)
        elif f"{category}_{UNKNOWN}" not in _flags(term.normal) and any(
            _holds(term.normal, category, value, names.vocabulary) is False for value in values
        ):
            admits.append(category)
    return _Stance(tuple(admits), tuple(refuses))


def _flags(term: Sequence[Any]) -> set[str]:
    """The yes-or-no fields that a Pred looks at."""
    if term[0] == "is":
        return {term[1]}
    if term[0] in ("and", "or", "not"):
        return set[str]().union(*(_flags(part) for part in term[1:]))
    return set()


def _holds(term: Sequence[Any], category: str, value: str, vocabulary: Vocabulary) -> bool | None:
    """Whether the Pred holds for an offer of which one category's value alone is known; None: that does not decide."""
    op = term[0]
    if op == "is":
        known = vocabulary.fields[term[1]]
        return known.value == value if known.category == category else None
    if op in ("top", "bot"):
        return op == "top"
    if op not in ("and", "or", "not"):
        return None
    parts = [_holds(part, category, value, vocabulary) for part in term[1:]]
    if op == "not":
        return None if parts[0] is None else not parts[0]
    decisive = op == "or"
    if decisive in parts:
        return decisive
    return None if None in parts else not decisive


def check_benchmarks(rulebook: Rulebook, versions: Mapping[str, str]) -> tuple[Finding, ...]:
    """A warning for each benchmark that the rulebook pins to another version than the catalog has."""
    found: list[Finding] = []
    for name, pinned in rulebook.benchmarks.items():
        has = versions.get(name)
        if has != pinned:
            reason = f"the rules were written for `{name}` of {pinned}; the catalog has {has or 'no version of it'}"
            hint = "look at every floor again, then change the version under [benchmarks]"
            place = Place(rulebook.source, None, None, f"benchmarks.{name}")
            found.append(Finding(reason, "benchmark_version", place, hint, "warning"))
    return tuple(found)


def check_names(
    tenants: Iterable[Tenant], rulebook: Rulebook, values: Mapping[str, Sequence[str]]
) -> tuple[Finding, ...]:
    """A warning for each provider, model, ... that a tenant names and no offer has; `values` are the catalog's."""
    found: list[Finding] = []
    for tenant in tenants:
        for name, value in tenant.facts.items():
            of = rulebook.schema.fields[name].of if name in rulebook.schema.fields else None
            known = values.get(of) if of is not None else None
            if known is None:
                continue
            words = value if isinstance(value, tuple) else (value,) if isinstance(value, str) else ()
            for word in words:
                if word not in known:
                    place = Place(tenant.source, tenant.lines.get(name), None, f"facts.{name}")
                    reason = f"tenant `{tenant.id}`: no offer of the catalog has the {of} `{word}`"
                    found.append(Finding(reason, "unknown_value", place, suggestion(word, known), "warning"))
    return tuple(found)


def idle_rules(tenants: Sequence[Tenant], rulebook: Rulebook) -> tuple[Finding, ...]:
    """A warning for each enabled rule that applies to none of these tenants."""
    facts = [tenant.bindings() for tenant in tenants]
    found: list[Finding] = []
    for plan in rulebook.plans:
        rule = plan.rule
        if rule.id == DEFAULT_RULE or not rule.enabled or not tenants:
            continue
        if not any(not plan.condition.missing(each) and plan.condition.test(each) for each in facts):
            place = Place(rulebook.source, rule.line, None, rule.id)
            reason = f"rule `{rule.id}` applies to none of the {len(tenants)} tenants"
            found.append(Finding(reason, "idle_rule", place, None, "warning"))
    return tuple(found)
