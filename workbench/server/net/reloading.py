"""Takes up the workspace's files when they change: whole and atomically, or not at all (RELIABILITY R51).

Owns looking for changes and what is kept of the last good state. A catalog or rulebook that cannot be read leaves the
snapshot in force; a tenant file that cannot be read leaves that tenant as it was, and takes the others up.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from workbench.errors import CompileError, Finding, WorkspaceError
from workbench.rulebook.compile import compile_policy
from workbench.rulebook.tenant import Tenant
from workbench.server.state import ServerState
from workbench.session.settings import FILE_NAME, Settings
from workbench.session.state import WorkspaceState
from workbench.session.workspace import BrokenFile, Workspace

LOG: Final = logging.getLogger("workbench.server")
LOOK_S = 1.0
"""Between two looks at the files; a change is taken up once two looks see the same."""
MOST_TOLD: Final = 20
"""Findings that are told of one reading."""
Seen = tuple[tuple[str, int, int, int], ...]


def seen(root: Path, settings: Settings, catalog: Path | None) -> Seen:
    """What the files look like from outside: path, time, size and inode of each, in a stable order.

    Paths are strings here: `pathlib` interns each name that it is given, and this is done every second; names that come
    and go make the interpreter's table of such names grow.
    """
    found: list[tuple[str, int, int, int]] = []
    for path in _paths(str(root), settings, catalog):
        try:
            status = os.stat(path)  # noqa: PTH116 - as above
        except OSError:
            found.append((path, -1, 0, 0))
        else:
            found.append((path, status.st_mtime_ns, status.st_size, status.st_ino))
    return tuple(sorted(found))


def _paths(root: str, settings: Settings, catalog: Path | None) -> Iterator[str]:
    join = os.path.join
    yield join(root, FILE_NAME)
    yield join(root, settings.rulebook)
    if catalog is not None:
        yield str(catalog)
    for profile in settings.profiles.values():
        if profile.file is not None:
            yield join(root, profile.file)
    with suppress(OSError), os.scandir(join(root, settings.tenants)) as entries:
        yield from (entry.path for entry in entries if entry.name.endswith(".toml"))


def keeping_good(workspace: Workspace, before: ServerState | None) -> tuple[Workspace, tuple[Finding, ...]]:
    """The workspace with each tenant whose file broke as it was before, and what is wrong with those files.

    A file that can be read and gives no policy, where it gave one before, is as broken as one that cannot be read.
    Raises `WorkspaceError` where a rulebook (an envelope, a catalog) takes a tenant's policy away that it had.
    """
    findings = [finding for broken in workspace.broken for finding in broken.findings]
    if before is None:
        return workspace, tuple(findings)
    known = {tenant.id: tenant for tenant in workspace.state.tenants}
    kept: dict[str, Tenant] = {}
    places = {document.path: tenant for tenant, document in before.workspace.tenant_documents.items()}
    still: list[BrokenFile] = []
    for broken in workspace.broken:
        tenant = before.tenants.get(places.get(broken.path, broken.path.stem))
        if tenant is None or tenant.id in known:
            still.append(broken)
        else:
            kept[tenant.id] = tenant
    for tenant_id, tenant in known.items():
        old = before.tenants.get(tenant_id)
        if old is not None and tenant != old:
            wrong = _gives_nothing(tenant, workspace.state)
            if wrong and not _gives_nothing(old, workspace.state):
                kept[tenant_id] = old
                findings += wrong
    everyone = {**known, **kept}
    _refuse_loss(everyone, workspace.state, before)
    if not kept:
        return workspace, tuple(findings)
    state = replace(workspace.state, tenants=tuple(everyone[key] for key in sorted(everyone)))
    documents = {**{key: before.workspace.tenant_documents[key] for key in kept}, **workspace.tenant_documents}
    return replace(workspace, state=state, broken=tuple(still), tenant_documents=documents), tuple(findings)


def _refuse_loss(tenants: Mapping[str, Tenant], state: WorkspaceState, before: ServerState) -> None:
    """Raises where a tenant had a policy and has none by what all of them share."""
    was = before.session
    if (state.rulebook.sha256, state.envelope, state.vocabulary) == (was.rulebook.sha256, was.envelope, was.vocabulary):
        return
    found: list[Finding] = []
    for tenant_id in sorted(tenants):
        old = before.tenants.get(tenant_id)
        wrong = _gives_nothing(tenants[tenant_id], state)
        if wrong and old is not None and not _gives_nothing(old, was):
            found += (
                replace(each, reason=f"tenant `{tenant_id}` would lose its policy: {each.reason}") for each in wrong
            )
    if found:
        raise WorkspaceError("tenants would lose their policies", found[:MOST_TOLD])


def _gives_nothing(tenant: Tenant, state: WorkspaceState) -> tuple[Finding, ...]:
    """Why a tenant gets no policy; empty where it gets one."""
    try:
        compile_policy(tenant, state.rulebook, state.vocabulary, envelope=state.envelope)
    except CompileError as error:
        return error.findings or (Finding(error.title, "compile"),)
    return ()


class Reloader:
    """Looks at the files again and again while the process serves; a change counts from when this was made."""

    def __init__(self, look: Callable[[], Seen], reload: Callable[[], None]) -> None:
        self._look, self._reload = look, reload
        self._first = look()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        taken = before = self._first
        while True:
            await asyncio.sleep(LOOK_S)
            now = await asyncio.to_thread(self._look)
            if now == before != taken:
                taken = now
                try:
                    await asyncio.to_thread(self._reload)
                except Exception as error:  # noqa: BLE001 - what is in force stays so, and the next change is looked at
                    LOG.error("reloading: %s", type(error).__name__)  # noqa: TRY400 - its text may hold anything
            before = now
