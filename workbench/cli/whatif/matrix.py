"""`workbench matrix`: every tenant beside every offer, model, provider or region."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from workbench.boundary.sanitiser import one_line
from workbench.cli import diagnostics, layout
from workbench.cli.documents import STREAM, write_result
from workbench.cli.invocation import Invocation, declare
from workbench.cli.layout import Table
from workbench.cli.output import Output, counted, escape_unsafe, write
from workbench.cli.shapes import catalog_json
from workbench.session.evaluation import Evaluator
from workbench.session.workspace import Workspace
from workbench.whatif.matrix.axis import BYS, By
from workbench.whatif.matrix.document import document
from workbench.whatif.matrix.exports import as_csv, as_markdown
from workbench.whatif.matrix.grid import Matrix
from workbench.whatif.matrix.page import as_html
from workbench.whatif.matrix.sheet import ORDERS, RESULTS, Asked, Sheet, sheet

WIDEST: Final = 14
"""Cells of a column on a terminal; a longer name of a rule is cut with a mark."""
WINNER: Final = "◆1"
_SHORT: Final[tuple[By, ...]] = ("provider", "region", "served_by")
"""What has names short enough for a heading; the others get letters, explained below the table."""


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for, by the names of the options."""

    by: By
    tenant: str
    offer: str
    sort: str
    order: str
    group: str | None
    differences: bool
    limit: int | None
    csv: bool
    markdown: bool
    html: str | None
    force: bool

    @property
    def asked(self) -> Asked:
        """Which rows and columns."""
        return Asked(self.tenant, self.offer, self.sort, self.order, self.group, self.differences)


@declare("matrix", "Show every tenant beside every offer, model or provider.")
@click.option("--by", type=click.Choice(BYS), default="offer", help="What the columns are; offer unless named.")
@click.option("--tenant", default="", metavar="TEXT", help="Only tenants whose id, title or facts have it.")
@click.option("--offer", default="", metavar="TEXT", help="Only columns whose name (or model, region) has it.")
@click.option("--sort", default="id", metavar="KEY", help=f"Rows by {', '.join(RESULTS)} or a fact.")
@click.option(
    "--order", type=click.Choice(ORDERS), default="chosen", help="Columns: the most chosen first, unless named."
)
@click.option("--group", metavar="FACT", help="Put rows of one value together, `plan` for instance.")
@click.option("--differences", is_flag=True, help="Only columns that differ; tenants that are alike share a row.")
@click.option("--limit", type=click.IntRange(min=0), metavar="N", help="At most N columns in a table; 0 is all.")
@click.option("--csv", is_flag=True, help="Print comma-separated values.")
@click.option("--markdown", is_flag=True, help="Print a Markdown table.")
@click.option("--html", metavar="FILE", help="Write one page of HTML that needs nothing else; - is stdout.")
@click.option("--force", is_flag=True, help="Replace FILE.")
def command(invocation: Invocation, **given: Any) -> int:
    """Show every tenant beside every offer: where the offer stands for the tenant, or the rule that turns it away.

    A number is the place in the tenant's order, 1 the winner. A word is a rule. `--by` puts the offers of one model,
    provider or region into one column: its best place, or the rule that turns the last of them away.
    """
    options = Options(**given)
    _check(options, as_json=invocation.as_json)
    workspace = invocation.open()
    matrix = Matrix(Evaluator().evaluate(workspace.state), options.by)
    _write(invocation, workspace, sheet(matrix, options.asked), options)
    broken = [finding for file in workspace.broken for finding in file.findings]
    errors = [finding for outcome in matrix.evaluation.outcomes.values() for finding in outcome.errors]
    invocation.complain([*broken, *errors])
    return diagnostics.FINDINGS if broken or errors else diagnostics.OK


def _check(options: Options, *, as_json: bool) -> None:
    forms = {
        "--json": as_json,
        "--csv": options.csv,
        "--markdown": options.markdown,
        "--html": options.html is not None,
    }
    named = [name for name, given in forms.items() if given]
    if len(named) > 1:
        raise diagnostics.usage(f"{' and '.join(named)} exclude each other", hint="keep one", code="forms")
    if options.force and options.html is None:
        raise diagnostics.usage("--force is for --html FILE", hint="name the file", code="forms")


