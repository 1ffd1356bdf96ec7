"""The one frozen state that screens show and edits replace; undo is keeping the old ones."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from workbench.catalog import Catalog
from workbench.engine.context import Context
from workbench.engine.pool import Pool
from workbench.errors import Finding, Place, UsageError
from workbench.language.admission import Admitted
from workbench.language.vocabulary import Vocabulary
from workbench.rulebook.rulebook import Rulebook
from workbench.rulebook.tenant import Tenant


@dataclass(frozen=True, slots=True)
class WorkspaceState:
    """Rulebook, tenants and catalog as they are now, edits included. Tenants stand in ascending order of id."""

    catalog: Catalog
    pool: Pool
    rulebook: Rulebook
    tenants: tuple[Tenant, ...]
    envelope: Admitted | None = None
    context: Context = field(default_factory=Context)

    @property
    def vocabulary(self) -> Vocabulary:
        """The names that clauses may use: the catalog's."""
        return self.catalog.vocabulary

    def tenant(self, tenant_id: str) -> Tenant:
        """The tenant of that id. Raises `UsageError` with a suggestion where there is none."""
        for tenant in self.tenants:
            if tenant.id == tenant_id:
                return tenant
        from difflib import get_close_matches  # noqa: PLC0415 - only on the way to an error

        known = [tenant.id for tenant in self.tenants]
        close = get_close_matches(tenant_id, known, 1)
        hint = f"did you mean `{close[0]}`?" if close else "`workbench tenants` lists them"
        raise UsageError(
            "no such tenant", [Finding(f"there is no tenant `{tenant_id}`", "unknown_tenant", Place(), hint)]
        )

    def with_tenant(self, tenant: Tenant) -> WorkspaceState:
        """The state with this tenant in place of the one of the same id."""
        return replace(self, tenants=tuple(tenant if t.id == tenant.id else t for t in self.tenants))

    def with_rulebook(self, rulebook: Rulebook) -> WorkspaceState:
        """The state under another rulebook."""
        return replace(self, rulebook=rulebook)
