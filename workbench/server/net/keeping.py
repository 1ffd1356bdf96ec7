"""What of files that were read anew may take the place of what is in force (RELIABILITY R51).

A catalog or rulebook that is bad leaves the snapshot in force; a tenant file that is bad leaves that tenant as it was,
and takes the others up. Where nothing good is in force yet, what can be used of the files is, and the rest is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from workbench.engine.decide import decide
from workbench.errors import CompileError, Finding, Place, WorkspaceError
from workbench.rulebook.compile import compile_policy
from workbench.rulebook.tenant import Tenant
from workbench.server.state import Lacking, ServerState
from workbench.session.state import WorkspaceState
from workbench.session.workspace import BrokenFile, Workspace, shown_path

MOST_TOLD: Final = 20
"""Findings that are told of one reading."""
CHECK: Final = "`workbench check` lists everything that is wrong"


def most(findings: Sequence[Finding]) -> list[Finding]:
    """The first of many findings, and how many more there are."""
    told = list(findings[:MOST_TOLD])
    more = len(findings) - len(told)
    return [*told, Finding(f"{more:,} more", "more", hint=CHECK)] if more else told


@dataclass(frozen=True, slots=True)
class Kept:
    """What is to be served."""

    workspace: Workspace
    findings: tuple[Finding, ...]
    """What of the files is not in force, and why."""
    lacking: Lacking
    """Of the tenants that are served."""
    warned: tuple[Finding, ...] = ()
    """What is in force, and somebody should look at."""


def keeping_good(workspace: Workspace, before: ServerState | None) -> Kept:
    """The workspace with each tenant whose file broke as it was before, and what is wrong with its files.

    A file that can be read and gives no policy, where it gave one before, is as broken as one that cannot be read.
    Raises `WorkspaceError` for a catalog that may not be taken up, and where a rulebook (an envelope, a catalog) takes
    a tenant's policy away that it had.
    """
    session = workspace.state
    rows = [finding for finding in session.catalog.findings if finding.severity == "error"]
    _refuse_catalog(workspace, rows, before)
    findings = [*rows, *(finding for broken in workspace.broken for finding in broken.findings)]
    read = {tenant.id: tenant for tenant in session.tenants}
    kept, still = ({}, list(workspace.broken)) if before is None else _unreadable(workspace, read, before)
    lacking: dict[str, tuple[Finding, ...]] = {}
    for tenant in (*read.values(), *kept.values()):
        wrong = _gives_nothing(tenant, session)
        old = None if before is None else before.tenants.get(tenant.id)
        if wrong and old is not None and tenant != old and not _gives_nothing(old, session):
            kept[tenant.id] = old
        elif wrong:
            lacking[tenant.id] = wrong
        findings += wrong
    everyone = {**read, **kept}
    if before is not None:
        _refuse_loss(lacking, before)
    warned = _nobody(workspace, [everyone[key] for key in sorted(everyone) if key not in lacking])
    if before is None or not kept:
        return Kept(workspace, tuple(findings), lacking, warned)
    state = replace(session, tenants=tuple(everyone[key] for key in sorted(everyone)))
    documents = {**{key: before.workspace.tenant_documents[key] for key in kept}, **workspace.tenant_documents}
    taken = replace(workspace, state=state, broken=tuple(still), tenant_documents=documents)
    return Kept(taken, tuple(findings), lacking, warned)


def _unreadable(
    workspace: Workspace, read: Mapping[str, Tenant], before: ServerState
) -> tuple[dict[str, Tenant], list[BrokenFile]]:
    """The tenants, as they were, whose files can't be read now; and the files that nobody is known of."""
    kept: dict[str, Tenant] = {}
    still: list[BrokenFile] = []
    places = {document.path: tenant for tenant, document in before.workspace.tenant_documents.items()}
    for broken in workspace.broken:
        tenant = before.tenants.get(places.get(broken.path, broken.path.stem))
        if tenant is None or tenant.id in read:
            still.append(broken)
        else:
            kept[tenant.id] = tenant
    return kept, still


def _refuse_catalog(workspace: Workspace, rows: Sequence[Finding], before: ServerState | None) -> None:
    """Raises for a catalog without offers, and for one that lost rows where a whole one is in force."""
    catalog = workspace.state.catalog
    if not catalog.offers:
        reason = "the catalog has no offers" + (" that can be used" if rows else "")
        nothing = Finding(reason, "no_offers", _place(workspace), "without one every call would fail; " + CHECK)
        raise WorkspaceError("the catalog can't be served", [nothing, *rows])
    if before is None or not rows or before.session.catalog.sha256 == catalog.sha256:
        return
    if all(finding.severity != "error" for finding in before.session.catalog.findings):
        raise WorkspaceError("the catalog has rows that can't be used", rows)


def _refuse_loss(lacking: Lacking, before: ServerState) -> None:
    """Raises where a tenant had a policy and has none by what all of them share."""
    found = [
        replace(each, reason=f"tenant `{tenant_id}` would lose its policy: {each.reason}")
        for tenant_id, wrong in sorted(lacking.items())
        if tenant_id in before.tenants and tenant_id not in before.lacking
        for each in wrong
    ]
    if found:
        raise WorkspaceError("tenants would lose their policies", found)


def _nobody(workspace: Workspace, tenants: Sequence[Tenant]) -> tuple[Finding, ...]:
    """A warning where no tenant is left any offer. What a whole catalog says of providers holds all the same: to go on
    calling those that tenants do not allow any more would be worse than not to answer."""
    state = workspace.state
    for tenant in tenants:
        policy = compile_policy(tenant, state.rulebook, state.vocabulary, envelope=state.envelope).policy
        if len(decide(policy, state.pool).order_array):
            return ()
    if not tenants:
        return ()
    reason = "no offer of the catalog passes any tenant's policy"
    hint = "`workbench why` shows which rule keeps an offer out"
    return (Finding(reason, "no_offers", _place(workspace), hint, "warning"),)


def _place(workspace: Workspace) -> Place:
    return Place(shown_path(workspace.catalog_path, workspace.root))


def _gives_nothing(tenant: Tenant, state: WorkspaceState) -> tuple[Finding, ...]:
    """Why a tenant gets no policy; empty where it gets one."""
    try:
        compile_policy(tenant, state.rulebook, state.vocabulary, envelope=state.envelope)
    except CompileError as error:
        return error.findings or (Finding(error.title, "compile"),)
    return ()