def _write(invocation: Invocation, workspace: Workspace, shown: Sheet, options: Options) -> None:
    if invocation.as_json:
        catalog = catalog_json(workspace.state.catalog)
        broken = [_broken(file.path, file.findings) for file in workspace.broken]
        invocation.output.document({"catalog": catalog, **document(shown), "broken": broken})
    elif options.csv:
        write(escape_unsafe(as_csv(shown)))
    elif options.markdown:
        write(escape_unsafe(as_markdown(shown)))
    elif options.html is not None:
        _page(
            invocation,
            as_html(shown, f"{workspace.title}: tenants by {shown.matrix.axis.by}"),
            options.html,
            options.force,
        )
    else:
        _show(invocation, shown, options.limit)


def _broken(path: Path, findings: Sequence[Any]) -> dict[str, Any]:
    return {"file": str(path), "findings": [finding.as_document() for finding in findings]}


def _page(invocation: Invocation, page: str, name: str, force: bool) -> None:
    if name == STREAM:
        write(page)
        return
    done = write_result(Path(name), page.encode(), force=force)
    invocation.output.line(f"{done}: {name} ({len(page.encode()):,} bytes)")


def _show(invocation: Invocation, shown: Sheet, limit: int | None) -> None:
    output = invocation.output
    axis = shown.matrix.axis
    columns = f"{len(shown.columns)} of {counted(len(axis.names), axis.by)}"
    output.heading(f"{len(shown.rows)} of {counted(len(shown.matrix.tenants), 'tenant')} by {columns}")
    if not shown.rows or not shown.columns:
        output.line("nothing matches" if not shown.asked.differences or not shown.rows else "no column differs")
        return
    count = _columns_shown(output, shown, limit)
    named = axis.by in _SHORT or output.width is None
    output.table(_table(shown, count, named=named, cut=output.width is not None))
    if not named:
        output.line()
        output.table(_legend(shown, count))
    _notes(invocation, shown, count)


def _notes(invocation: Invocation, shown: Sheet, count: int) -> None:
    output = invocation.output
    if count < len(shown.columns):
        output.line(f"… and {len(shown.columns) - count} more columns; --csv has all, --by provider has fewer")
    if shown.hidden:
        output.line(f"{counted(shown.hidden, 'column')} left out: all rows say the same there")
    invocation.note(
        "a number is the place, 1 the winner; a word is the rule that says no: `workbench explain` says why"
    )


def _texts(shown: Sheet, row: int, count: int) -> list[str]:
    codes = shown.codes(row)[:count]
    return [WINNER if text == "1" else text for text in shown.matrix.texts(codes)]


def _columns_shown(output: Output, shown: Sheet, limit: int | None) -> int:
    """How many columns the table has: the limit, else as many as fit on the terminal."""
    total = len(shown.columns)
    if limit is not None:
        return min(limit or total, total)
    if output.width is None:
        return total
    first = max(layout.cells(row.label) for row in shown.rows)
    if shown.asked.group:
        first += len(layout.GAP) + max(layout.cells(row.group or "") for row in shown.rows)
    each = WIDEST + len(layout.GAP)
    return max(1, min(total, (output.width - min(first, WIDEST * 3)) // each))


def _table(shown: Sheet, count: int, *, named: bool, cut: bool) -> Table:
    group = shown.asked.group
    names = [shown.name(k) if named else letters(k) for k in range(count)]
    headings = ["tenant", *([group] if group else []), *names]
    rows: list[list[str]] = []
    for place, row in enumerate(shown.rows):
        texts = _texts(shown, place, count)
        cells = [layout.fit(one_line(text), WIDEST) for text in texts] if cut else texts
        rows.append([row.label, *([row.group or ""] if group else []), *cells])
    return Table([layout.fit(one_line(name), WIDEST) if cut and k else name for k, name in enumerate(headings)], rows)


def letters(place: int) -> str:
    """`a` to `z`, then `aa`, `ab`: the short name of a column."""
    found = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        found = chr(ord("a") + rest) + found
    return found


def _legend(shown: Sheet, count: int) -> Table:
    wins, admitted = shown.matrix.wins(), shown.matrix.admitted()
    rows = [
        (letters(k), shown.name(k), str(wins[shown.columns[k]]), str(admitted[shown.columns[k]])) for k in range(count)
    ]
    return Table(("", shown.matrix.axis.by, "wins", "passes for"), rows, frozenset(("wins", "passes for")))
