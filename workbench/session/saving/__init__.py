"""Write edits back into the user's own files: comments kept, each file whole or not at all, nobody's version lost.

What is written is read again before it replaces anything: a text that does not say what the state says is never saved.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from workbench.boundary import files
from workbench.errors import FileRefused, Finding, Place, WorkspaceError
from workbench.rulebook.rulebook import parse_rulebook
from workbench.rulebook.tenant import parse_tenant
from workbench.session.state import WorkspaceState
from workbench.session.workspace import Document, Workspace, default_workload, parse_document, read_document, shown_path


@dataclass(frozen=True, slots=True)
class SaveReport:
    """What a save wrote."""

    written: tuple[Path, ...]
    conflicts: tuple[Path, ...] = ()
    """Where versions of another program are kept that stood there when we wrote."""


@dataclass(frozen=True, slots=True)
class _Change:
    """One file that a save writes."""

    document: Document
    text: str
    tenant_id: str | None
    """None: the rulebook."""


def changed_files(workspace: Workspace, saved: WorkspaceState, state: WorkspaceState) -> tuple[Path, ...]:
    """Files that a save would write, rulebook first."""
    paths: list[Path] = []
    if state.rulebook is not saved.rulebook and state.rulebook != saved.rulebook:
        paths.append(workspace.rulebook_document.path)
    before = {tenant.id: tenant for tenant in saved.tenants}
    for tenant in state.tenants:
        known = before.get(tenant.id)
        if known is not tenant and known != tenant:
            paths.append(workspace.tenant_documents[tenant.id].path)
    return tuple(paths)


def save(workspace: Workspace, saved: WorkspaceState, state: WorkspaceState) -> tuple[Workspace, SaveReport]:
    """Write the files that differ between two states into the workspace's folder.

    Raises `FileRefused` where one can't be written; those before it are.
    """
    if workspace.is_sample:
        place = Place(str(workspace.root))
        finding = Finding("the sample workspace is read-only", "sample", place, "save a copy in a folder of your own")
        raise FileRefused("nothing was saved", [finding])
    written: list[Path] = []
    conflicts: list[Path] = []
    for change in list(_changes(workspace, saved, state)):
        data = change.text.encode("utf-8", errors="surrogateescape")
        done = files.save_over(change.document.path, data, change.document.stamp)
        document = Document(change.document.path, change.text, done.stamp)
        workspace = _with_document(workspace, change.tenant_id, document)
        written.append(document.path)
        if done.conflict is not None:
            conflicts.append(done.conflict)
    return replace(workspace, state=state), SaveReport(tuple(written), tuple(conflicts))


def save_copy(workspace: Workspace, saved: WorkspaceState, state: WorkspaceState, folder: Path) -> SaveReport:
    """Write the whole workspace as it is now into a new or empty folder. Raises `FileRefused`.

    The workspace's own folder may be gone: what was read of it is enough, but for a catalog of its own.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        finding = Finding("it exists and is not an empty folder", "not_empty", Place(str(folder)), "name a new folder")
        raise FileRefused("nothing was saved", [finding])
    changed = {change.document.path: change.text for change in _changes(workspace, saved, state)}
    written: list[Path] = []
    for document in _documents(workspace):
        target = folder / document.path.relative_to(workspace.root)
        _make_folder(target.parent)
        text = changed.get(document.path, document.text)
        written.append(files.write_atomic(target, text.encode("utf-8", errors="surrogateescape"), overwrite=False))
    if workspace.catalog_path.is_relative_to(workspace.root):
        target = folder / workspace.catalog_path.relative_to(workspace.root)
        _make_folder(target.parent)
        data = files.read_bytes(workspace.catalog_path, max_bytes=64 * 1024 * 1024)
        written.append(files.write_atomic(target, data, overwrite=False))
    return SaveReport(tuple(written))


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or "it can't be made"
        finding = Finding(reason.lower(), "no_folder", Place(str(folder)), "name a folder that you may write to")
        raise FileRefused("nothing was saved", [finding]) from None


