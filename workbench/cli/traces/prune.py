"""`workbench traces prune`: delete traces, after saying how many."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click

from workbench.cli import diagnostics
from workbench.cli.invocation import FilePath, Invocation, declare
from workbench.cli.output import counted
from workbench.cli.traces.store import Opened, filter_of, filter_options, opened, place_option, tell
from workbench.session.tracing.asking import moment_ms
from workbench.session.tracing.pruning import Pruning, back_up, pruning
from workbench.traces.listing import Filter

HINT: Final = "--yes deletes them, --backup FILE keeps a copy"


@declare("prune", "Delete traces.")
@filter_options
@click.option("--older-than", metavar="AGE", help="Only older ones: 30d, 12h.")
@click.option("--keep", type=click.IntRange(min=0), metavar="N", help="All but the N newest.")
@click.option("--backup", metavar="FILE", type=FilePath(path_type=Path), help="Copy the store there first (SQLite).")
@click.option("--yes", is_flag=True, help="Do not ask.")
@place_option
def command(
    invocation: Invocation, older_than: str | None, keep: int | None, backup: Path | None, yes: bool,
    place: str | None, **options: Any,
) -> int:  # fmt: skip
    """Delete the traces that the options mean, and the contents that only they named; at least one option is needed.

    Says first how many. The text is gone from SQLite's files when this returns. A call in flight stays.
    """
    with opened(invocation, place) as here:
        wanted = _wanted(here, options, older_than, keep)
        store = here.traces.opened()
        plan = pruning(store, wanted, keep=keep, now_ms=here.now)
        if not yes and plan.count and not _agreed(invocation, plan, here.traces.shown):
            return diagnostics.OK
        if backup is not None and plan.count:
            back_up(store, backup)
        deleted = plan.run() if plan.count else 0
        if invocation.as_json:
            kept = None if backup is None or not deleted else str(backup)
            body = {"store": here.json, "deleted": deleted, "left": store.count(), "backup": kept}
            invocation.output.document(body)
        else:
            invocation.output.line(f"{counted(deleted, 'trace')} deleted, {store.count()} left")
        tell(invocation, here.traces)
    return diagnostics.OK


def _wanted(here: Opened, options: dict[str, Any], older_than: str | None, keep: int | None) -> Filter:
    wanted = filter_of(options, here.now)
    if older_than is not None:
        if wanted.until_ms is not None:
            raise diagnostics.usage("--older-than and --until say the same", hint="give one of them")
        wanted = replace(wanted, until_ms=moment_ms(older_than, here.now, "--older-than"))
    if wanted == Filter() and keep is None:
        raise diagnostics.usage(
            "nothing says which traces", hint="give --older-than 30d, --keep 1000, --tenant TENANT or another filter"
        )
    return wanted


def _agreed(invocation: Invocation, plan: Pruning, shown: str) -> bool:
    """Ask on a terminal; elsewhere say what it takes."""
    told = f"{counted(plan.count, 'trace')} of {plan.total} in {shown} would be deleted"
    if invocation.as_json or not (sys.stdin is not None and sys.stdin.isatty()):
        raise diagnostics.usage(f"{told}; nothing was", hint=HINT, code="ask")
    invocation.note(f"{told} for good; --backup FILE keeps a copy")
    return click.confirm("Delete them?", err=True)
