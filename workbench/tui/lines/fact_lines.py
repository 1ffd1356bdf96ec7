"""The lines of facts: the tenant's, marked where they differ from its file, and those of the offer in question."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.session.evaluation import Outcome
from workbench.tui import wording
from workbench.tui.panels.clause_rows import fact_text
from workbench.tui.view import View
from workbench.tui.widgets.drawing import Cell, Line, filled, fit, shorten


def tenant_lines(view: View, width: int) -> list[Line]:
    """A line for each declared field, in the schema's order."""
    tenant = view.outcome.tenant if view.outcome else None
    if tenant is None:
        return []
    filed = None if view.filed is None else next((t for t in view.filed.tenants if t.id == tenant.id), None)
    lines: list[Line] = []
    for name in view.state.rulebook.schema.fields:
        value = tenant.facts.get(name)
        shown = [Cell(wording.UNKNOWN, "warn") if value is None else Cell(fact_text(value))]
        if filed is not None and filed.facts.get(name) != value:
            before = filed.facts.get(name)
            said = wording.UNKNOWN if before is None else fact_text(before)
            shown = [Cell(f"* {shown[0].text}", "warn"), Cell(f" file: {said}", "muted")]
        lines.append(named(name, shown, width))
    return lines


def other_lines(view: View, outcome: Outcome, width: int) -> Iterator[Line]:
    """The workload, and everything known of the offer in question."""
    load = outcome.tenant.workload
    yield named("tokens_in", [Cell(wording.number(load.tokens_in))], width)
    yield named("tokens_out", [Cell(wording.number(load.tokens_out))], width)
    if load.runs_per_month is not None:
        yield named("runs_per_month", [Cell(wording.number(load.runs_per_month))], width)
        if outcome.cost_per_run is not None:
            monthly = wording.number(outcome.cost_per_run * load.runs_per_month)
            yield named("cost per month", [Cell(f"{monthly} $", "strong")], width)
    if view.offer is None:
        return
    yield ()
    yield [Cell(shorten(view.state.catalog.offer_id(view.offer), width), "strong")]
    for fact in view.state.catalog.facts(view.offer):
        if fact.value is None:
            yield named(fact.name, [Cell(wording.UNKNOWN, "warn")], width)
            continue
        value = (
            wording.number(fact.value)
            if isinstance(fact.value, int | float) and not isinstance(fact.value, bool)
            else fact_text(fact.value)
        )
        said = value if isinstance(fact.value, str | bool) or not fact.unit else f"{value} {_short_unit(fact.unit)}"
        yield named(fact.name, [Cell(said)], width, fact.date)


def _short_unit(unit: str) -> str:
    return {"USD per million tokens": "$/M"}.get(unit, unit)


def named(name: str, value: Line, width: int, date: str = "") -> Line:
    """A name and its value; the date where there is room."""
    end = f" {date}" if date and width >= 44 else ""
    left = min(18, width // 2)
    return [
        Cell(fit(name, left), "muted"),
        Cell(" "),
        *filled(value, width - left - 1 - len(end)),
        Cell(end, "faint"),
    ]
