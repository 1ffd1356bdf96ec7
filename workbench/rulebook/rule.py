"""One rule as the rulebook states it: whom it applies to, and the clauses it adds.

Owns the shape of a rule in a document and nothing about its meaning: `plan.py` reads the clauses themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from workbench.boundary.strict_json import dumps
from workbench.errors import DocumentError
from workbench.rulebook.reader import SLOTS, Slot
from workbench.rulebook.report import MAX_CLAUSE, MAX_NOTE, RULE_ID, Path, Report, kind_of

DEFAULT_RULE: Final = "default"
"""The id under which the rulebook's `[defaults]` stand."""
MAX_RULES: Final = 1_000
MAX_CLAUSES: Final = 64
"""Most clauses that one rule may add."""

_KEYS: Final = ("id", "title", "when", "filter", "filters", *SLOTS[1:], "overrides", "enabled", "note")
_RESERVED: Final = (DEFAULT_RULE, "own", "envelope")


@dataclass(frozen=True, slots=True)
class RuleClause:
    """One clause of a rule, as written."""

    slot: Slot
    text: str
    """Clause text, or a JSON term (it begins with `[`)."""
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a rulebook."""

    id: str
    title: str
    when: str
    """The condition over tenant fields; empty: every tenant."""
    clauses: tuple[RuleClause, ...]
    """Filters first, in the order written, then rank, select, transform, fallback."""
    overrides: bool = False
    """Whether it may replace a slot that another rule set."""
    enabled: bool = True
    note: str = ""
    line: int | None = field(default=None, compare=False)


def clause_position(clauses: tuple[RuleClause, ...], slot: str, index: int) -> int | None:
    """Where in `clauses` the 1-based `index`-th clause of `slot` stands."""
    places = [place for place, clause in enumerate(clauses) if clause.slot == slot]
    return places[index - 1] if 1 <= index <= len(places) else None


def clause_id(rule_id: str, slot: str, index: int) -> str:
    """`RULE` for a rule's first filter, `RULE.2` for its second, `RULE.rank` for what it puts in a slot."""
    if slot != "filter":
        return f"{rule_id}.{slot}"
    return rule_id if index == 1 else f"{rule_id}.{index}"


def parse_rule(table: Mapping[str, Any], path: Path, report: Report) -> Rule | None:
    """The rule in `table`; None where its id is not one. What else is wrong goes to `report`."""
    rule_id = report.text(table, "id", path)
    if rule_id is None:
        if "id" not in table:
            report.add("a rule has no id", "id", path, 'add id = "short-name"')
        return None
    report.known_keys(table, _KEYS, path, f"rule `{rule_id}`")
    if not RULE_ID.match(rule_id) or rule_id in _RESERVED or rule_id.startswith("own-"):
        hint = "use small letters, digits, - and _; `default`, `own` and `envelope` are taken"
        report.add(f"`{rule_id}` cannot be a rule's id", "id", (*path, "id"), hint)
        return None
    clauses = parse_clauses(table, path, report)
    if not clauses:
        hint = "add filter, rank, select, transform or fallback"
        report.add(f"rule `{rule_id}` adds nothing", "empty_rule", path, hint)
    return Rule(
        rule_id,
        report.text(table, "title", path) or rule_id,
        report.text(table, "when", path, limit=MAX_CLAUSE) or "",
        clauses,
        report.flag(table, "overrides", path, False),
        report.flag(table, "enabled", path, True),
        report.text(table, "note", path, limit=MAX_NOTE) or "",
        report.line(path),
    )


def clause_path(table: Mapping[str, Any], clause_slot: str, index: int) -> Path:
    """Where in a rule's table the 1-based `index`-th clause of a slot is written."""
    return ("filters", index - 1) if clause_slot == "filter" and "filters" in table else (clause_slot,)


def parse_clauses(table: Mapping[str, Any], path: Path, report: Report) -> tuple[RuleClause, ...]:
    """The clauses under `filter` or `filters`, `rank`, `select`, `transform` and `fallback`."""
    clauses: list[RuleClause | None] = []
    if "filters" in table:
        clauses += _parse_filters(table, path, report)
    for slot in SLOTS:
        if slot in table:
            clauses.append(parse_clause(slot, table[slot], (*path, slot), report))
    if len(clauses) > MAX_CLAUSES:
        report.add(f"{len(clauses)} clauses are too many; the most is {MAX_CLAUSES}", "limit", path)
    return tuple(clause for clause in clauses[:MAX_CLAUSES] if clause is not None)


def _parse_filters(table: Mapping[str, Any], path: Path, report: Report) -> list[RuleClause | None]:
    raw = table["filters"]
    here = (*path, "filters")
    if "filter" in table:
        report.add("`filter` and `filters` stand side by side", "both", here, "put every clause into `filters`")
        return []
    if not isinstance(raw, list):
        reason = f"`filters` must be a list of clauses, found {kind_of(raw)}"
        report.add(reason, "type", here, "for one, write `filter`")
        return []
    entries = cast("list[Any]", raw)
    return [parse_clause("filter", entry, (*here, place), report) for place, entry in enumerate(entries)]


def parse_clause(slot: Slot, value: object, path: Path, report: Report) -> RuleClause | None:
    """One clause: a text, a JSON term, or a table of `text` and `enabled`."""
    enabled = True
    if isinstance(value, dict):
        table = cast("dict[str, Any]", value)
        report.known_keys(table, ("text", "enabled"), path, "a clause")
        enabled = report.flag(table, "enabled", path, True)
        value, path = table.get("text"), (*path, "text")
    text = clause_source(value, path, report)
    return None if text is None else RuleClause(slot, text, enabled)


def clause_source(value: object, path: Path, report: Report) -> str | None:
    """A clause's text: the text itself, or a term's JSON; None, with a finding, for anything else."""
    if isinstance(value, list):
        return _term_text(cast("list[Any]", value), path, report)
    if not isinstance(value, str):
        hint = 'write clause text such as "no_log", or a term such as ["is", "no_log"]'
        report.add(f"a clause must be a text or a term, found {kind_of(value)}", "type", path, hint)
        return None
    if not value.strip():
        report.add("a clause is empty", "empty_clause", path)
        return None
    if len(value) > MAX_CLAUSE:
        report.add(f"a clause has {len(value)} characters; the most is {MAX_CLAUSE}", "limit", path)
        return None
    return value


def _term_text(term: list[Any], path: Path, report: Report) -> str | None:
    try:
        text = dumps(term)
    except (DocumentError, ValueError, TypeError):
        report.add("a term holds something that JSON cannot say", "term", path, "use texts, finite numbers and lists")
        return None
    if len(text) > MAX_CLAUSE:
        report.add(f"a term has {len(text)} characters; the most is {MAX_CLAUSE}", "limit", path)
        return None
    return text
