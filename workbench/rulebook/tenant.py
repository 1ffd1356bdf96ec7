"""One tenant's state: the facts, the workload, and what is different for this tenant alone.

Fails closed on `no_log`: a tenant that does not say `no_log = false`, in those words, is one whose text is never kept.
Every other fact that does not fit its field is an error, and a fact that is not stated is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

from workbench.boundary.names import check_name
from workbench.errors import FileRefused, Finding, TenantError
from workbench.rulebook.reader import SLOTS, Slot
from workbench.rulebook.report import MAX_NOTE, RULE_ID, Path, Report, kind_of, listed, suggestion
from workbench.rulebook.rule import clause_source
from workbench.rulebook.schema import NO_LOG, Fact, FactRefused, TenantField, TenantSchema, read_fact

MAX_OVERRIDES: Final = 256
_KEYS: Final = ("id", "title", "note", "facts", "workload", "override")
_OVERRIDE_KEYS: Final = ("id", "rule", "index", "slot", "text", "off", "note", *SLOTS)
_MOST_TOKENS: Final = 1e12


@dataclass(frozen=True, slots=True)
class Workload:
    """What one run of the tenant's work costs in tokens."""

    tokens_in: float
    tokens_out: float
    runs_per_month: float | None = None


DEFAULT_WORKLOAD: Final = Workload(1_000, 500)
"""Where neither the tenant nor the workspace states one."""


@dataclass(frozen=True, slots=True)
class Override:
    """What is different for one tenant: another text for a rule's clause, that clause off, or a clause of its own."""

    id: str
    rule: str | None
    """The rule whose clause it replaces; None: a clause of the tenant's own."""
    index: int
    """Which of the rule's clauses in that slot, from 1."""
    slot: Slot
    text: str | None
    """The clause instead of the rule's, or the own one; None with `off`: the rule's clause, switched off."""
    off: bool = False
    note: str = ""

    @property
    def term(self) -> str | None:
        """The clause's text where it is spelled as a JSON term."""
        return self.text if self.text is not None and self.text.lstrip().startswith("[") else None


@dataclass(frozen=True, slots=True)
class Tenant:
    """One tenant."""

    id: str
    title: str
    facts: Mapping[str, Fact]
    """Stated facts and defaults by field; a field that is not here is unknown. `no_log` is always here."""
    workload: Workload
    overrides: tuple[Override, ...] = ()
    note: str = ""
    source: str = "<tenant>"
    findings: tuple[Finding, ...] = ()
    """Warnings; what is an error leaves no tenant."""
    lines: Mapping[str, int] = field(default_factory=dict[str, int], compare=False)
    """1-based lines in `source` where known: of facts and overrides by name and id, of the tables by `[facts]`."""

    @property
    def no_log(self) -> bool:
        """Whether no prompt and no answer may be kept; true unless the tenant says `no_log = false`."""
        return self.facts.get(NO_LOG) is not False

    def bindings(self) -> dict[str, Fact]:
        """Every value that a rule may ask for: the facts and the workload's numbers."""
        known = {**self.facts, NO_LOG: self.no_log}
        known["tokens_in"] = self.workload.tokens_in
        known["tokens_out"] = self.workload.tokens_out
        if self.workload.runs_per_month is not None:
            known["runs_per_month"] = self.workload.runs_per_month
        return known


def parse_tenant(
    document: Mapping[str, Any],
    *,
    source: str,
    text: str | None,
    schema: TenantSchema,
    file_id: str,
    workload: Workload | None = None,
) -> Tenant:
    """The tenant in `document`; `workload` is the workspace's own, for what the tenant does not state.

    `file_id` is the id of a tenant that does not state one. Raises `TenantError` with every finding.
    """
    report = Report(source, text)
    report.known_keys(document, _KEYS, (), "a tenant")
    for name in document:
        if name in schema.fields and name not in _KEYS:
            report.add(f"`{name}` stands outside [facts]", "misplaced", (name,), "move it below the line [facts]")
    tenant_id = _parse_id(document, file_id, report)
    facts = _parse_facts(document.get("facts"), schema, report)
    tenant = Tenant(
        tenant_id,
        report.text(document, "title", ()) or tenant_id,
        MappingProxyType(facts),
        parse_workload(document.get("workload"), ("workload",), report, workload or DEFAULT_WORKLOAD),
        _parse_overrides(document.get("override"), report),
        report.text(document, "note", (), limit=MAX_NOTE) or "",
        source,
    )
    if report.failed:
        raise TenantError(f"tenant `{tenant_id}` cannot be read", report.findings)
    return replace(tenant, findings=tuple(report.findings), lines=MappingProxyType(_lines(tenant, report)))


def _lines(tenant: Tenant, report: Report) -> dict[str, int]:
    places: dict[str, Path] = {"[facts]": ("facts",), "[workload]": ("workload",)}
    places.update({name: ("facts", name) for name in tenant.facts})
    places.update({known.id: ("override", place) for place, known in enumerate(tenant.overrides)})
    found = {name: report.line(path) for name, path in places.items()}
    return {name: line for name, line in found.items() if line is not None}


def _parse_id(document: Mapping[str, Any], file_id: str, report: Report) -> str:
    tenant_id = report.text(document, "id", ()) if "id" in document else file_id
    if tenant_id is None:
        return file_id
    try:
        return check_name(tenant_id, what="tenant id")
    except FileRefused as refused:
        for finding in refused.findings:
            report.add(finding.reason, "id", ("id",), finding.hint)
        return tenant_id


