"""A `policy_ir` from a file, decided for a tenant as if the tenant compiled to it.

The file holds the term itself, or the object that `export` writes. The envelope of the workspace holds for it too; the
tenant's own rules do not, which is what the command says.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from workbench.boundary import strict_json
from workbench.cli.documents import read_input
from workbench.engine.decide import decide
from workbench.errors import AdmissionError, DocumentError, Finding, Place
from workbench.language.admission import Admitted, check, compose, find
from workbench.language.clause_text import to_text
from workbench.language.lowering import lower
from workbench.language.signature import V1, V2, Version
from workbench.rulebook.clause import Clause
from workbench.rulebook.compile import Compiled
from workbench.rulebook.reader import SLOTS, Slot
from workbench.rulebook.tenant import Tenant
from workbench.session.evaluation import Outcome, cost_per_run
from workbench.session.policy_edits import children
from workbench.session.state import WorkspaceState

MAX_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """A policy as read, with what is odd about its file."""

    policy: Admitted
    source: str
    warnings: tuple[Finding, ...]


def read_policy_file(name: str, state: WorkspaceState) -> PolicyFile:
    """The policy in the file `name`, inside the envelope.

    Raises `FileRefused`, `DocumentError`, or `AdmissionError` with the place in the term.
    """
    data, source = read_input(name, max_bytes=MAX_BYTES)
    document = strict_json.loads(data, source=source, max_bytes=MAX_BYTES, bom=True)
    term, stated = _parts(document, source)
    policy = _admit(lower(term, state.vocabulary), state, _version(stated, source), source)
    warnings = tuple(_warnings(policy, stated, source))
    if state.envelope is not None:
        policy = compose(policy, state.envelope, state.vocabulary)
    return PolicyFile(policy, source, warnings)


def _admit(term: Any, state: WorkspaceState, version: Version, source: str) -> Admitted:
    found = find(term, state.vocabulary, version=version, sort="Policy")
    if found:
        placed = [replace(finding, place=replace(finding.place, source=source)) for finding in found]
        raise AdmissionError("the policy is not admitted", placed)
    return check(term, state.vocabulary, version=version, sort="Policy")


def _parts(document: Any, source: str) -> tuple[list[Any], dict[str, Any]]:
    if isinstance(document, list):
        return document, {}  # pyright: ignore[reportUnknownVariableType] - the value is checked at admission
    if isinstance(document, dict) and isinstance(document.get("policy_ir"), list):  # pyright: ignore[reportUnknownMemberType]
        return document["policy_ir"], document  # pyright: ignore[reportUnknownVariableType]
    hint = 'write ["policy", ...], or an object with `policy_ir`, as `workbench export` does'
    raise DocumentError("no policy", [Finding("there is no policy_ir in it", "no_policy", Place(source), hint)])


def _version(stated: dict[str, Any], source: str) -> Version:
    version = stated.get("version", V2)
    if version == V1:
        return V1
    if version == V2:
        return V2
    place = Place(source, path="version")
    raise DocumentError("no policy", [Finding(f"unknown version `{version}`", "version", place, f"known: {V1}, {V2}")])


def _warnings(policy: Admitted, stated: dict[str, Any], source: str) -> list[Finding]:
    fingerprint = stated.get("fingerprint", policy.fingerprint)
    if fingerprint == policy.fingerprint:
        return []
    reason = f"it says fingerprint `{fingerprint}`, but the policy in it has `{policy.fingerprint}`"
    hint = "the policy was changed after it was written"
    return [Finding(reason, "fingerprint", Place(source, path="fingerprint"), hint, "warning")]


def outcome_under(state: WorkspaceState, tenant: Tenant, policy: Admitted) -> Outcome:
    """What `tenant`'s workload costs under `policy`, decided on the state's catalog."""
    decision = decide(policy, state.pool, state.context)
    winner = decision.winner
    cost = None if winner is None else cost_per_run(state.catalog.candidates[winner], tenant.workload)
    providers = len({state.catalog.offers[index].provider for index in decision.order})
    compiled = _compiled(state, tenant, policy)
    return Outcome(tenant, compiled, decision, (), winner, cost, decision.survivors, providers)


def _compiled(state: WorkspaceState, tenant: Tenant, policy: Admitted) -> Compiled:
    """The policy taken apart into clauses, one per part of its filter."""

    def clause(name: str, slot: Slot, admitted: Admitted) -> Clause:
        shown = to_text(admitted.normal, state.vocabulary)
        return Clause(name, slot, shown, shown, admitted, None, "the policy file", (), "own")

    filters = tuple(
        clause(f"file-{number}", "filter", check(part, state.vocabulary, version=policy.version, sort="Pred"))
        for number, part in enumerate(children(policy.slot("filter").normal), start=1)
    )
    slots = {slot: clause(f"file.{slot}", slot, policy.slot(slot)) for slot in SLOTS[1:]}
    return Compiled(tenant.id, policy, filters, MappingProxyType(slots), ())
