"""A rulebook: what tenants consist of, the rules, and what holds where no rule says otherwise.

Immutable, and read when it is made: a `Rulebook` has no clause that does not parse. Editing gives another one and reads
only the rule that changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Final

from workbench.boundary.strict_json import canonical
from workbench.errors import Finding, Place, RulebookError
from workbench.language.vocabulary import Vocabulary
from workbench.rulebook.plan import Plan, read_rule
from workbench.rulebook.reader import SLOTS, ClauseReader, Slot
from workbench.rulebook.report import MAX_CLAUSE, MAX_NOTE, RULE_ID, Path, Report, shown_path
from workbench.rulebook.rule import (
    DEFAULT_RULE,
    MAX_CLAUSES,
    MAX_RULES,
    Rule,
    RuleClause,
    clause_path,
    parse_clauses,
    parse_rule,
)
from workbench.rulebook.schema import TenantSchema, parse_schema

_KEYS: Final = ("id", "title", "note", "benchmarks", "tenant", "defaults", "rule")
_DEFAULT_KEYS: Final = ("filter", "filters", *SLOTS[1:])

FALLBACKS: Final = (
    RuleClause("filter", "meets_req"),
    RuleClause("filter", "not disabled and not breaker_open"),
    RuleClause("filter", "price_in < 1000 and price_out < 1000"),
    RuleClause("rank", "cheapest by $tokens_in * price_in + $tokens_out * price_out"),
    RuleClause("select", "best first"),
    RuleClause("transform", "unchanged"),
    RuleClause("fallback", "otherwise: next"),
)
"""What holds for each slot that `[defaults]` leaves out.

