"""What clauses cost, in words that advise nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.whatif.report import Report, Sheet, change, counted, listed, monthly, plain
from workbench.whatif.reports.words import NONE, one_line
from workbench.whatif.rule_cost import ClauseCost, RuleTotal, TenantCosts
from workbench.whatif.summary import summary_json

NEUTRAL = "each clause is left out alone, everything else as it is; what a clause is for is not weighed here"


def tenant_costs_report(costs: TenantCosts) -> Report:
    """What each clause costs one tenant."""
    moving = [cost for cost in costs.clauses if cost.changes_winner]
    title = f"{costs.tenant}: {counted(len(moving), 'clause')} of {len(costs.clauses)} decide the winner"
    names = _quality_names(costs.clauses)
    headings = ("clause", "rule", "says", "without it", "$/M runs", "$/month", *(_short(n) for n in names), "passing")
    rows = tuple(_row(cost, names) for cost in costs.clauses if cost.changes_winner)
    quiet = tuple(
        (cost.clause.id, cost.clause.rule, one_line(cost.clause.shown), f"{cost.passing:+d}")
        for cost in costs.clauses
        if not cost.changes_winner
    )
    numbers = frozenset(("$/M runs", "$/month", "passing", *(_short(n) for n in names)))
    sheets = (
        Sheet("", headings, rows, numbers, "no clause alone changes the winner"),
        Sheet("the same winner without them", ("clause", "rule", "says", "passing"), quiet, frozenset(("passing",))),
    )
    lines = (NEUTRAL, "a positive figure is what the clause adds; quality is the winner's with it, less without it")
    document = {
        "tenant": costs.tenant,
        "result": summary_json(costs.summary),
        "clauses": [cost_json(cost) for cost in costs.clauses],
    }
    return Report(title, lines, sheets, _table([costs]), document)


def _quality_names(clauses: Sequence[ClauseCost]) -> list[str]:
    names = dict.fromkeys(name for cost in clauses for name in cost.quality)
    return [name for name in names if any(cost.gained(name) for cost in clauses)]


def _short(name: str) -> str:
    return name.removeprefix("bench_")


def _row(cost: ClauseCost, names: Sequence[str]) -> tuple[str, ...]:
    return (
        cost.clause.id,
        cost.clause.rule,
        one_line(cost.clause.shown),
        cost.without.served,
        NONE if cost.without.winner is None or cost.with_it.winner is None else _money(cost.per_million),
        NONE if cost.without.winner is None or cost.with_it.winner is None else monthly(cost.per_month, sign=True),
        *(_gain(cost.gained(name)) for name in names),
        f"{cost.passing:+d}",
    )


def _money(value: float | None) -> str:
    return "?" if value is None else f"{value:+,.0f}"


def _gain(value: float | None) -> str:
    return "?" if value is None else change(round(value, 6))


def cost_json(cost: ClauseCost) -> dict[str, Any]:
    """One clause left out."""
    return {
        "rule": cost.clause.rule,
        "clause_id": cost.clause.id,
        "slot": cost.clause.slot,
        "clause": cost.clause.shown,
        "without": summary_json(cost.without),
        "winner_changed": cost.changes_winner,
        "cost_per_million_runs": cost.per_million,
        "cost_per_month": cost.per_month,
        "quality": {
            name: {"with": held, "without": other, "gained": cost.gained(name)}
            for name, (held, other) in cost.quality.items()
        },
        "more_offers_pass": cost.passing,
    }


def _table(every: Sequence[TenantCosts]) -> Sheet:
    headings = (
        "tenant", "clause", "rule", "says", "winner_with", "winner_without", "cost_per_million_runs", "cost_per_month",
        "more_offers_pass", "winner_changed",
    )  # fmt: skip
    rows = tuple(
        (
            costs.tenant, cost.clause.id, cost.clause.rule, one_line(cost.clause.shown),
            cost.with_it.winner or "", cost.without.winner or "", plain(cost.per_million), plain(cost.per_month),
            str(cost.passing), str(cost.changes_winner).lower(),
        )
        for costs in every
        for cost in costs.clauses
    )  # fmt: skip
    return Sheet("", headings, rows)


def totals_report(totals: Sequence[RuleTotal], every: Sequence[TenantCosts], lacking: Sequence[str]) -> Report:
    """The dearest clauses over all tenants. `lacking` are the tenants that have no policy."""
    moving = [total for total in totals if total.moved]
    title = f"{counted(len(moving), 'clause')} of {len(totals)} decide a winner, over {counted(len(every), 'tenant')}"
    names = list(dict.fromkeys(name for total in moving for name in total.quality))
    headings = (
        "clause",
        "rule",
        "$/month",
        *(_short(n) for n in names),
        "has it",
        "moves",
        "tenants",
        "not in the sum",
    )
    rows = tuple(
        (
            total.clause_id, total.rule, monthly(total.per_month, sign=True),
            *(_gain(total.quality.get(name)) for name in names), str(total.tenants), str(len(total.moved)),
            listed(total.moved), listed(total.unknown) or NONE,
        )
        for total in moving
    )  # fmt: skip
    quiet = [total.clause_id for total in totals if not total.moved]
    lines = [NEUTRAL, "sums hold tenants whose prices and runs per month are known; quality is the mean of their gains"]
    if lacking:
        lines.append(f"no policy: {listed(lacking, 5)}")
    if quiet:
        lines.append(f"the same winners without any one of: {listed(quiet, 30)}")
    numbers = frozenset(("$/month", "has it", "moves", *(_short(n) for n in names)))
    sheet = Sheet("", headings, rows, numbers, "no clause alone changes a winner")
    document = {
        "tenants": [{"tenant": c.tenant, "clauses": [cost_json(cost) for cost in c.clauses]} for c in every],
        "without_policy": list(lacking),
        "clauses": [total_json(total) for total in totals],
    }
    return Report(title, tuple(lines), (sheet,), _table(every), document)


def total_json(total: RuleTotal) -> dict[str, Any]:
    """One clause over all tenants."""
    return {
        "clause_id": total.clause_id,
        "rule": total.rule,
        "title": total.title,
        "clauses": list(total.shown),
        "tenants": total.tenants,
        "moved": list(total.moved),
        "cost_per_month": total.per_month,
        "not_in_the_sum": list(total.unknown),
        "quality_gained": dict(total.quality),
    }
