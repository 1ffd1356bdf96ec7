"""What is to be diffed, from the word that names it: a folder, a rulebook file, a catalog, a git revision.

The one module here that reads files. A revision's files are put into a folder of their own for as long as it takes to
read them; a rulebook or a catalog alone stands in the workspace that is not named otherwise.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from workbench.boundary.sanitiser import one_line
from workbench.catalog import Catalog, load_catalog, packaged_catalogs
from workbench.engine.pool import Pool
from workbench.errors import Finding, Place, UsageError, WorkbenchError, WorkspaceError
from workbench.language.admission import check
from workbench.rulebook.rulebook import under
from workbench.session.settings import FILE_NAME
from workbench.session.state import WorkspaceState
from workbench.session.workspace import Workspace, open_workspace, read_document, read_rulebook, read_tenants
from workbench.whatif.differ.revisions import Revision, read_revision

NOW: Final = "now"
"""What the workspace as it is here is called."""

Kind = Literal["workspace", "rulebook", "catalog", "revision"]


@dataclass(frozen=True, slots=True)
class Broken:
    """A tenant of one side that can't be read."""

    tenant: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two that are held against each other."""

    label: str
    """As it was named."""
    kind: Kind
    detail: str
    """The commit of a revision, the file of the rest."""
    state: WorkspaceState
    broken: tuple[Broken, ...] = ()
    workspace: Workspace | None = None
    """Where its files still are; None for what is there no longer, or was put together."""


def read_sides(first: str, second: str | None, here: Workspace, now: WorkspaceState | None = None) -> tuple[Side, Side]:
    """The two sides. Without a second word it is the workspace as it is on disk.

    A revision is one of the repository that the workspace is in; where that is but the sample, of the current folder's.
    A rulebook or a catalog stands in the other side's workspace where that is one, else in `here`. `now` is the state
    that goes before what is on disk, for edits that are not saved. Raises `UsageError`
    for a word that names nothing, and what reading raises, with the side's name before it.
    """
    words = [first] if second is None else [first, second]
    whole = {word: side for word in words if (side := _whole(word, here)) is not None}
    mine = side_of(here, NOW)
    if now is not None:
        mine = replace(mine, state=now, workspace=None)
    base = next(iter(whole.values()), mine)
    sides = [whole[word] if word in whole else _part(word, base) for word in words]
    if second is None:
        sides.append(mine)
    return sides[0], sides[1]


def side_of(workspace: Workspace, label: str, kind: Kind = "workspace", detail: str = "") -> Side:
    """A workspace as a side."""
    broken = tuple(
        Broken(file.path.stem, tuple(_relative(finding, workspace.root) for finding in file.findings))
        for file in workspace.broken
    )
    kept = workspace if kind == "workspace" else None
    return Side(label, kind, detail or str(workspace.root), workspace.state, broken, kept)


def _relative(finding: Finding, root: Path) -> Finding:
    source = finding.place.source
    if source is None or not Path(source).is_relative_to(root):
        return finding
    return replace(finding, place=replace(finding.place, source=str(Path(source).relative_to(root))))


def _whole(word: str, here: Workspace) -> Side | None:
    """The side that brings its own workspace; None for a rulebook file or a catalog."""
    path = Path(word)
    if _is_folder(path):
        with _named(word):
            return side_of(open_workspace(path), word)
    if word in packaged_catalogs() or _is_file(path):
        return None
    if word.endswith((".toml", ".json")) and ":" not in word:
        reason = f"there is no file `{one_line(word, limit=80)}`"
        raise UsageError("nothing to diff", [Finding(reason, "missing", Place(), "name one that is there")])
    revision = read_revision(Path.cwd() if here.is_sample else here.root, word)
    with _named(word), tempfile.TemporaryDirectory(prefix="workbench-revision-") as folder:
        return _revision_side(word, revision, Path(folder))


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _is_file(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _revision_side(word: str, revision: Revision, folder: Path) -> Side:
    if FILE_NAME not in revision.files:
        why = "it is a link, which is not followed" if FILE_NAME in revision.links else "the revision has none there"
        hint = "write REV:FOLDER with the workspace's folder in the repository"
        finding = Finding(f"no `{FILE_NAME}`: {why}", "no_workspace", Place(), hint)
        raise WorkspaceError("this is no workspace", [finding])
    for name, data in revision.files.items():
        put(folder, name, data)
    workspace = open_workspace(folder)
    side = side_of(workspace, word, "revision", revision.commit)
    inside = f"{workspace.settings.tenants}/"
    linked = [name for name in revision.links if name.startswith(inside) and name.endswith(".toml")]
    return replace(side, broken=(*side.broken, *(Broken(Path(name).stem, (_is_link(name),)) for name in linked)))


def _is_link(name: str) -> Finding:
    return Finding("it is a link in the revision, and links are not followed", "link", Place(one_line(name)))


def put(folder: Path, name: str, data: bytes) -> None:
    """Write one file of a revision below `folder`. Raises `WorkspaceError` for a name that would leave it."""
    steps = name.split("/")
    if any(step in {"", ".", ".."} or "\x00" in step or "\\" in step for step in steps):
        raise WorkspaceError("a revision can't be read", [Finding(f"`{one_line(name)}` is no safe path", "outside")])
    path = folder.joinpath(*steps)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        reason = f"`{one_line(name, limit=80)}` can't be unpacked, {type(error).__name__}"
        raise WorkspaceError("a revision can't be read", [Finding(reason, "io")]) from None


def _part(word: str, base: Side) -> Side:
    """A catalog or a rulebook file, in the workspace of `base`."""
    with _named(word):
        if word in packaged_catalogs():
            return with_catalog(base, load_catalog(packaged_catalogs()[word]), word)
        path = Path(word)
        if path.suffix == ".json":
            return with_catalog(base, load_catalog(path), word)
        return _with_rulebook(base, path, word)


def with_catalog(base: Side, catalog: Catalog, label: str) -> Side:
    """The side's rulebook and tenants over another catalog. Raises `RulebookError` where a rule does not read there."""
    rulebook = under(base.state.rulebook, catalog.vocabulary)
    envelope = base.state.envelope
    if envelope is not None:
        envelope = check(envelope.source, catalog.vocabulary, sort="Pred")
    pool = Pool(catalog.candidates, catalog.vocabulary)
    state = replace(base.state, catalog=catalog, pool=pool, rulebook=rulebook, envelope=envelope)
    return Side(label, "catalog", f"{catalog.name}, {catalog.date}", state, base.broken)


