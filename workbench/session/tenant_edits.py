"""Edits of one tenant that aim at no clause: what stands in a slot, and the tenant's own facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from workbench.rulebook.reader import Slot
from workbench.rulebook.schema import Fact, FactRefused, read_fact
from workbench.session.state import WorkspaceState
from workbench.session.targets import new_override, put_override, read_for, refuse


@dataclass(frozen=True, slots=True)
class EditSlot:
    """Rank, select, transform or fallback for one tenant only."""

    tenant_id: str
    slot: Slot
    text: str

    @property
    def title(self) -> str:
        """What undo says."""
        return f"{self.slot}: {self.text}"

    def apply(self, state: WorkspaceState) -> WorkspaceState:
        """The next state."""
        tenant = state.tenant(self.tenant_id)
        read_for(state, tenant, self.slot, self.text)
        known = next((o for o in tenant.overrides if o.rule is None and o.slot == self.slot), None)
        changed = (
            replace(known, text=self.text, off=False) if known else new_override(tenant, None, self.slot, self.text)
        )
        return state.with_tenant(put_override(tenant, changed))

    def touches(self, state: WorkspaceState) -> tuple[str, ...]:
        """Ids of the tenants whose policy it is about: this one."""
        del state
        return (self.tenant_id,)


@dataclass(frozen=True, slots=True)
class EditFact:
    """Another value for one fact of one tenant; None makes it unknown."""

    tenant_id: str
    name: str
    value: Fact | None

    @property
    def title(self) -> str:
        """What undo says."""
        return f"{self.name} of {self.tenant_id}"

    def apply(self, state: WorkspaceState) -> WorkspaceState:
        """The next state."""
        tenant = state.tenant(self.tenant_id)
        known = state.rulebook.schema.fields.get(self.name)
        if known is None:
            raise refuse(f"the rulebook declares no field `{self.name}`", "`workbench check` lists them")
        facts: dict[str, Fact] = dict(tenant.facts)
        facts.pop(self.name, None)
        if self.value is not None:
            raw: object = list(self.value) if isinstance(self.value, tuple) else self.value
            try:
                facts[self.name] = read_fact(known, raw)
            except FactRefused as refused:
                raise refuse(refused.reason, refused.hint) from None
        ordered: Mapping[str, Fact] = {name: facts[name] for name in state.rulebook.schema.fields if name in facts}
        return state.with_tenant(replace(tenant, facts=MappingProxyType(dict(ordered))))

    def touches(self, state: WorkspaceState) -> tuple[str, ...]:
        """Ids of the tenants whose policy it is about: this one."""
        del state
        return (self.tenant_id,)
