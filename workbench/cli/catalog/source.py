"""Which catalog a command is about: the one named, else the workspace's."""

from __future__ import annotations

from pathlib import Path

from workbench.boundary import files
from workbench.catalog import Catalog, load_catalog, packaged_catalogs
from workbench.cli import diagnostics
from workbench.cli.invocation import Invocation
from workbench.cli.usage import suggestion
from workbench.errors import Finding, Place, WorkspaceError
from workbench.session.settings import FILE_NAME, Settings, parse_settings
from workbench.session.workspace import parse_document, read_document


def chosen_catalog(invocation: Invocation, name: str | None) -> Catalog:
    """The packaged catalog or the file `name`; without one, the workspace's."""
    return workspace_catalog(invocation) if name is None else load_catalog(named_path(name))


def named_path(name: str) -> Path:
    """The path of a packaged catalog, or of a file. Raises `UsageError` with a suggestion where it is neither."""
    packaged = packaged_catalogs()
    if name in packaged:
        return packaged[name]
    if name.endswith(".json"):
        return Path(name)
    hint = suggestion(name, packaged) or f"write one of {', '.join(packaged)}, or a file ending in `.json`"
    raise diagnostics.usage(f"there is no catalog `{name}`", hint=hint, code="no_catalog")


def workspace_catalog(invocation: Invocation) -> Catalog:
    """The catalog that the workspace names, its rulebook and its tenants unread."""
    root = invocation.root()
    name = workspace_settings(root).catalog
    if name.endswith(".json"):
        return load_catalog(files.path_inside(root, *Path(name).parts))
    return load_catalog(named_path(name))


def workspace_settings(root: Path) -> Settings:
    """What `workbench.toml` of the workspace says. Raises `WorkspaceError`, `FileRefused` or `DocumentError`."""
    path = root / FILE_NAME
    if not path.exists():
        hint = "`workbench init DIR` writes one"
        finding = Finding(f"there is no `{FILE_NAME}`", "no_workspace", Place(str(root)), hint)
        raise WorkspaceError("this is no workspace", [finding])
    document = read_document(path)
    return parse_settings(
        parse_document(document, root), source=FILE_NAME, text=document.text, folder=root.resolve().name
    )