def _with_rulebook(base: Side, path: Path, label: str) -> Side:
    """The tenants under another rulebook, read anew where their files are: its schema may ask for other facts."""
    rulebook = read_rulebook(read_document(path), path.parent, base.state.catalog)
    there = base.workspace
    if there is None:
        return Side(label, "rulebook", str(path), base.state.with_rulebook(rulebook), base.broken)
    tenants, _, broken = read_tenants(there.root, there.settings, rulebook)
    told = tuple(Broken(file.path.stem, tuple(_relative(f, there.root) for f in file.findings)) for file in broken)
    return Side(label, "rulebook", str(path), replace(base.state, rulebook=rulebook, tenants=tenants), told)


def catalogs_by_name() -> dict[str, Path]:
    """The catalogs that travel with the program, oldest first."""
    return dict(packaged_catalogs())


class _named:  # noqa: N801 - reads as the statement it is
    """Says which side it was that could not be read."""

    def __init__(self, word: str) -> None:
        self.word = one_line(word, limit=80)

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, UsageError | type(None)) or not isinstance(error, WorkbenchError):
            return
        findings: Sequence[Finding] = error.findings or [Finding(error.title, "unreadable")]
        error.title = f"`{self.word}` can't be read: {error.title}"
        error.findings = tuple(replace(f, place=replace(f.place, source=self._source(f))) for f in findings)

    def _source(self, finding: Finding) -> str:
        source = finding.place.source
        if source is None or source == self.word or "workbench-revision-" in source:
            return self.word
        return f"{self.word}: {source}"
