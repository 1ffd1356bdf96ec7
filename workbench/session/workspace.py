"""Open a workspace: a folder with `workbench.toml`, a rulebook, tenant files and the catalog it names.

Owns finding and reading those files. A tenant file that can't be read is kept as `BrokenFile` and stops nobody else;
a catalog or a rulebook that can't be read stops the opening, with every finding.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from workbench.boundary import files, guarded_toml
from workbench.boundary.guarded_toml import locate
from workbench.catalog import Catalog, load_catalog, packaged_catalogs
from workbench.engine.pool import Pool
from workbench.errors import AdmissionError, Finding, Place, TenantError, WorkbenchError, WorkspaceError
from workbench.language.admission import Admitted, check
from workbench.language.clause_text import parse_pred
from workbench.rulebook.lint import check_benchmarks, check_names, idle_rules
from workbench.rulebook.rulebook import Rulebook, parse_rulebook
from workbench.rulebook.tenant import Tenant, Workload, parse_tenant
from workbench.session.settings import FILE_NAME, Settings, parse_settings
from workbench.session.state import WorkspaceState

MAX_FILE_BYTES = 256 * 1024
"""Most bytes of one TOML file."""
MAX_CATALOG_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Document:
    """A file as it was read: what edits start from and what a save compares with."""

    path: Path
    text: str
    stamp: files.Stamp


@dataclass(frozen=True, slots=True)
class BrokenFile:
    """A tenant file that can't be used, and why."""

    path: Path
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Workspace:
    """Everything a folder holds, as read."""

    root: Path
    title: str
    is_sample: bool
    """The sample that travels with the package: read it, save a copy elsewhere."""
    settings: Settings
    catalog_path: Path
    state: WorkspaceState
    broken: tuple[BrokenFile, ...]
    findings: tuple[Finding, ...]
    """Warnings of catalog, rulebook and tenants."""
    settings_document: Document
    rulebook_document: Document
    tenant_documents: Mapping[str, Document]
    """By tenant id."""

    @property
    def writable(self) -> bool:
        """Whether a save may go to the folder itself."""
        return not self.is_sample and os.access(self.root, os.W_OK)


def sample_root() -> Path:
    """The sample workspace: beside the package in a checkout, inside it in an installed wheel."""
    package = Path(__file__).resolve().parent.parent
    checkout = package.parent / "sample_tenants"
    return checkout if (checkout / FILE_NAME).is_file() else package / "_data" / "sample_tenants"


def find_workspace(option: Path | None) -> Path:
    """The folder to open: `option`, else the current one where it holds `workbench.toml`, else the sample."""
    if option is not None:
        return option.absolute()
    here = Path.cwd()
    return here if (here / FILE_NAME).exists() else sample_root()


def open_workspace(root: Path) -> Workspace:
    """Read the workspace in `root`. Findings name files by their path below it.

    Raises `WorkspaceError`, `CatalogError`, `RulebookError`, `DocumentError` or `FileRefused` where nothing can be
    shown.
    """
    try:
        return _open(root)
    except WorkbenchError as error:
        error.findings = _below(root, error.findings)
        raise


def named_by(root: Path) -> tuple[Settings, Path | None] | None:
    """The settings and the catalog's path as `workbench.toml` has them, good or not; None where it can't be read."""
    try:
        document = read_document(root / FILE_NAME)
        table = parse_document(document, root)
        settings = parse_settings(table, source=FILE_NAME, text=document.text, folder=root.resolve().name)
    except (WorkbenchError, OSError):
        return None
    try:
        return settings, _catalog_path(root, settings.catalog)
    except (WorkbenchError, OSError):
        return settings, root / settings.catalog if settings.catalog.endswith(".json") else None


def syntax_faults(root: Path) -> tuple[Finding, ...]:
    """What keeps any of a workspace's TOML files from being read, for one that can't be opened. Raises nothing."""
    if not (root / FILE_NAME).exists():
        return ()
    found: list[Finding] = []
    settings = Settings("", "")
    try:
        document = read_document(root / FILE_NAME)
        settings = parse_settings(parse_document(document, root), source=FILE_NAME, text=document.text, folder="")
    except WorkbenchError as error:
        found += error.findings
    for path in _toml_files(root, settings):
        try:
            parse_document(read_document(path), root)
        except WorkbenchError as error:
            found += error.findings
    return _below(root, found)


