"""What is not saved yet, kept where a killed terminal cannot take it along.

Owns one file per workspace in the user's state directory (0600): the text that a save would write, for each file that
differs, and what stood in those files when they were read. Holds no prompt and no key. Nothing is ever applied from
it without being asked for.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, cast

import platformdirs

from workbench.boundary import files, strict_json
from workbench.errors import DocumentError, FileRefused, WorkbenchError
from workbench.rulebook.tenant import Tenant, parse_tenant
from workbench.session import saving
from workbench.session.state import WorkspaceState
from workbench.session.workspace import (
    Document,
    Workspace,
    default_workload,
    parse_document,
    read_rulebook,
    shown_path,
)

SCHEMA: Final = 1
MAX_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Journal:
    """Unsaved edits as they were last kept."""

    texts: Mapping[str, str]
    """What a save would have written, by path below the workspace."""
    bases: Mapping[str, str]
    """SHA-256 of what stood there when it was read."""

    def stale_files(self, workspace: Workspace) -> tuple[str, ...]:
        """Files that have changed since; restoring puts the kept text over what they say now, unsaved."""
        now = {shown_path(document.path, workspace.root): document.stamp.sha256 for document in _documents(workspace)}
        return tuple(name for name, base in sorted(self.bases.items()) if now.get(name) != base)


def journal_of(root: Path, state_folder: Path | None = None) -> JournalFile:
    """The journal of the workspace in `root`; `state_folder` in place of the user's own."""
    folder = state_folder or Path(platformdirs.user_state_dir("policy-workbench"))
    name = sha256(str(root.resolve()).encode("utf-8", errors="surrogateescape")).hexdigest()[:32]
    return JournalFile(folder / "journals" / f"{name}.json")


def beside(own: JournalFile) -> JournalFile:
    """The journal of this process, where another one keeps the workspace's."""
    return JournalFile(own.path.with_name(f"{own.path.stem}.earlier-p{os.getpid()}.json"))


def kept_by(path: Path) -> int | None:
    """The process that keeps a journal made by `beside`."""
    number = path.stem.rpartition(".earlier-p")[2]
    return int(number) if ".earlier-p" in path.stem and number.isdigit() else None


@dataclass(frozen=True, slots=True)
class JournalFile:
    """The journal of one workspace on disk."""

    path: Path

    def keep(self, workspace: Workspace, saved: WorkspaceState, state: WorkspaceState) -> bool:
        """Keep what is not saved; with nothing unsaved the journal goes away. Gives whether there is one now.

        Raises `FileRefused` where it can't be written. Writes the disk: not for a thread that draws.
        """
        texts: dict[str, str] = {}
        bases: dict[str, str] = {}
        for document, text in saving.pending(workspace, saved, state):
            name = shown_path(document.path, workspace.root)
            texts[name] = text
            bases[name] = document.stamp.sha256
        if not texts:
            self.discard()
            return False
        _make_folder(self.path.parent)
        value = {"schema": SCHEMA, "workspace": str(workspace.root.resolve()), "texts": texts, "bases": bases}
        files.write_atomic(self.path, strict_json.dumps(value).encode(), mode=0o600)
        return True

    def find(self) -> Journal | None:
        """Unsaved edits of an earlier sitting; None where there are none, or none that can be read (the file stays)."""
        try:
            value: Any = strict_json.loads(files.read_bytes(self.path, max_bytes=MAX_BYTES), max_bytes=MAX_BYTES)
        except (FileRefused, DocumentError):
            return None
        if not isinstance(value, dict):
            return None
        table = cast("dict[str, Any]", value)
        texts, bases = table.get("texts"), table.get("bases")
        if table.get("schema") != SCHEMA or not _is_texts(texts) or not _is_texts(bases) or not texts:
            return None
        return Journal(cast("dict[str, str]", texts), cast("dict[str, str]", bases))

    def discard(self) -> None:
        """Give them up. Raises `FileRefused` where the file can't be removed."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise FileRefused(f"the journal can't be removed: {error.strerror}") from None


def restored(journal: Journal, workspace: Workspace) -> WorkspaceState:
    """The workspace's state with the kept texts in place of what the files say; nothing is written.

    Raises what reading such a file raises; a text for a file that is no longer part of the workspace is an error.
    """
    state = workspace.state
    documents = {shown_path(document.path, workspace.root): document for document in _documents(workspace)}
    missing = [name for name in journal.texts if name not in documents]
    if missing:
        raise WorkbenchError(f"the journal speaks of `{missing[0]}`, which is gone")
    changed = {name: replace(documents[name], text=text) for name, text in journal.texts.items()}
    rulebook_name = shown_path(workspace.rulebook_document.path, workspace.root)
    if rulebook_name in changed:
        rulebook = read_rulebook(changed.pop(rulebook_name), workspace.root, state.catalog)
        state = state.with_rulebook(rulebook)
    for name, document in sorted(changed.items()):
        state = state.with_tenant(_tenant(document, name, workspace, state))
    return state


def _tenant(document: Document, name: str, workspace: Workspace, state: WorkspaceState) -> Tenant:
    return parse_tenant(
        parse_document(document, workspace.root),
        source=name,
        text=document.text,
        schema=state.rulebook.schema,
        file_id=document.path.stem,
        workload=default_workload(workspace.settings),
    )


def _documents(workspace: Workspace) -> tuple[Document, ...]:
    return (workspace.rulebook_document, *workspace.tenant_documents.values())


def _is_texts(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    return all(isinstance(text, str) for text in cast("dict[str, Any]", value).values())


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise FileRefused(f"the journal's folder can't be made: {error.strerror}") from None
