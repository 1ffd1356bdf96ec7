"""The command `workbench`: its subcommands by theme, and the app where none is named."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import click

from workbench.cli import diagnostics
from workbench.cli.groups import Entry, LazyGroup
from workbench.cli.invocation import CONTEXT, Invocation, common_options
from workbench.cli.output import write

if TYPE_CHECKING:
    from workbench.session.session import Session

_HERE: Final = "workbench.cli"

COMMANDS: Final = {
    "init": Entry(f"{_HERE}.author.init", "Write a small workspace that works.", "Write rules"),
    "check": Entry(f"{_HERE}.author.check", "Show everything that is wrong in the workspace, at once.", "Write rules"),
    "tenants": Entry(f"{_HERE}.author.tenants", "List the tenants and what each gets.", "Write rules"),
    "compile": Entry(f"{_HERE}.author.compile", "Print the policy a tenant compiles to.", "Write rules"),
    "edit": Entry(f"{_HERE}.author.edit", "Change a clause and see which tenants move.", "Write rules"),
    "rank": Entry(f"{_HERE}.decide.rank", "Rank the offers for a tenant.", "Decide"),
    "explain": Entry(f"{_HERE}.decide.explain", "Say why an offer is chosen, or is not.", "Decide"),
    "fleet": Entry(f"{_HERE}.whatif.fleet", "Decide for the real tenants: a file, a table, a query.", "What if"),
    "matrix": Entry(f"{_HERE}.whatif.matrix", "Show every tenant beside every offer, model or provider.", "What if"),
    "emulate": Entry(f"{_HERE}.run.emulate", "Imitate the providers on this machine, faults included.", "Run"),
    "traces": Entry(f"{_HERE}.traces.group", "List, show, export and delete traces.", "Run"),
    "replay": Entry(f"{_HERE}.traces.replay", "Decide a trace again and compare field by field.", "Run"),
    "compare": Entry(
        f"{_HERE}.whatif.compare", "Put tenants side by side, or one before and after a change.", "What if"
    ),
    "whatif": Entry(f"{_HERE}.whatif.facts", "Suppose other facts or clauses, and see what they decide.", "What if"),
    "diff": Entry(f"{_HERE}.whatif.diff", "Say whose decision a change of rules or catalog changes.", "What if"),
    "near": Entry(f"{_HERE}.whatif.near", "Find the smallest change that admits an offer.", "What if"),
    "rule-cost": Entry(
        f"{_HERE}.whatif.rule_cost", "Say what each clause costs, and what quality it brings.", "What if"
    ),
    "drill": Entry(f"{_HERE}.whatif.drill", "Play an outage; say who is left if a provider dies.", "What if"),
    "frontier": Entry(f"{_HERE}.whatif.frontier", "Plot price against quality, or two other figures.", "What if"),
    "call": Entry(f"{_HERE}.run.call", "Make one test call for a tenant.", "Run"),
    "health": Entry(f"{_HERE}.run.health", "Show which providers are out, and what calls measured.", "Run"),
    "serve": Entry(f"{_HERE}.run.serve", "Serve an OpenAI-compatible endpoint that routes by policy.", "Run"),
    "token": Entry(f"{_HERE}.tokens.group", "Make, list and revoke the endpoint's tokens.", "Run"),
    "export": Entry(f"{_HERE}.ship.export", "Write a tenant's policy and its sources to files.", "Ship"),
    "conformance": Entry(f"{_HERE}.ship.conformance", "Replay conformance vectors.", "Ship"),
    "catalog": Entry(f"{_HERE}.catalog.group", "Show, check and import catalogs of offers.", "Offers"),
}

_HELP: Final = """Decide per tenant which AI model may answer, see why, and prove it.

Without a command the app starts, on the workspace in the current folder, else on the sample.
"""

_EPILOG: Final = (
    "Exit codes: 0 ok, 1 findings, 2 usage, 3 no candidate, 4 provider failure, 5 internal; "
    "129 hung up, 130 interrupted, 143 terminated."
)


def _show_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from workbench.cli.version import installed_version

        write(f"workbench {installed_version()}\n")
        ctx.exit()


@click.group(
    "workbench",
    cls=LazyGroup,
    entries=COMMANDS,
    help=_HELP,
    epilog=_EPILOG,
    invoke_without_command=True,
    no_args_is_help=False,
    add_help_option=False,
    context_settings=dict(CONTEXT),
)
@click.pass_context
def root(ctx: click.Context) -> int:
    return _start_app(ctx.ensure_object(Invocation)) if ctx.invoked_subcommand is None else 0


root.params.extend(
    [
        *common_options(),
        click.Option(
            ["--version"], is_flag=True, is_eager=True, expose_value=False, callback=_show_version,
            help="Show the version and leave.",
        ),
    ]
)  # fmt: skip


def _start_app(invocation: Invocation) -> int:
    if not (sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()):
        raise diagnostics.usage(
            "the app needs a terminal, and this is none",
            hint="name a command instead, `workbench --help` lists them",
            code="no_terminal",
        )
    from workbench.cli.report import write_report
    from workbench.tui.app import run

    def opened() -> Session:
        from workbench.session.session import Session

        return Session(invocation.open())

    return run(opened, report=write_report)