def _toml_files(root: Path, settings: Settings) -> Iterator[Path]:
    """Rulebook and tenant files; a folder or a name that can't be used is told elsewhere."""
    with suppress(WorkbenchError, OSError):
        yield files.path_inside(root, *Path(settings.rulebook).parts)
    with suppress(WorkbenchError, OSError):
        yield from sorted(files.path_inside(root, *Path(settings.tenants).parts).glob("*.toml"))


def _below(root: Path, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings with each file's path as below `root`, where it is."""

    def placed(finding: Finding) -> Finding:
        source = finding.place.source
        if source is None or Path(source) == root:
            return finding
        return replace(finding, place=replace(finding.place, source=shown_path(Path(source), root)))

    return tuple(placed(finding) for finding in findings)


def _open(root: Path) -> Workspace:
    if not (root / FILE_NAME).exists():
        raise WorkspaceError(
            "this is no workspace",
            [
                Finding(
                    f"there is no `{FILE_NAME}`", "no_workspace", Place(str(root)), "`workbench init DIR` writes one"
                )
            ],
        )
    settings_document = read_document(root / FILE_NAME)
    settings = parse_settings(
        parse_document(settings_document, root),
        source=FILE_NAME,
        text=settings_document.text,
        folder=root.resolve().name,
    )
    catalog_path = _catalog_path(root, settings.catalog)
    catalog = _catalog(catalog_path, root)
    rulebook_document = read_document(files.path_inside(root, *Path(settings.rulebook).parts))
    rulebook = read_rulebook(rulebook_document, root, catalog)
    tenants, documents, broken = read_tenants(root, settings, rulebook)
    state = WorkspaceState(
        catalog=catalog,
        pool=Pool(catalog.candidates, catalog.vocabulary),
        rulebook=rulebook,
        tenants=tenants,
        envelope=_envelope(settings, settings_document.text, catalog),
    )
    if settings.profiles:
        from workbench.session.profiles.named import compile_profiles  # noqa: PLC0415 - most workspaces have none

        compile_profiles(settings.profiles, root, state, default_workload(settings))
    findings = (
        *catalog.findings,
        *check_benchmarks(rulebook, catalog.benchmark_versions),
        *(() if broken else idle_rules(tenants, rulebook)),
        *(() if tenants or broken else (_nobody_there(settings),)),
        *(finding for tenant in tenants for finding in tenant.findings),
        *check_names(tenants, rulebook, catalog.values),
    )
    return Workspace(
        root=root,
        title=settings.title,
        is_sample=root.resolve() == sample_root().resolve(),
        settings=settings,
        catalog_path=catalog_path,
        state=state,
        broken=broken,
        findings=findings,
        settings_document=settings_document,
        rulebook_document=rulebook_document,
        tenant_documents=documents,
    )


def read_document(path: Path) -> Document:
    """One TOML file's text. Raises `FileRefused`, or `DocumentError` where it is not UTF-8."""
    data, stamp = files.read_stamped(path, max_bytes=MAX_FILE_BYTES)
    return Document(path, data.decode("utf-8-sig", errors="surrogateescape"), stamp)


def parse_document(document: Document, root: Path) -> dict[str, object]:
    """The document, in the workspace at `root`, as TOML. Raises `DocumentError` with path, line and column."""
    data = document.text.encode("utf-8", errors="surrogateescape")
    return guarded_toml.loads(data, source=shown_path(document.path, root))


def _nobody_there(settings: Settings) -> Finding:
    hint = f"write `{settings.tenants}/acme.toml` with an id and its facts; `workbench init DIR` shows how they look"
    return Finding(f"there is no tenant in `{settings.tenants}`", "no_tenants", Place(FILE_NAME), hint, "warning")


def read_rulebook(document: Document, root: Path, catalog: Catalog) -> Rulebook:
    """The rulebook in `document`. Raises `DocumentError` or `RulebookError` with every finding."""
    source = shown_path(document.path, root)
    return parse_rulebook(
        parse_document(document, root), source=source, text=document.text, vocabulary=catalog.vocabulary
    )


def read_tenants(
    root: Path, settings: Settings, rulebook: Rulebook
) -> tuple[tuple[Tenant, ...], dict[str, Document], tuple[BrokenFile, ...]]:
    """Every tenant file, in ascending order of id; those that can't be used apart, each with its findings."""
    folder = files.path_inside(root, *Path(settings.tenants).parts)
    if not folder.is_dir():
        place = Place(FILE_NAME, path="tenants")
        raise WorkspaceError(
            "the tenants can't be read",
            [
                Finding(
                    f"`{settings.tenants}` is no folder", "no_tenants", place, "make it, with one TOML file per tenant"
                )
            ],
        )
    tenants: dict[str, Tenant] = {}
    documents: dict[str, Document] = {}
    broken: list[BrokenFile] = []
    workload = default_workload(settings)
    for path in sorted(folder.glob("*.toml")):
        try:
            document, tenant = _read_tenant(path, root, rulebook, workload)
            _refuse_second(tenant, documents, path, root)
        except WorkbenchError as error:
            findings = error.findings or (Finding(error.title, "unreadable", Place(str(path))),)
            broken.append(BrokenFile(path, _below(root, findings)))
            continue
        tenants[tenant.id] = tenant
        documents[tenant.id] = document
    return tuple(tenants[key] for key in sorted(tenants)), documents, tuple(broken)


def _read_tenant(path: Path, root: Path, rulebook: Rulebook, workload: Workload) -> tuple[Document, Tenant]:
    files.check_name(path.stem, what="tenant file name")
    document = read_document(path)
    tenant = parse_tenant(
        parse_document(document, root),
        source=shown_path(path, root),
        text=document.text,
        schema=rulebook.schema,
        file_id=path.stem,
        workload=workload,
    )
    return document, tenant


def _refuse_second(tenant: Tenant, documents: Mapping[str, Document], path: Path, root: Path) -> None:
    if tenant.id in documents:
        first = shown_path(documents[tenant.id].path, root)
        place = Place(shown_path(path, root), path="id")
        reason = f"tenant `{tenant.id}` stands in `{first}` already"
        raise TenantError("two tenants of one id", [Finding(reason, "duplicate_id", place, "give it another id")])


def default_workload(settings: Settings) -> Workload:
    table = settings.workload or {}
    return Workload(
        tokens_in=table.get("tokens_in", 1000),
        tokens_out=table.get("tokens_out", 500),
        runs_per_month=table.get("runs_per_month"),
    )


def _envelope(settings: Settings, text: str, catalog: Catalog) -> Admitted | None:
    if settings.envelope is None:
        return None
    try:
        parsed = parse_pred(settings.envelope, catalog.vocabulary)
        return check(parsed.term, catalog.vocabulary, sort="Pred")
    except AdmissionError as error:
        place = Place(FILE_NAME, locate(text, ("envelope",)), path="envelope")
        findings = [replace(finding, place=place) for finding in error.findings]
        raise WorkspaceError("the envelope can't be used", findings) from None


def _catalog(path: Path, root: Path) -> Catalog:
    """The catalog; what is wrong with it names its path below the workspace, not only its file."""

    def placed(findings: Iterable[Finding]) -> tuple[Finding, ...]:
        shown = shown_path(path, root) if path.is_relative_to(root.resolve()) else path.name
        return tuple(
            replace(finding, place=replace(finding.place, source=shown))
            if finding.place.source == path.name
            else finding
            for finding in findings
        )

    try:
        catalog = load_catalog(path)
    except WorkbenchError as error:
        error.findings = placed(error.findings)
        raise
    return replace(catalog, findings=placed(catalog.findings))


def _catalog_path(root: Path, name: str) -> Path:
    if name.endswith(".json"):
        return files.path_inside(root, *Path(name).parts)
    packaged = packaged_catalogs()
    if name not in packaged:
        place = Place(FILE_NAME, path="catalog")
        hint = f"write one of {', '.join(sorted(packaged))}, or a path ending in `.json`"
        raise WorkspaceError(
            "the catalog can't be found", [Finding(f"there is no catalog `{name}`", "no_catalog", place, hint)]
        )
    return packaged[name]


def shown_path(path: Path, root: Path) -> str:
    """The path as findings show it: below the workspace where it is."""
    for folder in (root, root.resolve()):
        if path.is_relative_to(folder):
            return str(path.relative_to(folder))
    return str(path)
