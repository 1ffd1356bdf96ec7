"""What a person asked of a fleet, made into a source and a plan: the same for the command and for the screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workbench.errors import Finding, Place, UsageError
from workbench.rulebook.schema import WORKLOAD_FIELDS, FactRefused, TenantField, read_fact
from workbench.session.settings import FleetSettings
from workbench.session.state import WorkspaceState
from workbench.session.workspace import Workspace, default_workload
from workbench.whatif.changes import fact_of, read_clauses, with_clause
from workbench.whatif.differ.sources import read_sides
from workbench.whatif.fleet.plan import ColumnMap, FleetPlan, map_columns
from workbench.whatif.fleet.side import Side
from workbench.whatif.fleet.sources.base import Source
from workbench.whatif.fleet.sources.opening import open_source


@dataclass(frozen=True, slots=True)
class Supposed:
    """What is supposed to be different."""

    rules: tuple[str, ...] = ()
    """`CLAUSE=TEXT` each."""
    off: tuple[str, ...] = ()
    """Clauses that are switched off."""
    facts: tuple[str, ...] = ()
    """`FACT=VALUE` each, for every tenant."""
    down: tuple[str, ...] = ()
    """Providers."""
    against: str | None = None
    """A workspace, a rulebook file, a catalog, a git revision: what the workspace here is measured against."""

    def __bool__(self) -> bool:
        return bool(self.rules or self.off or self.facts or self.down or self.against)


def plan_for(
    source: Source, workspace: Workspace, settings: FleetSettings, supposed: Supposed, state: WorkspaceState
) -> FleetPlan:
    """The plan for a source under `state`, which may hold edits that are not saved.

    Raises `UsageError` with every column that fits no field, or what else was asked for and can't be.
    """
    before, after = sides(workspace, state, supposed)
    mapping = ColumnMap(settings.map, settings.ignore, settings.id, settings.lists)
    columns = source.adjusted(map_columns(source.columns, mapping, after, source.form, source.name))
    by = settings.by or default_by(state)
    return FleetPlan(columns, after, before, by, default_workload(workspace.settings))


def open_fleet(settings: FleetSettings, place: str | None, kind: str | None = None) -> Source:
    """The source at `place`, else the one that the workspace names. Raises `UsageError` where there is none."""
    where = place or settings.source
    if where is None:
        hint = 'name a file or a database, or write `[fleet]` and `source = "..."` into workbench.toml'
        raise UsageError("no source of tenants is named", [Finding("`SOURCE` is missing", "no_source", Place(), hint)])
    return open_source(where, table=settings.table, query=settings.query, kind=kind)


def default_by(state: WorkspaceState) -> tuple[str, ...]:
    """The first choice of the rulebook, where it has one."""
    return tuple(name for name, known in state.rulebook.schema.fields.items() if known.kind == "choice")[:1]


def sides(workspace: Workspace, state: WorkspaceState, supposed: Supposed) -> tuple[Side | None, Side]:
    """The world before, where anything is supposed, and the world after."""
    here = Side.of(state)
    before = here
    if supposed.against is not None:
        before = Side.of(read_sides(supposed.against, None, workspace)[0].state)
    rulebook = state.rulebook
    for clause in read_clauses(supposed.rules, supposed.off):
        rulebook = with_clause(rulebook, clause)
    after = here if rulebook is state.rulebook else Side.of(state.with_rulebook(rulebook))
    if supposed.down:
        after = after.without(frozenset(supposed.down))
    if supposed.facts:
        after = after.supposing(facts_for_all(supposed.facts, state))
    return (before if supposed else None), after


def facts_for_all(words: Sequence[str], state: WorkspaceState) -> dict[str, Any]:
    """Raw facts from `FACT=VALUE` words. Raises `UsageError` with every word that is none."""
    found: dict[str, Any] = {}
    findings: list[Finding] = []
    for word in words:
        name, sign, value = word.partition("=")
        declared = state.rulebook.schema.fields.get(name)
        if name in WORKLOAD_FIELDS:
            declared = TenantField(name, "number", minimum=0, maximum=1e12)
        if not sign or declared is None:
            known = ", ".join((*state.rulebook.schema.fields, *WORKLOAD_FIELDS))
            findings.append(Finding(f"`{word}` sets no fact", "usage", Place(), f"write FACT=VALUE; facts: {known}"))
            continue
        fact = None if value == "" else fact_of(name, declared, value)
        raw = list(fact) if isinstance(fact, tuple) else fact
        try:
            if raw is not None:
                read_fact(declared, raw)
        except FactRefused as refused:
            findings.append(Finding(refused.reason, "fact", Place(), refused.hint))
        found[name] = raw
    if findings:
        raise UsageError("the facts can't be set", findings)
    return found
