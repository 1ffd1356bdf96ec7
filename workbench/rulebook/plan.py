"""A rule that has been read: its condition understood, its clauses tried out, ready to be asked about any tenant.

Reading a rule finds what is wrong with it without any tenant: unknown fields, text that does not parse, `$names` that
no tenant can have. What it gives a tenant is remembered by the values that it looks at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from workbench.errors import AdmissionError, ClauseError, DocumentError, Finding
from workbench.language.clause_text import binding_names
from workbench.rulebook.clause import Clause
from workbench.rulebook.condition import ALWAYS, Condition, Facts, read_condition
from workbench.rulebook.reader import MEMORY, ClauseReader, Reading, Slot
from workbench.rulebook.rule import DEFAULT_RULE, Rule, RuleClause, clause_id
from workbench.rulebook.schema import Fact, TenantField, TenantSchema

Values = tuple[Fact | None, ...]
ClauseProblem = AdmissionError | DocumentError
"""What reading a clause's text may raise."""


class Problems(Protocol):
    """Takes what is wrong with a rule: the part of it (`when`, or a clause by its place), the finding, its column."""

    def __call__(self, part: str | int, finding: Finding, column: int | None) -> None: ...


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """One rule, read under one vocabulary."""

    rule: Rule
    condition: Condition
    names: tuple[tuple[str, ...], ...]
    """The `$names` of each clause."""
    needs: tuple[str, ...]
    """Every tenant field it looks at, those of `when` first."""
    made: dict[Values, tuple[Clause, ...]] = field(default_factory=dict[Values, "tuple[Clause, ...]"])
    """What it gave for the values of `needs`."""

    def clauses(self, facts: Facts, reader: ClauseReader) -> tuple[Clause, ...] | None:
        """What the rule adds for a tenant with `facts`: nothing where it does not apply, None where facts are missing.

        A disabled rule misses nothing. Raises `AdmissionError` where a value does not fit its clause.
        """
        key = tuple(map(facts.get, self.needs))
        known = self.made.get(key)
        if known is not None:
            return known
        if self.rule.enabled:
            if self.missing(facts):
                return None
        elif self.condition.missing(facts):
            return ()
        known = self._make(facts, reader) if self.condition.test(facts) else ()
        if len(self.made) >= MEMORY:
            self.made.clear()
        self.made[key] = known
        return known

    def missing(self, facts: Facts) -> tuple[tuple[str, str], ...]:
        """The fields that this tenant must state and does not, each with what names it: `when`, or a clause's text.

        A `$name` counts only where the rule applies; a field in `when` always does.
        """
        lacking = self.condition.missing(facts)
        if lacking:
            return tuple((name, "when") for name in lacking)
        if not self.condition.test(facts):
            return ()
        found: dict[str, str] = {}
        for clause, names in zip(self.rule.clauses, self.names, strict=True):
            if clause.enabled:
                found.update({name: clause.text for name in names if name not in facts and name not in found})
        return tuple(found.items())

    def _make(self, facts: Facts, reader: ClauseReader) -> tuple[Clause, ...]:
        made: list[Clause] = []
        counts: dict[str, int] = {}
        for place, (clause, names) in enumerate(zip(self.rule.clauses, self.names, strict=True)):
            counts[clause.slot] = counts.get(clause.slot, 0) + 1
            enabled = clause.enabled and self.rule.enabled
            reading = _reading(reader, clause, names, facts) if enabled else None
            made.append(self._clause(clause, place, counts[clause.slot], names, facts, reading, reader))
            if reading is not None and reading.scorer is not None:
                made.append(_ranking(made[-1], reading))
        return tuple(made)

    def _clause(
        self,
        clause: RuleClause,
        place: int,
        index: int,
        names: tuple[str, ...],
        facts: Facts,
        reading: Reading | None,
        reader: ClauseReader,
    ) -> Clause:
        rule = self.rule
        behind = dict.fromkeys((*self.condition.fields, *names))
        return Clause(
            clause_id(rule.id, clause.slot, index),
            clause.slot,
            clause.text,
            shown_off(reader, clause.slot, clause.text, facts) if reading is None else reading.shown,
            None if reading is None else reading.term,
            rule.id,
            rule.title,
            tuple((name, facts[name]) for name in behind if name in facts),
            "default" if rule.id == DEFAULT_RULE else "rule",
            reading is not None,
            None,
            index,
            place,
        )


