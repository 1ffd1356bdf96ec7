"""The other direction: a `policy_ir` edited as JSON becomes overrides of one tenant.

What the new policy still says stays with its rule; what it no longer says is switched off for this tenant; what is new
becomes this tenant's own. The result must compile to the policy that was typed, to the byte, or the edit is refused.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from workbench.boundary import strict_json
from workbench.errors import Finding, Place, UsageError
from workbench.language.admission import Admitted, check
from workbench.language.clause_text import to_text
from workbench.language.encoding import encode
from workbench.language.lowering import lower
from workbench.language.signature import V2
from workbench.rulebook.clause import Clause
from workbench.rulebook.compile import Compiled, compile_policy
from workbench.rulebook.reader import SLOTS, Slot
from workbench.session.edits import AddClause, DeleteClause, EditClause
from workbench.session.state import WorkspaceState
from workbench.session.targets import refuse
from workbench.session.tenant_edits import EditSlot

Term = list[Any]


@dataclass(frozen=True, slots=True)
class EditPolicy:
    """Another `policy_ir` for one tenant, as JSON text."""

    tenant_id: str
    text: str

    @property
    def title(self) -> str:
        """What undo says."""
        return f"policy_ir of {self.tenant_id}"

    def touches(self, state: WorkspaceState) -> tuple[str, ...]:
        """Ids of the tenants whose policy it is about: this one."""
        del state
        return (self.tenant_id,)

    def apply(self, state: WorkspaceState) -> WorkspaceState:
        """The next state. Raises `DocumentError`, `AdmissionError` or `EditRefused`."""
        wanted = read_policy(self.text, state)
        compiled = self._compile(state)
        changed = self._filters(state, compiled, wanted)
        changed = self._slots(changed, compiled, wanted)
        if self._compile(changed).policy.encoding != wanted.encoding:
            raise refuse("this policy can't be said as clauses of this tenant", "keep what holds for every tenant")
        return changed

    def _compile(self, state: WorkspaceState) -> Compiled:
        tenant = state.tenant(self.tenant_id)
        return compile_policy(tenant, state.rulebook, state.vocabulary, envelope=state.envelope)

    def _filters(self, state: WorkspaceState, compiled: Compiled, wanted: Admitted) -> WorkspaceState:
        new = Counter({encode(child): 0 for child in children(wanted.slot("filter").normal)})
        terms = {encode(child): child for child in children(wanted.slot("filter").normal)}
        new.update(encode(child) for child in children(wanted.slot("filter").normal))
        if state.envelope is not None:
            new.subtract(encode(child) for child in children(state.envelope.normal))
        gone: list[Clause] = []
        for clause in compiled.clauses:
            if clause.term is None:
                continue
            said = Counter(encode(child) for child in children(clause.term.normal))
            if all(new[part] >= count for part, count in said.items()):
                new.subtract(said)
            else:
                gone.append(clause)
        fresh = [terms[part] for part, count in sorted(new.items()) for _ in range(count)]
        return self._replace(state, gone, fresh)

    def _replace(self, state: WorkspaceState, gone: list[Clause], fresh: list[Term]) -> WorkspaceState:
        """Switch off what is gone and add what is new; one for one is an edit of that clause."""
        if len(gone) == 1 and len(fresh) == 1:
            text = to_text(fresh[0], state.vocabulary)
            return EditClause(self.tenant_id, gone[0].id, "tenant", text).apply(state)
        for clause in gone:
            state = DeleteClause(self.tenant_id, clause.id, "tenant").apply(state)
        for term in fresh:
            state = AddClause(self.tenant_id, to_text(term, state.vocabulary), "tenant").apply(state)
        return state

    def _slots(self, state: WorkspaceState, compiled: Compiled, wanted: Admitted) -> WorkspaceState:
        for slot in SLOTS[1:]:
            if wanted.slot(slot).encoding != compiled.policy.slot(slot).encoding:
                state = self._slot(state, slot, wanted.slot(slot).normal)
        return state

    def _slot(self, state: WorkspaceState, slot: Slot, term: Term) -> WorkspaceState:
        return EditSlot(self.tenant_id, slot, to_text(term, state.vocabulary)).apply(state)


def children(term: Term) -> list[Term]:
    """The parts of a filter in normal form: an `and`'s arguments, nothing for `top`, else the term itself."""
    if term[0] == "and":
        return term[1:]
    return [] if term[0] == "top" else [term]


def read_policy(text: str, state: WorkspaceState) -> Admitted:
    """A whole v2 policy from JSON text, the three JSON spellings lowered.

    Raises `DocumentError` with line and column, or `AdmissionError` with the place in the term.
    """
    value = strict_json.loads(text, source="policy_ir")
    if not isinstance(value, list):
        place = Place("policy_ir", path="$")
        raise UsageError("no policy", [Finding("a policy_ir is an array", "no_policy", place, 'write ["policy", ...]')])
    return check(lower(value, state.vocabulary), state.vocabulary, version=V2, sort="Policy")
