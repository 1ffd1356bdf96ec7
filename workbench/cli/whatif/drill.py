"""`workbench drill`: providers down or failing on a virtual clock, for one tenant or all; and who dies if X dies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import click

from workbench.cli import diagnostics
from workbench.cli.completion import complete_tenant
from workbench.cli.invocation import Invocation, declare, outcome_of
from workbench.cli.usage import Finite
from workbench.cli.whatif.answers import check_form, say, show
from workbench.engine import explain
from workbench.engine.faults import FAULTS
from workbench.language.admission import check
from workbench.language.clause_text import parse_pred
from workbench.session.evaluation import Evaluation, Evaluator
from workbench.session.workspace import Workspace
from workbench.whatif.drill.radar_report import radar_report
from workbench.whatif.drill.reports import all_report, drill_report
from workbench.whatif.drill.run import drill, drill_all
from workbench.whatif.drill.trouble import ASSUMED_MS, Trouble, trouble_of
from workbench.whatif.drill.words import ladder
from workbench.whatif.matrix.axis import BYS, By
from workbench.whatif.matrix.sheet import matches
from workbench.whatif.radar import SORTS, radar

MOST_MS: Final = 300_000.0


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for, by the names of the options."""

    tenant: str | None
    down: tuple[str, ...]
    fault: tuple[str, ...]
    everyone: bool
    radar: bool
    by: By | None
    where: str | None
    among: str | None
    sort: str | None
    seed: int
    latency: float
    stream: bool
    steps: bool
    csv: bool


def _faults() -> str:
    return "\b\n" + "\n".join(f"  {kind.form:28} {kind.help}" for kind in FAULTS.values())


_EPILOG: Final = f"Kinds of faults, TIME as 2s or 500ms:\n\n{_faults()}"


@declare("drill", "Play an outage; say who is left if a provider dies.", epilog=_EPILOG)
@click.argument("tenant", required=False, shell_complete=complete_tenant)
@click.option("--down", multiple=True, metavar="PROVIDER", help="A provider that is down; may be repeated.")
@click.option("--fault", multiple=True, metavar="FAULT", help="PROVIDER[/MODEL]=KIND[:ARG][@PROBABILITY]; repeatable.")
@click.option("--all", "everyone", is_flag=True, help="Every tenant: which end with nobody.")
@click.option("--radar", is_flag=True, help="Every provider gone, one at a time: who dies, who moves to whom.")
@click.option("--by", type=click.Choice(BYS), help="What goes in the radar; provider unless named.")
@click.option("--where", metavar="CLAUSE", help="Look only at offers that pass it: `region = eu`.")
@click.option("--among", metavar="TEXT", help="With --all and --radar only tenants whose id, title or facts have it.")
@click.option("--sort", type=click.Choice(SORTS), help="The radar's order; who kills most comes first, unless named.")
@click.option("--seed", type=int, default=0, metavar="N", help="For faults with a probability.")
@click.option(
    "--latency",
    type=Finite(0, MOST_MS),
    default=ASSUMED_MS,
    metavar="MS",
    help=f"How long a call takes where the catalog does not say; {ASSUMED_MS:.0f} unless named.",
)
@click.option("--stream", is_flag=True, help="Calls are streamed; some faults then strike after the first word.")
@click.option("--steps", is_flag=True, help="Draw the ladder.")
@click.option("--csv", is_flag=True, help="Print comma-separated values.")
def command(invocation: Invocation, **given: Any) -> int:
    """Play a request of TENANT while providers are down or fail: attempts, waits, time, the most it can cost, its end.

    Nobody is called. `--all` plays it for every tenant; `--radar` takes each provider away, one at a time. Exit code 1
    where a tenant ends with nobody.
    """
    options = Options(**given)
    check_form(invocation, as_csv=options.csv)
    _check(options, as_json=invocation.as_json)
    workspace = invocation.open()
    if options.radar:
        return _radar(invocation, workspace, options)
    faults = trouble_of(workspace.state, options.down, options.fault)
    trouble = Trouble(faults, options.seed, options.latency, options.stream)
    if options.everyone:
        return _all(invocation, workspace, options, trouble)
    return _one(invocation, workspace, options, trouble)


def _check(options: Options, *, as_json: bool) -> None:
    ways = [
        name
        for name, given in (("TENANT", options.tenant), ("--all", options.everyone), ("--radar", options.radar))
        if given
    ]
    if len(ways) != 1:
        reason = f"{' and '.join(ways)} exclude each other" if ways else "nothing says whom the drill is for"
        raise diagnostics.usage(reason, hint="name a tenant, or --all, or --radar", code="whom")
    strays = {
        "--by": options.by is not None and not options.radar,
        "--where": options.where is not None and not options.radar,
        "--sort": options.sort is not None and not options.radar,
        "--among": options.among is not None and options.tenant is not None,
        "--down": bool(options.down) and options.radar,
        "--fault": bool(options.fault) and options.radar,
        "--steps": options.steps and (options.tenant is None or as_json or options.csv),
    }
    found = [name for name, stray in strays.items() if stray]
    if found:
        hint = "--steps draws one tenant's ladder as text; --by, --where and --sort are the radar's"
        raise diagnostics.usage(f"{', '.join(found)} says nothing here", hint=hint, code="stray_option")


def _one(invocation: Invocation, workspace: Workspace, options: Options, trouble: Trouble) -> int:
    state = workspace.state
    outcome = outcome_of(workspace, options.tenant or "")
    drilled = drill(state, outcome, trouble)
    report = drill_report(state, outcome, drilled, trouble)
    if options.steps:
        invocation.output.heading(report.title)
        for line in (*report.lines, "", *ladder(state, drilled)):
            say(invocation.output, line)
    else:
        show(invocation, report, as_csv=options.csv)
    return diagnostics.FINDINGS if drilled.stranded else diagnostics.OK


def _all(invocation: Invocation, workspace: Workspace, options: Options, trouble: Trouble) -> int:
    evaluation = _evaluated(workspace, options)
    found = drill_all(evaluation, trouble)
    show(invocation, all_report(evaluation, found, trouble), as_csv=options.csv)
    broken = [finding for file in workspace.broken for finding in file.findings]
    errors = [finding for outcome in evaluation.outcomes.values() for finding in outcome.errors]
    invocation.complain([*broken, *errors])
    left = any(drilled.stranded for drilled in found)
    return diagnostics.FINDINGS if left or broken or errors else diagnostics.OK


def _evaluated(workspace: Workspace, options: Options) -> Evaluation:
    evaluation = Evaluator().evaluate(workspace.state)
    found = {name: each for name, each in evaluation.outcomes.items() if matches(each, options.among or "")}
    if not found and options.among is not None:
        raise diagnostics.usage(f"no tenant has `{options.among}`", hint="`workbench tenants` lists them", code="among")
    return Evaluation(evaluation.state, found)


def _radar(invocation: Invocation, workspace: Workspace, options: Options) -> int:
    state = workspace.state
    mask = None
    if options.where is not None:
        term = parse_pred(options.where, state.vocabulary).term
        mask = explain.mask(check(term, state.vocabulary, sort="Pred"), state.pool, state.context)
    evaluation = _evaluated(workspace, options)
    found = radar(evaluation, options.by or "provider", where=mask, sort=options.sort or "dies")
    show(invocation, radar_report(state, found, where=options.where), as_csv=options.csv)
    broken = [finding for file in workspace.broken for finding in file.findings]
    errors = [finding for outcome in evaluation.outcomes.values() for finding in outcome.errors]
    invocation.complain([*broken, *errors])
    return diagnostics.FINDINGS if broken or errors else diagnostics.OK
