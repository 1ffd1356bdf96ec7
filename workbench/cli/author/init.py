"""`workbench init`: a small workspace that works, explained by its comments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from workbench.boundary import files, regular
from workbench.cli import diagnostics
from workbench.cli.documents import make_folder
from workbench.cli.invocation import FilePath, Invocation, declare
from workbench.errors import FileRefused, Finding, Place, WorkbenchError
from workbench.session.settings import FILE_NAME

TEMPLATE = Path(__file__).parent / "template"


@declare("init", "Write a small workspace that works.")
@click.argument("folder", metavar="DIR", type=FilePath(path_type=Path))
def command(invocation: Invocation, folder: Path) -> int:
    """Write a small workspace that works into DIR, a new folder or one without a workspace.

    Three tenants, four rules, comments that explain them. Overwrites nothing.
    """
    written = write_template(folder)
    if invocation.as_json:
        invocation.output.document({"workspace": str(folder), "files": [str(path) for path in written]})
    elif not invocation.quiet:
        for path in written:
            invocation.output.line(f"wrote {path}")
    invocation.note(f"next: cd {folder} && workbench check")
    return diagnostics.OK


def write_template(folder: Path) -> list[Path]:
    """Write every file of the template below `folder`; all of them or, where one is in the way, none.

    Raises `FileRefused` with every file that is in the way.
    """
    sources = sorted(path for path in TEMPLATE.rglob("*.toml"))
    targets = [folder / source.relative_to(TEMPLATE) for source in sources]
    try:
        in_the_way = list(_in_the_way(folder, targets))
    except (OSError, ValueError) as error:
        raise regular.refused(folder, "made", error) from None
    if in_the_way:
        raise FileRefused("nothing is overwritten", in_the_way)
    written: list[Path] = []
    try:
        for source, target in zip(sources, targets, strict=True):
            make_folder(target.parent)
            written.append(files.write_atomic(target, source.read_bytes(), follow_link=False, overwrite=False))
    except WorkbenchError:
        for path in written:
            path.unlink(missing_ok=True)
        raise
    return written


_HINT = "name a new folder"


def _in_the_way(folder: Path, targets: Iterable[Path]) -> Iterator[Finding]:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        yield Finding("it is no folder", "not_a_folder", Place(str(folder)), _HINT)
    if (folder / FILE_NAME).is_file():
        yield Finding("it is a workspace already", "exists", Place(str(folder)), _HINT)
        return
    for path in targets:
        if path.is_symlink() or path.exists():
            yield Finding("it exists already", "exists", Place(str(path)), _HINT)