def _reading(reader: ClauseReader, clause: RuleClause, names: tuple[str, ...], facts: Facts) -> Reading:
    return reader.read(clause.slot, clause.text, {name: facts[name] for name in names})


def shown_off(reader: ClauseReader, slot: Slot, text: str, facts: Facts) -> str:
    """A clause that is switched off, as it would be shown; its text where it can't be read for this tenant."""
    try:
        return reader.read(slot, text, {name: facts[name] for name in binding_names(text)}).shown
    except (AdmissionError, DocumentError, KeyError):
        return text


def _ranking(select: Clause, reading: Reading) -> Clause:
    """The ranking that a `select` brings along, as a clause of its own."""
    scorer = reading.scorer
    shown = reading.ranking_shown
    return Clause(
        f"{select.id}.rank", "rank", select.text, shown, scorer, select.rule_id, select.rule_title, select.facts,
        select.origin, True, None, select.index, select.place,
    )  # fmt: skip


def read_rule(rule: Rule, schema: TenantSchema, reader: ClauseReader, problems: Problems) -> Plan:
    """The plan of `rule`. What is wrong with it goes to `problems`, and such a plan is not to be used."""
    condition = ALWAYS
    try:
        condition = read_condition(rule.when, schema)
    except AdmissionError as error:
        _tell(problems, "when", error)
    names: list[tuple[str, ...]] = []
    for place, clause in enumerate(rule.clauses):
        try:
            names.append(trial(clause, schema, reader).names)
        except (AdmissionError, DocumentError) as error:
            _tell(problems, place, error)
            names.append(())
    needs = dict.fromkeys((*condition.fields, *(name for each in names for name in each)))
    return Plan(rule, condition, tuple(names), tuple(needs))


def _tell(problems: Problems, part: str | int, error: ClauseProblem) -> None:
    column = error.column if isinstance(error, ClauseError) else None
    findings = error.findings or (Finding(error.title, "clause"),)
    for finding in findings:
        problems(part, finding, finding.place.column if column is None else column)


def trial(clause: RuleClause, schema: TenantSchema, reader: ClauseReader) -> Reading:
    """The clause as some tenant might have it. Raises the first problem where no tenant could have it."""
    if "$" not in clause.text:
        return reader.read(clause.slot, clause.text, {})
    problem: ClauseProblem | None = None
    for samples in _samples(schema):
        try:
            return reader.read(clause.slot, clause.text, samples)
        except (AdmissionError, DocumentError) as error:
            problem = problem or error
    raise problem or AdmissionError("a clause cannot be tried", [Finding("there are no values to try", "schema")])


_ROUNDS: Final = 32
"""Most combinations of values that a clause is tried with."""


def _samples(schema: TenantSchema) -> list[Mapping[str, Fact]]:
    """Values that a tenant could have: round k takes every choice's k-th value."""
    rounds = max([1, *(len(known.values) for known in schema.fields.values() if known.kind == "choice")])
    return [_sample(schema, k) for k in range(min(rounds, _ROUNDS))]


def _sample(schema: TenantSchema, k: int) -> Mapping[str, Fact]:
    values: dict[str, Fact] = {name: _sample_value(known, k) for name, known in schema.fields.items()}
    return {**values, "tokens_in": 1_000.0, "tokens_out": 500.0, "runs_per_month": 1_000.0}


def _sample_value(known: TenantField, k: int) -> Fact:
    if known.kind == "choice":
        return known.values[k % len(known.values)]
    if known.kind == "flag":
        return True
    if known.kind == "number":
        return known.minimum if known.minimum is not None else 0.5
    word = known.values[k % len(known.values)] if known.values else f"some-{known.of or 'name'}"
    return (word,) if known.kind == "list" else word
