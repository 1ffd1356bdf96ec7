"""How an answer is printed: as text fitted to the terminal, as CSV, or as JSON."""

from __future__ import annotations

import textwrap

from workbench.boundary import sanitiser
from workbench.cli import diagnostics, layout
from workbench.cli.invocation import Invocation
from workbench.cli.layout import Table
from workbench.cli.output import Output, escape_unsafe, write
from workbench.whatif.report import Report, Sheet


def check_form(invocation: Invocation, *, as_csv: bool) -> None:
    """Raises `UsageError` where two forms are asked for at once."""
    if invocation.as_json and as_csv:
        raise diagnostics.usage("--json and --csv exclude each other", hint="keep one", code="forms")


def show(invocation: Invocation, report: Report, *, as_csv: bool = False) -> None:
    """Print the answer in the form that was asked for."""
    output = invocation.output
    if invocation.as_json:
        output.document(report.document)
        return
    if as_csv:
        write(escape_unsafe(report.csv()))
        return
    output.heading(report.title)
    for line in report.lines:
        say(output, line)
    for sheet in report.sheets:
        _show_sheet(invocation, sheet)


def say(output: Output, line: str) -> None:
    """A line that is not cut: what is too long for the terminal goes on below. Drawings start with a blank and stay."""
    shown = sanitiser.one_line(line)
    if output.width is None or line.startswith(" ") or layout.cells(shown) <= output.width:
        output.line(line)
        return
    for part in textwrap.wrap(shown, output.width, subsequent_indent="  ", break_on_hyphens=False):
        output.line(part)


def _show_sheet(invocation: Invocation, sheet: Sheet) -> None:
    output = invocation.output
    if not sheet.rows and not sheet.empty:
        return
    output.line()
    if sheet.title:
        output.heading(sheet.title)
    if sheet.rows:
        output.table(Table(sheet.headings, sheet.rows, sheet.numbers))
    else:
        output.line(sheet.empty)
