"""The sample as questions are asked of it: its state, tenants with any facts, a copy that may be written to."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from types import MappingProxyType
from typing import Any

from hypothesis import strategies as st

from workbench.engine.context import Context
from workbench.engine.decide import decide
from workbench.engine.decision import Decision
from workbench.errors import CompileError
from workbench.rulebook.compile import compile_policy
from workbench.rulebook.schema import TenantField
from workbench.rulebook.tenant import Tenant
from workbench.session.state import WorkspaceState
from workbench.session.workspace import open_workspace, sample_root


@cache
def sample() -> WorkspaceState:
    """The sample's state, read once."""
    return open_workspace(sample_root()).state


def decided(state: WorkspaceState, tenant: Tenant) -> Decision | None:
    """What the reference evaluator decides, asked anew and through no cache; None without a policy."""
    try:
        compiled = compile_policy(tenant, state.rulebook, state.vocabulary, envelope=state.envelope)
    except CompileError:
        return None
    return decide(compiled.policy, state.pool, Context(), evaluator="reference")


def values(known: TenantField) -> st.SearchStrategy[Any]:
    """Any value that a field of the sample may have."""
    if known.kind == "flag":
        return st.booleans()
    if known.kind == "number":
        return st.sampled_from([0.0, 0.3, 0.5, 0.55, 0.6, 0.631, 0.7, 1.0])
    if known.kind == "list":
        names = st.sampled_from(["openai", "azure", "anthropic", "mistral", "amazon-bedrock", "deepseek"])
        return st.lists(names, unique=True, max_size=4).map(tuple)
    return st.sampled_from(known.values)


@st.composite
def tenants(draw: st.DrawFn) -> Tenant:
    """A tenant of the sample with other facts, every one of them stated."""
    known = sample().tenant(draw(st.sampled_from([one.id for one in sample().tenants])))
    facts = {name: draw(values(field)) for name, field in sample().rulebook.schema.fields.items()}
    return replace(known, facts=MappingProxyType(facts))


def offers() -> st.SearchStrategy[int]:
    """The place of some offer of the sample's catalog."""
    return st.integers(0, len(sample().pool) - 1)
