"""`workbench health`: which providers are out, for how long, and what calls have measured."""

from __future__ import annotations

from typing import Any, Final

import click

from workbench.cli import diagnostics
from workbench.cli.groups import Entry, LazyGroup
from workbench.cli.invocation import CONTEXT, Invocation, common_options
from workbench.cli.layout import Table
from workbench.cli.shapes import finite

COMMANDS: Final = {
    "reset": Entry("workbench.cli.run.health_reset", "Forget breakers, disables and measures.", "Commands"),
}
_HELP: Final = """Show which providers are out, for how long, and what calls have measured of each model.

A measure fades: after an hour a sample weighs half. `workbench call` and `workbench serve` decide by it where the
policy names latency_ms, tok_s or success_rate; `rank` and everything else decide by the catalog alone.
"""


@click.group(
    "health",
    cls=LazyGroup,
    entries=COMMANDS,
    short_help="Show which providers are out, and what calls measured.",
    help=_HELP,
    invoke_without_command=True,
    no_args_is_help=False,
    add_help_option=False,
    context_settings=dict(CONTEXT),
)
@click.option("--emulated", is_flag=True, help="What calls to the emulator left behind, which is kept apart.")
@click.pass_context
def command(ctx: click.Context, emulated: bool) -> int:
    if ctx.invoked_subcommand is not None:
        return diagnostics.OK
    return _show(ctx.ensure_object(Invocation), emulated=emulated)


command.params.extend(common_options())


def _show(invocation: Invocation, *, emulated: bool) -> int:
    from workbench.session.calls.health.store import HealthStore
    from workbench.session.calls.health.view import HealthView, health_view
    from workbench.session.calls.places import state_folder

    store = HealthStore.at(state_folder(), emulated=emulated)
    view: HealthView = health_view(store)
    if invocation.as_json:
        invocation.output.document(_document(view, emulated))
    else:
        _tables(invocation, view)
    if store.file.trouble is not None:
        invocation.warn([store.file.trouble])
    return diagnostics.OK


def _document(view: Any, emulated: bool) -> dict[str, Any]:
    out = [
        {"tenant": row.tenant or None, "provider": row.provider, "why": row.why, "remaining_ms": row.remaining_ms}
        for row in view.out
    ]
    measures = [
        {
            "provider": row.provider,
            "model_family": row.model_family,
            **{name: finite(value) for name, value in row.values.items()},
            "samples": row.samples,
            "weight": row.weight,
            "age_ms": row.age_ms,
        }
        for row in view.measures
    ]
    return {"emulated": emulated, "out": out, "measures": measures}


def _tables(invocation: Invocation, view: Any) -> None:
    from workbench.session.calls.health.view import age

    output = invocation.output
    if not view.out and not view.measures:
        output.line("every provider may be called, and nothing has been measured")
        return
    rows = [(row.provider, row.whom, row.words, age(row.remaining_ms)) for row in view.out]
    output.table(Table(("provider", "for", "state", "left"), rows, frozenset(("left",))))
    if view.out and view.measures:
        output.line()
    headings = ("provider", "model", "success", "latency", "1st token", "tok/s", "calls", "last")
    measured = [(row.provider, row.model_family, *row.words) for row in view.measures]
    output.table(Table(headings, measured, frozenset(headings[2:])))
