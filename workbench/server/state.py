"""One snapshot of a workspace as the endpoint serves it; a reload makes the next one whole, or none.

Immutable but for its caches (decisions, compiled tenants), which hold nothing that a second reading would not give.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from workbench.engine.decisions import Decisions
from workbench.engine.pool import Pool
from workbench.errors import Finding
from workbench.language.admission import Admitted
from workbench.rulebook.compile import Compiled, compile_policy
from workbench.rulebook.tenant import Tenant
from workbench.session.profiles.named import Profile, compile_profiles
from workbench.session.state import WorkspaceState
from workbench.session.workspace import Workspace, default_workload, open_workspace
from workbench.traces.parts.catalogs import KeptCatalog

Lacking = Mapping[str, tuple[Finding, ...]]
"""Tenants that get no policy, and why."""


@dataclass(frozen=True)
class ServerState:
    """What requests are answered from."""

    workspace: Workspace
    generation: int = 1
    """Which snapshot since the start, from 1."""
    tenants: Mapping[str, Tenant] = field(default_factory=dict[str, Tenant])
    """By id; those whose file is broken are missing."""
    lacking: Lacking = field(default_factory=dict[str, tuple[Finding, ...]])
    """Those of them that get no policy: their calls are refused."""
    call_pool: Pool | None = None
    """The same offers with the addresses that they are called at; None: the catalog's."""
    measured: KeptCatalog | None = None
    """The catalog with what calls measured in place of what it says; None: as it is."""
    remembered: dict[object, Any] = field(default_factory=dict[object, Any], compare=False, repr=False)
    """What requests are decided by, to be used again; whoever puts something in bounds it."""
    shown: dict[object, Any] = field(default_factory=dict[object, Any], compare=False, repr=False)
    """Decisions as answers show them, likewise."""

    @classmethod
    def of(cls, workspace: Workspace, generation: int = 1) -> ServerState:
        """The snapshot of an open workspace."""
        return cls(workspace, generation, {tenant.id: tenant for tenant in workspace.state.tenants})

    @classmethod
    def read(cls, root: Path, generation: int = 1) -> ServerState:
        """The snapshot of the folder. Raises as `open_workspace` does."""
        return cls.of(open_workspace(root), generation)

    @property
    def answered(self) -> list[str]:
        """The tenants that have a policy, in ascending order."""
        return sorted(key for key in self.tenants if key not in self.lacking)

    @property
    def session(self) -> WorkspaceState:
        """Catalog, pool, rulebook, tenants, envelope."""
        return self.workspace.state

    @property
    def envelope(self) -> Admitted | None:
        """And-ed onto every policy."""
        return self.workspace.state.envelope

    @cached_property
    def decisions(self) -> Decisions:
        """Every decision over this catalog, kept by what it reads."""
        return Decisions(self.kept.pool)

    @cached_property
    def kept(self) -> KeptCatalog:
        """The catalog as traces name it; its pool is the one that is decided over."""
        return self.measured or KeptCatalog.of(self.workspace.state.catalog)

    @cached_property
    def rulebook_sha256(self) -> str:
        """The rulebook's file, for traces."""
        return sha256(self.workspace.rulebook_document.text.encode("utf-8", "surrogateescape")).hexdigest()

    def compiled(self, tenant: Tenant) -> Compiled:
        """The tenant's policy inside the envelope, remembered with the rulebook. Raises `CompileError`."""
        session = self.workspace.state
        return compile_policy(tenant, session.rulebook, session.vocabulary, envelope=session.envelope)

    @cached_property
    def profiles(self) -> Mapping[str, Profile]:
        """The named policies, `default` first. Raises `WorkspaceError`."""
        workspace = self.workspace
        workload = default_workload(workspace.settings)
        return compile_profiles(workspace.settings.profiles, workspace.root, workspace.state, workload)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What a person should know of this snapshot: warnings, and tenants that can't be used."""
        broken = (finding for file in self.workspace.broken for finding in file.findings)
        return (*self.workspace.findings, *broken)
