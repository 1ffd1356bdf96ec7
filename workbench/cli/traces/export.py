"""`workbench traces export`: traces as JSON lines, each enough to decide it again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import click

from workbench.boundary import files, strict_json
from workbench.boundary.regular import target_of
from workbench.cli import diagnostics
from workbench.cli.documents import STREAM
from workbench.cli.invocation import FilePath, Invocation, declare
from workbench.cli.output import counted, escape_unsafe, write
from workbench.cli.traces.store import filter_of, filter_options, opened, place_option, tell
from workbench.errors import FileRefused, Finding, Place
from workbench.session.tracing.whole import Exported, exported

MOST: Final = 512 * 1024 * 1024
"""Most bytes of a file; stdout has no bound."""


@declare("export", "Write traces as JSON lines.")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@filter_options
@click.option("--out", default=STREAM, metavar="FILE", type=FilePath(allow_dash=True), help="The file; else stdout.")
@click.option("--force", is_flag=True, help="Replace a file that exists.")
@place_option
def command(
    invocation: Invocation, ids: tuple[str, ...], out: str, force: bool, place: str | None, **options: Any
) -> int:
    """Write traces as JSON lines, oldest first: those of the IDs, else all that the options mean.

    The id of a flow means the traces of its nodes, in their order.

    No key is in a trace, so none is in the file. The text of calls is, where a tenant lets it be kept: the file is for
    your eyes only (0600). A trace that can't be read is told and left out, and then the exit code is 1.
    """
    with opened(invocation, place) as here:
        wanted = filter_of(options, here.now)
        if out != STREAM:
            _check(Path(out), force=force)
        damaged: list[Finding] = []
        lines = _lines(exported(here.traces.opened(), wanted, ids, now_ms=here.now), damaged)
        number = sum(map(_printed, lines)) if out == STREAM else _to_file(Path(out), lines)
        if invocation.as_json and out != STREAM:
            body = {"traces": number, "path": out, "failed": [found.as_document() for found in damaged]}
            invocation.output.document(body)
        else:
            invocation.note(f"{counted(number, 'trace')} written{'' if out == STREAM else f' to {out}'}")
            invocation.complain(damaged)
        tell(invocation, here.traces)
    return diagnostics.FINDINGS if damaged else diagnostics.OK


def _lines(found: Iterable[Exported], damaged: list[Finding]) -> Iterator[str]:
    for one in found:
        if one.document is None:
            damaged += one.findings
        else:
            yield escape_unsafe(strict_json.dumps(one.document)) + "\n"


def _printed(line: str) -> bool:
    write(line)
    return True


def _check(path: Path, *, force: bool) -> None:
    """Before anything is read. Raises `FileRefused`."""
    _, status = target_of(path, follow_link=False)
    if status is not None and not force:
        finding = Finding("it exists already", "exists", Place(str(path)), "--force replaces it")
        raise FileRefused("nothing is overwritten", [finding])


def _to_file(path: Path, lines: Iterable[str]) -> int:
    """Put all lines into a file, whole or not at all; gives how many."""
    kept: list[bytes] = []
    size = 0
    for line in lines:
        kept.append(line.encode())
        size += len(kept[-1])
        if size > MOST:
            hint = "mean fewer with --since and --until, or write to stdout, which has no bound"
            raise FileRefused("too much for one file", [Finding(f"more than {MOST:,} bytes", "too_large", hint=hint)])
    files.write_atomic(path, b"".join(kept), mode=0o600, follow_link=False)
    return len(kept)