An unknown price reads as infinite: one such survivor would make every known price equal under `normalize`.
"""


@dataclass(frozen=True)
class Rulebook:
    """A rulebook that has been read under one vocabulary."""

    id: str
    title: str
    schema: TenantSchema
    default_rule: Rule
    """The clauses of `[defaults]`, every slot filled, as a rule that applies to everyone."""
    rules: tuple[Rule, ...]
    benchmarks: Mapping[str, str]
    """The version of each benchmark field that the rules were written for: `bench_intelligence` -> `AA 4.1`."""
    note: str = ""
    source: str = "<rulebook>"
    vocabulary: Vocabulary = field(default_factory=Vocabulary, compare=False)
    reader: ClauseReader = field(default_factory=lambda: ClauseReader(Vocabulary()), compare=False, repr=False)
    plans: tuple[Plan, ...] = field(default=(), compare=False, repr=False)
    """The defaults' plan, then one per rule in their order."""
    compiled: dict[int, Any] = field(default_factory=dict[int, Any], init=False, compare=False, repr=False)
    """What `compile_policy` gave, by the tenant's object; an edited rulebook starts without it."""

    @property
    def defaults(self) -> Mapping[str, str]:
        """The text in force for each slot that no rule sets; of the filters, the first."""
        found: dict[str, str] = {}
        for clause in self.default_rule.clauses:
            found.setdefault(clause.slot, clause.text)
        return found

    @cached_property
    def by_id(self) -> Mapping[str, Rule]:
        """Rules by id, the defaults under `default`."""
        return {rule.id: rule for rule in (self.default_rule, *self.rules)}

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the canonical JSON of what the rulebook says, whatever its file looks like."""
        return sha256(canonical(document(self))).hexdigest()


def document(rulebook: Rulebook) -> dict[str, Any]:
    """What the rulebook says as one JSON value, for hashing and for keeping."""
    fields = {
        known.name: {
            "kind": known.kind, "values": list(known.values), "meaning": known.meaning, "unit": known.unit,
            "of": known.of, "default": known.default, "min": known.minimum, "max": known.maximum,
        }
        for known in rulebook.schema.fields.values()
    }  # fmt: skip
    return {
        "id": rulebook.id,
        "title": rulebook.title,
        "note": rulebook.note,
        "benchmarks": dict(rulebook.benchmarks),
        "tenant": fields,
        "defaults": _rule_document(rulebook.default_rule),
        "rule": [_rule_document(rule) for rule in rulebook.rules],
    }


def _rule_document(rule: Rule) -> dict[str, Any]:
    clauses = [{"slot": clause.slot, "text": clause.text, "enabled": clause.enabled} for clause in rule.clauses]
    return {
        "id": rule.id, "title": rule.title, "when": rule.when, "clauses": clauses,
        "overrides": rule.overrides, "enabled": rule.enabled, "note": rule.note,
    }  # fmt: skip


def parse_rulebook(document: Mapping[str, Any], *, source: str, text: str | None, vocabulary: Vocabulary) -> Rulebook:
    """The rulebook in `document`, every clause tried under `vocabulary`. Raises `RulebookError` with every finding."""
    report = Report(source, text)
    report.known_keys(document, _KEYS, (), "a rulebook")
    rulebook_id = report.text(document, "id", ()) or "rulebook"
    if not RULE_ID.match(rulebook_id):
        report.add(f"`{rulebook_id}` cannot be a rulebook's id", "id", ("id",), "use small letters, digits, - and _")
    schema = parse_schema(document.get("tenant"), report)
    reader = ClauseReader(vocabulary)
    default_rule, default_table = _parse_defaults(document.get("defaults"), report)
    plans = [_read(default_rule, default_table, ("defaults",), schema, reader, report)]
    for path, table in report.tables(document.get("rule"), ("rule",), "rules", MAX_RULES):
        rule = parse_rule(table, path, report)
        if rule is None:
            continue
        if any(plan.rule.id == rule.id for plan in plans):
            report.add(f"two rules have the id `{rule.id}`", "duplicate", (*path, "id"), "give one another id")
        plans.append(_read(rule, table, path, schema, reader, report))
    benchmarks = _parse_benchmarks(document.get("benchmarks"), vocabulary, report)
    if not document:
        report.add("the rulebook is empty", "empty", (), "declare [tenant.FIELD] tables and [[rule]] tables")
    title = report.text(document, "title", ()) or rulebook_id
    note = report.text(document, "note", (), limit=MAX_NOTE) or ""
    if report.failed:
        raise RulebookError(f"rulebook `{source}` cannot be read", report.findings)
    rules = tuple(plan.rule for plan in plans[1:])
    return Rulebook(
        rulebook_id, title, schema, default_rule, rules, MappingProxyType(benchmarks), note, source, vocabulary, reader,
        tuple(plans),
    )  # fmt: skip


def _parse_defaults(raw: object, report: Report) -> tuple[Rule, Mapping[str, Any]]:
    table = report.table({} if raw is None else raw, ("defaults",))
    report.known_keys(table, _DEFAULT_KEYS, ("defaults",), "[defaults]")
    clauses = list(parse_clauses(table, ("defaults",), report))
    stated = {clause.slot for clause in clauses}
    if "filters" in table or "filter" in table:
        stated.add("filter")
    clauses += [clause for clause in FALLBACKS if clause.slot not in stated]
    clauses.sort(key=lambda clause: SLOTS.index(clause.slot))
    return Rule(DEFAULT_RULE, "Default", "", tuple(clauses), line=report.line(("defaults",))), table


def _parse_benchmarks(raw: object, vocabulary: Vocabulary, report: Report) -> dict[str, str]:
    table = report.table({} if raw is None else raw, ("benchmarks",))
    known = sorted(name for name in vocabulary.numbers if name.startswith("bench_"))
    report.known_keys(table, known, ("benchmarks",), "[benchmarks]")
    return {name: report.text(table, name, ("benchmarks",)) or "" for name in table}


def _read(
    rule: Rule, table: Mapping[str, Any], path: Path, schema: TenantSchema, reader: ClauseReader, report: Report
) -> Plan:
    """The plan of a rule that stands in a document, its problems placed there."""

    def note(part: str | int, finding: Finding, column: int | None) -> None:
        where = ("when",) if isinstance(part, str) else _clause_place(rule, part, table)
        report.add(_about(rule, finding), finding.code, (*path, *where), finding.hint, column=column)

    return read_rule(rule, schema, reader, note)


def _clause_place(rule: Rule, place: int, table: Mapping[str, Any]) -> Path:
    slot = rule.clauses[place].slot
    index = sum(clause.slot == slot for clause in rule.clauses[: place + 1])
    return clause_path(table, slot, index)


def _about(rule: Rule, finding: Finding) -> str:
    inside = f" at {finding.place.path}" if finding.place.path and finding.place.path != "$" else ""
    who = "[defaults]" if rule.id == DEFAULT_RULE else f"rule `{rule.id}`"
    return f"{who}: {finding.reason}{inside}"


def read_one(rulebook: Rulebook, rule: Rule) -> Plan:
    """The plan of one rule under the rulebook's schema and vocabulary. Raises `RulebookError` with every finding.

    A finding's path is `RULE.when` or the clause's place, its column an offset into that text.
    """
    findings: list[Finding] = []

    def note(part: str | int, finding: Finding, column: int | None) -> None:
        where = shown_path((rule.id, "when") if isinstance(part, str) else (rule.id, rule.clauses[part].slot, part))
        place = Place(rulebook.source, rule.line, column, where)
        findings.append(Finding(_about(rule, finding), finding.code, place, finding.hint))

    if len(rule.clauses) > MAX_CLAUSES or any(len(clause.text) > MAX_CLAUSE for clause in rule.clauses):
        reason = f"rule `{rule.id}` has more than {MAX_CLAUSES} clauses, or one of more than {MAX_CLAUSE} characters"
        raise RulebookError("a rule is too long", [Finding(reason, "limit", Place(rulebook.source, rule.line))])
    plan = read_rule(rule, rulebook.schema, rulebook.reader, note)
    if findings:
        raise RulebookError(f"rule `{rule.id}` cannot be read", findings)
    return plan


def with_rule(rulebook: Rulebook, rule: Rule, *, at: int | None = None) -> Rulebook:
    """The rulebook with this rule in place of the one of its id, else added (at position `at`, else at the end).

    The id `default` replaces the defaults. Only this rule is read. Raises `RulebookError` with every finding.
    """
    if rule.id != DEFAULT_RULE and not RULE_ID.match(rule.id):
        finding = Finding(f"`{rule.id}` cannot be a rule's id", "id", Place(rulebook.source))
        raise RulebookError("a rule has no usable id", [finding])
    plan = read_one(rulebook, rule)
    plans = list(rulebook.plans)
    place = next((k for k, known in enumerate(plans) if known.rule.id == rule.id), None)
    if place is not None:
        plans[place] = plan
    elif len(plans) > MAX_RULES:
        finding = Finding(f"a rulebook has at most {MAX_RULES} rules", "limit", Place(rulebook.source))
        raise RulebookError("a rule too many", [finding])
    else:
        plans.insert(len(plans) if at is None else at + 1, plan)
    return _with_plans(rulebook, plans)


def without_rule(rulebook: Rulebook, rule_id: str) -> Rulebook:
    """The rulebook without the rule of that id; the defaults cannot be taken out."""
    return _with_plans(rulebook, [p for p in rulebook.plans if p.rule.id != rule_id or rule_id == DEFAULT_RULE])


def reordered(rulebook: Rulebook, rule_ids: Sequence[str]) -> Rulebook:
    """The rulebook with its rules in this order. Raises `ValueError` where it is not the same set of ids."""
    plans = {plan.rule.id: plan for plan in rulebook.plans[1:]}
    if sorted(plans) != sorted(rule_ids):
        raise ValueError("not the same rules")
    return _with_plans(rulebook, [rulebook.plans[0], *(plans[rule_id] for rule_id in rule_ids)])


def with_clause_text(rule: Rule, slot: Slot, index: int, text: str) -> Rule:
    """The rule with another text for its 1-based `index`-th clause of `slot`. Raises `IndexError` where it has none."""
    places = [place for place, clause in enumerate(rule.clauses) if clause.slot == slot]
    clauses = list(rule.clauses)
    clauses[places[index - 1]] = replace(clauses[places[index - 1]], text=text)
    return replace(rule, clauses=tuple(clauses))


def under(rulebook: Rulebook, vocabulary: Vocabulary) -> Rulebook:
    """The rulebook read anew under another catalog's vocabulary. Raises `RulebookError` with every finding."""
    bare = replace(rulebook, vocabulary=vocabulary, reader=ClauseReader(vocabulary), plans=())
    findings: list[Finding] = []
    plans: list[Plan] = []
    for rule in (rulebook.default_rule, *rulebook.rules):
        try:
            plans.append(read_one(bare, rule))
        except RulebookError as error:
            findings.extend(error.findings)
    if findings:
        raise RulebookError(f"rulebook `{rulebook.source}` cannot be read under this catalog", findings)
    return replace(bare, plans=tuple(plans))


def _with_plans(rulebook: Rulebook, plans: Sequence[Plan]) -> Rulebook:
    return replace(
        rulebook, default_rule=plans[0].rule, rules=tuple(plan.rule for plan in plans[1:]), plans=tuple(plans)
    )