def _parse_facts(raw: object, schema: TenantSchema, report: Report) -> dict[str, Fact]:
    table = report.table({} if raw is None else raw, ("facts",))
    facts: dict[str, Fact] = {}
    for name in table:
        if name not in schema.fields:
            hint = suggestion(name, schema.fields) or f"the rulebook declares {listed(schema.fields)}"
            report.add(f"unknown field `{name}`", "unknown_field", ("facts", name), hint)
    for name, known in schema.fields.items():
        value = table.get(name)
        if name == NO_LOG:
            facts[name] = _parse_no_log(table, report)
        elif value is not None:
            _state(facts, known, value, report)
        elif known.default is not None:
            facts[name] = known.default
    return facts


def _state(facts: dict[str, Fact], known: TenantField, value: object, report: Report) -> None:
    try:
        facts[known.name] = read_fact(known, value)
    except FactRefused as refused:
        report.add(refused.reason, "fact", ("facts", known.name), refused.hint)


def _parse_no_log(table: Mapping[str, Any], report: Report) -> bool:
    value = table.get(NO_LOG)
    if isinstance(value, bool):
        return value
    reason = "is not stated" if value is None else f"is {kind_of(value)}, not true or false"
    path: Path = ("facts", NO_LOG) if NO_LOG in table else ("facts",)
    hint = "write no_log = true or no_log = false"
    report.add(f"`no_log` {reason}; the tenant is treated as no_log", "no_log", path, hint, severity="warning")
    return True


_WORKLOAD_KEYS: Final = ("tokens_in", "tokens_out", "runs_per_month")


def parse_workload(raw: object, path: Path, report: Report, default: Workload = DEFAULT_WORKLOAD) -> Workload:
    """The workload in a table; what it leaves out is the default's."""
    if raw is None:
        return default
    table = report.table(raw, path)
    report.known_keys(table, _WORKLOAD_KEYS, path, "a workload")
    runs = _tokens(table, "runs_per_month", path, report, default.runs_per_month)
    return Workload(
        _tokens(table, "tokens_in", path, report, default.tokens_in) or 0,
        _tokens(table, "tokens_out", path, report, default.tokens_out) or 0,
        runs,
    )


def _tokens(table: Mapping[str, Any], key: str, path: Path, report: Report, default: float | None) -> float | None:
    value = table.get(key)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float):
        report.add(f"`{key}` must be a number, found {kind_of(value)}", "type", (*path, key))
        return default
    if not 0 <= value <= _MOST_TOKENS:
        report.add(f"`{key}` must lie between 0 and {_MOST_TOKENS:g}", "limits", (*path, key))
        return default
    return value


def _parse_overrides(raw: object, report: Report) -> tuple[Override, ...]:
    found: list[Override] = []
    for path, table in report.tables(raw, ("override",), "overrides", MAX_OVERRIDES):
        override = _parse_override(table, path, report, len(found) + 1)
        if override is None:
            continue
        if any(other.id == override.id for other in found):
            report.add(f"two overrides have the id `{override.id}`", "duplicate", path, "give one another id")
            continue
        found.append(override)
    return tuple(found)


def _parse_override(table: Mapping[str, Any], path: Path, report: Report, number: int) -> Override | None:
    report.known_keys(table, _OVERRIDE_KEYS, path, "an override")
    rule = report.text(table, "rule", path)
    override_id = report.text(table, "id", path) or f"own-{number}"
    if not RULE_ID.match(override_id):
        hint = "use small letters, digits, - and _"
        report.add(f"`{override_id}` cannot be an override's id", "id", (*path, "id"), hint)
    slot = _override_slot(table, path, report)
    text = _override_text(table, path, report)
    off = report.flag(table, "off", path, False)
    if text is None and not (off and rule is not None):
        hint = 'add text = "..."' + (", or off = true" if rule is not None else "")
        report.add("an override says nothing", "empty_override", path, hint)
        return None
    index = table.get("index", 1)
    if isinstance(index, bool) or not isinstance(index, int) or index < 1:
        report.add("`index` must be a whole number from 1", "type", (*path, "index"))
        return None
    note = report.text(table, "note", path, limit=MAX_NOTE) or ""
    return None if slot is None else Override(override_id, rule, index, slot, text, off, note)


def _override_slot(table: Mapping[str, Any], path: Path, report: Report) -> Slot | None:
    named: list[Slot] = [slot for slot in SLOTS if slot in table]
    stated = report.text(table, "slot", path)
    if len(named) > 1 or (named and stated is not None and stated != named[0]):
        report.add("an override stands for more than one slot", "both", path, "write one [[override]] for each")
        return None
    if named:
        return named[0]
    if stated is None:
        return "filter"
    for slot in SLOTS:
        if slot == stated:
            return slot
    hint = suggestion(stated, SLOTS) or f"one of {', '.join(SLOTS)}"
    report.add(f"there is no slot `{stated}`", "slot", (*path, "slot"), hint)
    return None


def _override_text(table: Mapping[str, Any], path: Path, report: Report) -> str | None:
    keys = [key for key in ("text", *SLOTS) if key in table]
    if len(keys) > 1:
        report.add(f"`{keys[0]}` and `{keys[1]}` stand side by side", "both", path, "keep one of them")
    return clause_source(table[keys[0]], (*path, keys[0]), report) if keys else None
