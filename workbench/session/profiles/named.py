"""A workspace's named policies, compiled: `[profiles]` of `workbench.toml`, and `default`, which is always there.

A profile of clause texts stands on what holds for everyone: the rulebook's defaults and its rules without `when`. Its
filters are added to theirs, its other slots go before them. A profile that is a policy_ir file stands for itself. The
workspace's envelope holds around every one of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final, cast

from workbench.boundary import files, strict_json
from workbench.engine.values import record
from workbench.errors import DocumentError, Finding, Place, WorkbenchError, WorkspaceError
from workbench.language.admission import Admitted, check, compose
from workbench.language.clause_text import to_text
from workbench.language.lowering import lower
from workbench.language.runnable import require_runnable
from workbench.rulebook.clause import Clause, Origin
from workbench.rulebook.compile import Compiled, compile_policy
from workbench.rulebook.reader import SLOTS, Slot
from workbench.rulebook.rulebook import Rulebook
from workbench.rulebook.schema import NO_LOG
from workbench.rulebook.tenant import Override, Tenant, Workload
from workbench.session.policy_edits import children
from workbench.session.settings import FILE_NAME, ProfileSettings
from workbench.session.state import WorkspaceState

DEFAULT: Final = "default"
MAX_POLICY_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Profile:
    """One named policy."""

    name: str
    compiled: Compiled
    """Inside the workspace's envelope; a clause for each part of its filter."""
    source: str
    """Where it comes from: a file, `[profiles.NAME]`, or the rulebook's defaults."""


def compile_profiles(
    settings: Mapping[str, ProfileSettings], root: Path, state: WorkspaceState, workload: Workload
) -> Mapping[str, Profile]:
    """Every named policy, `default` first, then by name. Raises `WorkspaceError` with what is wrong with all of them.

    The `default` that nobody wrote is left out where the rulebook's own clauses give no policy without a tenant.
    """
    found: dict[str, Profile] = {}
    wrong: list[Finding] = []
    for name in (DEFAULT, *sorted(set(settings) - {DEFAULT})):
        wanted = settings.get(name, ProfileSettings())
        try:
            found[name] = _profile(name, wanted, root, state, workload)
        except WorkbenchError as error:
            if name in settings:
                wrong += _placed(name, error)
    if wrong:
        raise WorkspaceError("the profiles can't be used", wrong)
    return MappingProxyType(found)


def _profile(name: str, wanted: ProfileSettings, root: Path, state: WorkspaceState, workload: Workload) -> Profile:
    if wanted.file is not None:
        return Profile(name, _from_file(name, wanted.file, root, state), wanted.file)
    own = [
        Override(f"own-{number}", None, 1, slot, text) for number, (slot, text) in enumerate(wanted.clauses, start=1)
    ]
    facts = MappingProxyType({NO_LOG: False})
    tenant = Tenant(name, name, facts, workload, tuple(own), source=FILE_NAME)
    compiled = compile_policy(tenant, _for_everyone(state.rulebook), state.vocabulary, envelope=state.envelope)
    require_runnable(compiled.policy)
    clauses = tuple(_of_profile(name, clause) for clause in compiled.clauses)
    slots = {slot: _of_profile(name, clause) for slot, clause in compiled.slots.items()}
    compiled = replace(compiled, clauses=clauses, slots=MappingProxyType(slots))
    return Profile(name, compiled, f"[profiles.{name}]" if own else "the rulebook's defaults")


def _of_profile(name: str, clause: Clause) -> Clause:
    """A clause that the profile adds is no tenant's own."""
    return replace(clause, origin="profile", rule_title=f"the profile {name}") if clause.origin == "own" else clause


def _for_everyone(rulebook: Rulebook) -> Rulebook:
    """The rulebook without the rules that ask who the tenant is."""
    plans = tuple(plan for plan in rulebook.plans if not plan.rule.when.strip())
    return replace(rulebook, rules=tuple(plan.rule for plan in plans[1:]), plans=plans)


def _from_file(name: str, file: str, root: Path, state: WorkspaceState) -> Compiled:
    path = files.path_inside(root, *Path(file).parts)
    data = files.read_bytes(path, max_bytes=MAX_POLICY_BYTES)
    document = cast("object", strict_json.loads(data, source=file, bom=True))
    term = record(cast("object", document)).get("policy_ir") if isinstance(document, dict) else document
    if not isinstance(term, list):
        hint = 'write ["policy", ...], or an object with `policy_ir`, as `workbench export` does'
        raise DocumentError("no policy", [Finding("there is no policy_ir in it", "no_policy", Place(file), hint)])
    policy = check(lower(cast("object", term), state.vocabulary), state.vocabulary, sort="Policy")
    require_runnable(policy)
    whole = policy if state.envelope is None else compose(policy, state.envelope, state.vocabulary)
    return taken_apart(name, policy, whole, state, f"the profile {name}", "profile")


def taken_apart(
    name: str, policy: Admitted, whole: Admitted, state: WorkspaceState, title: str, origin: Origin
) -> Compiled:
    """A policy that no rulebook made, as clauses: one for each part of its filter, one for each other slot."""

    def clause(clause_id: str, slot: Slot, admitted: Admitted) -> Clause:
        shown = to_text(admitted.normal, state.vocabulary)
        return Clause(clause_id, slot, shown, shown, admitted, None, title, (), origin)

    filters = tuple(
        clause(f"policy-{number}", "filter", check(part, state.vocabulary, version=policy.version, sort="Pred"))
        for number, part in enumerate(children(policy.slot("filter").normal), start=1)
    )
    slots = {slot: clause(f"policy.{slot}", slot, policy.slot(slot)) for slot in SLOTS[1:]}
    return Compiled(name, whole, filters, MappingProxyType(slots), ())


def _placed(name: str, error: WorkbenchError) -> list[Finding]:
    """The error's findings at the profile that they are about."""
    found = error.findings or (Finding(error.title, "profile"),)
    path = f"profiles.{name}"
    return [
        replace(each, reason=f"profile `{name}`: {each.reason}", place=Place(FILE_NAME, each.place.line, None, path))
        for each in found
    ]
