"""Tenants as rows and as documents, and what the workspace itself says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from hypothesis import strategies as st

from workbench.errors import CompileError, TenantError
from workbench.rulebook.compile import compile_policy
from workbench.rulebook.schema import WORKLOAD_FIELDS
from workbench.rulebook.tenant import parse_tenant
from workbench.session.evaluation import Evaluator
from workbench.session.state import WorkspaceState
from workbench.session.workspace import open_workspace, sample_root
from workbench.whatif.fleet.arrow import Batch, pa
from workbench.whatif.fleet.plan import Column, ColumnMap, FleetPlan, map_columns
from workbench.whatif.fleet.side import Side

TYPES: dict[str, Any] = {
    "id": pa.string(), "plan": pa.string(), "region": pa.string(), "data_class": pa.string(), "dpa_signed": pa.bool_(),
    "vip_support": pa.bool_(), "no_log": pa.bool_(), "approved_providers": pa.list_(pa.string()),
    "blocked_providers": pa.list_(pa.string()), "quality_floor": pa.float64(), "tokens_in": pa.float64(),
    "tokens_out": pa.float64(), "runs_per_month": pa.float64(), "title": pa.string(),
}  # fmt: skip


@cache
def sample() -> WorkspaceState:
    """The sample workspace, opened once."""
    return open_workspace(sample_root()).state


@dataclass(frozen=True)
class Expected:
    """What a row must come out as."""

    winner: str | None
    cost_per_run: float | None
    survivors: int
    providers: int
    policy: str | None
    reasons: tuple[str, ...]


def expected(row: Mapping[str, Any], state: WorkspaceState) -> Expected:
    """The row as a tenant's file, opened and decided by the workspace."""
    schema = state.rulebook.schema
    stated = {name: value for name, value in row.items() if value is not None}
    document: dict[str, Any] = {"facts": {name: stated[name] for name in schema.fields if name in stated}}
    workload = {name: stated[name] for name in WORKLOAD_FIELDS if name in stated}
    document |= {"workload": workload} if workload else {}
    document |= {name: stated[name] for name in ("id", "title") if name in stated}
    try:
        tenant = parse_tenant(document, source="row", text=None, schema=schema, file_id="nobody")
    except TenantError as error:
        return Expected(None, None, 0, 0, None, tuple(f.reason for f in error.findings if f.severity == "error"))
    try:
        compile_policy(tenant, state.rulebook, state.vocabulary, envelope=state.envelope)
    except CompileError as error:
        return Expected(None, None, 0, 0, None, tuple(f.reason for f in error.findings if f.severity == "error"))
    outcome = Evaluator().outcome(state, tenant)
    assert outcome.compiled is not None
    winner = None if outcome.winner is None else state.catalog.offer_id(outcome.winner)
    fingerprint = outcome.compiled.policy.fingerprint
    return Expected(winner, outcome.cost_per_run, outcome.survivors, outcome.providers, fingerprint, ())


def plan_of(state: WorkspaceState, batch: Batch, **settings: Any) -> FleetPlan:
    """The plan that takes every column of a batch for the field of its name."""
    side = Side.of(state)
    columns: tuple[Column, ...] = map_columns(batch.schema.names, ColumnMap(), side, "typed", "batch")
    return FleetPlan(columns, settings.pop("after", side), settings.pop("before", None), settings.pop("by", ()))


def batch_of(rows: Sequence[Mapping[str, Any]]) -> Batch:
    """The rows as typed columns; those that no row has are left out."""
    names = [name for name in TYPES if name == "id" or any(name in row for row in rows)]
    return pa.RecordBatch.from_pylist([dict(row) for row in rows], schema=pa.schema([(n, TYPES[n]) for n in names]))


_PROVIDERS = ("azure", "amazon-bedrock", "google-vertex", "mistral", "openai", "no-such-provider")
_WORDS = st.sampled_from(("", "EU", "vip ", "free", "\u202eevil", "a,b", "x" * 300))


def _mostly(good: Any, odd: Any) -> Any:
    """Mostly good values, sometimes none, seldom odd ones."""
    return st.one_of(good, good, good, good, st.none(), odd)


_LISTS = st.lists(st.sampled_from(_PROVIDERS), max_size=3)

ROWS: Any = st.fixed_dictionaries(
    {"id": st.one_of(st.from_regex(r"[a-z0-9][a-z0-9._-]{0,12}", fullmatch=True), st.sampled_from((
        "Acme", "", "con", "con.x", "a.", "-a", "a" * 64, "a" * 65, "a" * 201, "ü", "com1", "company", "\x1b[31m",
    )))},
    optional={
        "plan": _mostly(st.sampled_from(("free", "trial", "business", "enterprise", "vip")), _WORDS),
        "region": _mostly(st.sampled_from(("eu", "us", "global")), _WORDS),
        "data_class": _mostly(st.sampled_from(("public", "internal", "sensitive", "health")), _WORDS),
        "dpa_signed": st.one_of(st.booleans(), st.none()),
        "vip_support": st.one_of(st.booleans(), st.none()),
        "no_log": st.one_of(st.booleans(), st.none()),
        "approved_providers": _mostly(_LISTS, st.lists(st.sampled_from((*_PROVIDERS, "", "\x1f")), max_size=4)),
        "blocked_providers": _mostly(_LISTS, st.lists(st.one_of(st.none(), st.just("azure")), max_size=2)),
        "quality_floor": _mostly(st.sampled_from((0.0, 0.5, 0.62, 1.0)), st.floats()),
        "tokens_in": _mostly(st.sampled_from((0.0, 1500.0, 12000.0)), st.floats()),
        "tokens_out": _mostly(st.sampled_from((0.0, 300.0)), st.floats()),
        "runs_per_month": _mostly(st.floats(0, 1e6), st.floats()),
        "title": _mostly(st.just("Acme"), st.sampled_from(("", "t" * 201))),
    },
)  # fmt: skip
"""A tenant's row, good or bad."""
