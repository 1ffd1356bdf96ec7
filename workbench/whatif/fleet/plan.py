"""What a fleet run does, as a value: which column is which fact, under which world, measured against which other.

A plan can be sent to another process; equal plans give equal results there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from workbench.errors import Finding, Place, UsageError
from workbench.rulebook.report import listed, suggestion
from workbench.rulebook.schema import WORKLOAD_FIELDS
from workbench.rulebook.tenant import DEFAULT_WORKLOAD, Workload
from workbench.whatif.fleet.side import Side

ID: Final = "id"
WORDS: Final = ("title", "note")
"""Entries of a tenant that are read and checked, and decide nothing."""

Form = Literal["typed", "text"]
JSON: Final = "json"
"""The separator that means: a list is a JSON array."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a source and the tenant field it holds."""

    name: str
    field: str
    """`id`, `title`, `note`, a fact, `tokens_in`, `tokens_out` or `runs_per_month`."""
    form: Form = "typed"
    """`text`: every value is text and read by the field's kind (CSV); `typed`: values have types of their own."""
    separator: str | None = None
    """What stands between the entries of a list that is text: some letters, or `json`; None: such text is no list."""


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """Everything that `decide_batch` needs beside the tenants."""

    columns: tuple[Column, ...]
    after: Side
    """What is decided."""
    before: Side | None = None
    """What it is measured against; None: nothing."""
    by: tuple[str, ...] = ()
    """The facts whose values make a tenant's segment."""
    workload: Workload = DEFAULT_WORKLOAD
    """For what a tenant does not state."""

    def __post_init__(self) -> None:
        known = {name for name, field in self.after.rulebook.schema.fields.items() if field.kind != "list"}
        for name in self.by:
            if name not in known:
                hint = suggestion(name, known) or f"segments go by {listed(sorted(known))}"
                reason = f"tenants can't be told apart by `{name}`"
                raise UsageError("no such segment", [Finding(reason, "unknown_field", Place(), hint)])

    @property
    def sides(self) -> tuple[Side, ...]:
        """The world before where there is one, and the world after."""
        return (self.after,) if self.before is None else (self.before, self.after)

    @property
    def reads(self) -> frozenset[str]:
        """Every field that a decision on any side, or a segment, may depend on."""
        return frozenset(self.by).union(*(side.reads for side in self.sides))


def tenant_fields(side: Side) -> tuple[str, ...]:
    """What a column may hold."""
    return (ID, *side.rulebook.schema.fields, *WORKLOAD_FIELDS, *WORDS)


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """What a person said about columns."""

    fields: tuple[tuple[str, str], ...] = ()
    """Field and column: `("plan", "tier_name")`."""
    ignored: tuple[str, ...] = ()
    id_column: str | None = None
    separator: str | None = None


def map_columns(names: Sequence[str], mapping: ColumnMap, side: Side, form: Form, source: str) -> tuple[Column, ...]:
    """Which column holds which field. Raises `UsageError` with every column that fits none, and every other fault."""
    known = tenant_fields(side)
    stated = dict(mapping.fields)
    if mapping.id_column is not None:
        stated[ID] = mapping.id_column
    findings = [*_faults_of(names, mapping, stated, known, source)]
    taken = {column: field for field, column in stated.items()}
    columns: list[Column] = []
    for name in names:
        if name in mapping.ignored:
            continue
        field = taken.get(name, name if name in known and name not in stated else None)
        if field is None:
            hint = suggestion(name, known)
            way = f"write --map FIELD={name}, or --ignore {name}"
            findings.append(_fault(f"column `{name}` is no tenant field", "unknown_column", source, _or(hint, way)))
            continue
        columns.append(Column(name, field, form, mapping.separator))
    if not any(column.field == ID for column in columns):
        findings.append(_fault("no column holds the tenants' ids", "no_id", source, "name it with --id COLUMN"))
    findings += _lists_without(columns, side, form, mapping, source)
    if findings:
        raise UsageError("the columns can't be read as tenants", findings)
    return tuple(columns)


def _or(hint: str | None, way: str) -> str:
    return way if hint is None else f"{hint} {way}"


def _fault(reason: str, code: str, source: str, hint: str | None) -> Finding:
    return Finding(reason, code, Place(source), hint)


def _faults_of(
    names: Sequence[str], mapping: ColumnMap, stated: dict[str, str], known: Iterable[str], source: str
) -> Iterable[Finding]:
    """What is wrong with the mapping itself: fields and columns that are not there, or twice."""
    fields = tuple(known)
    for field, column in stated.items():
        if field not in fields:
            hint = suggestion(field, fields) or f"tenant fields: {listed(fields, 24)}"
            yield _fault(f"`{field}` is no tenant field", "unknown_field", source, hint)
        if column not in names:
            hint = suggestion(column, names) or f"there are {listed(names)}"
            yield _fault(f"there is no column `{column}` for `{field}`", "unknown_column", source, hint)
    for column in mapping.ignored:
        if column not in names:
            hint = suggestion(column, names) or f"there are {listed(names)}"
            yield _fault(f"there is no column `{column}` to ignore", "unknown_column", source, hint)
    columns = list(stated.values())
    for column in dict.fromkeys(columns):
        if columns.count(column) > 1 or column in mapping.ignored:
            yield _fault(f"column `{column}` is asked for twice", "duplicate", source, "name it once")
    for name in dict.fromkeys(names):
        if list(names).count(name) > 1:
            yield _fault(f"two columns are called `{name}`", "duplicate", source, "rename one of them")


def _lists_without(
    columns: Sequence[Column], side: Side, form: Form, mapping: ColumnMap, source: str
) -> Iterable[Finding]:
    if form == "typed" or mapping.separator is not None:
        return
    for column in columns:
        field = side.rulebook.schema.fields.get(column.field)
        if field is not None and field.kind == "list":
            hint = "write --lists ';' (what stands between entries), or --lists json"
            yield _fault(f"column `{column.name}` holds lists, and nothing says how", "no_separator", source, hint)