def _documents(workspace: Workspace) -> Iterator[Document]:
    yield workspace.settings_document
    yield workspace.rulebook_document
    yield from workspace.tenant_documents.values()
    for broken in workspace.broken:
        if broken.path.exists():
            yield read_document(broken.path)


def pending(workspace: Workspace, saved: WorkspaceState, state: WorkspaceState) -> list[tuple[Document, str]]:
    """Each file that a save would write, with the text it would have."""
    return [(change.document, change.text) for change in _changes(workspace, saved, state)]


def _with_document(workspace: Workspace, tenant_id: str | None, document: Document) -> Workspace:
    if tenant_id is None:
        return replace(workspace, rulebook_document=document)
    return replace(workspace, tenant_documents={**workspace.tenant_documents, tenant_id: document})


def _changes(workspace: Workspace, saved: WorkspaceState, state: WorkspaceState) -> Iterator[_Change]:
    from workbench.session.saving import toml_edits  # noqa: PLC0415 - slow to load, needed only to save

    if state.rulebook != saved.rulebook:
        document = workspace.rulebook_document
        text = toml_edits.rulebook_text(document.text, saved.rulebook, state.rulebook)
        _check_rulebook(workspace, document, text, state)
        yield _Change(document, text, None)
    before = {tenant.id: tenant for tenant in saved.tenants}
    for tenant in state.tenants:
        if before[tenant.id] != tenant:
            document = workspace.tenant_documents[tenant.id]
            text = toml_edits.tenant_text(document.text, before[tenant.id], tenant)
            _check_tenant(workspace, document, text, state, tenant.id)
            yield _Change(document, text, tenant.id)


def _check_rulebook(workspace: Workspace, document: Document, text: str, state: WorkspaceState) -> None:
    read = parse_rulebook(
        parse_document(replace(document, text=text), workspace.root),
        source=shown_path(document.path, workspace.root),
        text=text,
        vocabulary=state.vocabulary,
    )
    if read.sha256 != state.rulebook.sha256:
        raise _lossy(document)


def _check_tenant(workspace: Workspace, document: Document, text: str, state: WorkspaceState, tenant_id: str) -> None:
    read = parse_tenant(
        parse_document(replace(document, text=text), workspace.root),
        source=shown_path(document.path, workspace.root),
        text=text,
        schema=state.rulebook.schema,
        file_id=document.path.stem,
        workload=default_workload(workspace.settings),
    )
    wanted = state.tenant(tenant_id)
    if (read.facts, read.overrides, read.workload) != (wanted.facts, wanted.overrides, wanted.workload):
        raise _lossy(document)


def _lossy(document: Document) -> WorkspaceError:
    finding = Finding(
        "the edit can't be written into this file without losing something", "lossy_save", Place(str(document.path)),
        "export the policy, and write the change by hand",
    )  # fmt: skip
    return WorkspaceError("nothing was saved", [finding])


def disk_changes(workspace: Workspace) -> tuple[Path, ...]:
    """Files of the workspace that differ from what was read, or are gone, and new tenant files. Reads the disk."""
    found: list[Path] = []
    known = [workspace.rulebook_document, *workspace.tenant_documents.values()]
    for document in known:
        try:
            same = _same(document)
        except FileRefused:
            same = False
        if not same:
            found.append(document.path)
    seen = {document.path for document in known} | {broken.path for broken in workspace.broken}
    folder = workspace.root / workspace.settings.tenants
    found.extend(path for path in sorted(folder.glob("*.toml")) if path not in seen)
    return tuple(found)


def _same(document: Document) -> bool:
    """Whether the file still has the content that was read; its bytes count where size, time or inode differ."""
    try:
        status = document.path.stat()
    except OSError:
        return False
    known = document.stamp
    if (status.st_size, status.st_mtime_ns, status.st_ino) == (known.size, known.mtime_ns, known.inode):
        return True
    return files.stamp(document.path).sha256 == known.sha256
