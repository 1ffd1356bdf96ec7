"""`workbench frontier`: a tenant's offers by two figures, and which of them nothing beats."""

from __future__ import annotations

import click

from workbench.cli import diagnostics
from workbench.cli.completion import complete_tenant
from workbench.cli.invocation import Invocation, declare, outcome_of
from workbench.cli.whatif.answers import check_form, show
from workbench.whatif.frontier.points import X, Y, frontier
from workbench.whatif.frontier.report import frontier_report

WIDTH = 100
"""Cells of the plot where there is no terminal to ask."""


@declare("frontier", "Plot price against quality, or two other figures.")
@click.argument("tenant", shell_complete=complete_tenant)
@click.option("--x", default=X, metavar="FIGURE", help="Across: price (of one run), price_out, latency, context, ...")
@click.option("--y", default=Y, metavar="FIGURE", help="Up: quality (bench_intelligence), context, speed, ...")
@click.option("--log/--linear", "log", default=None, help="The scale across; logarithmic for prices, unless named.")
@click.option("--height", type=click.IntRange(4, 200), default=20, metavar="N", help="Lines of the plot; 20.")
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values.")
def command(invocation: Invocation, tenant: str, x: str, y: str, log: bool | None, height: int, as_csv: bool) -> int:
    """Plot the offers for TENANT by two figures: what passes, what is rejected, the winner, and the line of the best.

    An offer is on the line where none that passes is at least as good in both figures and better in one. An offer of
    which a figure is unknown is listed as not plotted.
    """
    check_form(invocation, as_csv=as_csv)
    workspace = invocation.open()
    outcome = outcome_of(workspace, tenant)
    found = frontier(workspace.state, outcome, x, y)
    scale = found.x.spread if log is None else log
    size = (invocation.output.width or WIDTH, height)
    show(invocation, frontier_report(workspace.state, found, size, log_x=scale), as_csv=as_csv)
    return diagnostics.OK
