"""The words around the ranking: the winner, the funnel, the selector and what happens on each kind of failure."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.session import views
from workbench.session.evaluation import Movement, Outcome
from workbench.session.state import WorkspaceState
from workbench.tui import wording
from workbench.tui.view import View
from workbench.tui.widgets.drawing import Cell, Line, line_width, shorten, spread
from workbench.tui.widgets.tokens import coloured


def winner_lines(view: View, width: int) -> list[Line]:
    """The winner, where it is served and what a run costs, and what it was before."""
    outcome = view.outcome
    if outcome is None or outcome.decision is None:
        said = "no policy" if outcome is not None else "no tenant"
        return [[Cell(said, "bad")], [Cell("the reasons are in the middle", "muted")], ()]
    if outcome.winner is None:
        return [[Cell("nobody", "bad")], *_nobody(view, width)]
    offer = views.offer_row(view.state, outcome, outcome.winner)
    return [
        [Cell(shorten(offer.model_family, width), "winner")],
        spread([Cell(wording.offer_place(offer))], [Cell(wording.cost(offer.cost_per_run), "strong")], width),
        _change_line(view, outcome, width),
    ]


def _change_line(view: View, outcome: Outcome, width: int) -> Line:
    """What it was before comes first; the margin stands beside it where there is room."""
    before, margin = _before(view.state, view.movement), _margin(outcome)
    fits = line_width(before) + line_width(margin) + 2 <= width
    return spread(before, margin if fits or not before else [], width)


def _nobody(view: View, width: int) -> list[Line]:
    rows = [row for row in view.tenant.rows if row.only] if view.tenant else []
    lines: list[Line] = [
        spread([Cell("no offer passes every clause", "muted")], _before(view.state, view.movement), width)
    ]
    best = max(rows, key=lambda row: row.only, default=None)
    if best is None:
        lines.append([Cell("no single clause alone is to blame", "muted")])
    else:
        said = f"without {best.clause.text}: {wording.plural(best.only, 'offer')}"
        lines.append([Cell(shorten(said, width), "warn")])
    return lines


def _before(state: WorkspaceState, movement: Movement | None) -> Line:
    if movement is None or not movement.moved or movement.before is None:
        return []
    style = {"dearer": "warn", "cheaper": "good", "lost": "bad", "gained": "good"}.get(movement.direction, "accent")
    return [Cell(f"{movement.sign} was {wording.short_model(wording.served(state, movement.before))}", style)]


def _margin(outcome: Outcome) -> Line:
    scores = outcome.decision.scores if outcome.decision else ()
    if len(scores) < 2:
        return [Cell("alone", "muted")] if scores else []
    if scores[0] == scores[1]:
        return [Cell("a tie: catalog order decides", "muted")]
    return [Cell(f"margin {wording.number(scores[0] - scores[1])}", "muted")]


def funnel_lines(view: View, width: int) -> list[Line]:
    """How many offers each clause took, in shown order; the selected clause's number stands out."""
    outcome = view.outcome
    if view.tenant is None or outcome is None or outcome.decision is None:
        return []
    pieces: list[list[Cell]] = [[Cell(f"{outcome.decision.population:,}", "strong")]]
    for row in view.tenant.rows:
        if row.clause.enabled and (row.removed or row.clause.id == view.cursors.clause_id):
            style = "accent" if row.clause.id == view.cursors.clause_id else "faint"
            pieces.append([Cell(f" ─{row.removed:,}→ ", style), Cell(f"{row.left:,}", "strong")])
    return _flow("filter", pieces, width)


def _flow(label: str, pieces: Iterable[list[Cell]], width: int) -> list[Line]:
    lines: list[list[Cell]] = [[Cell(f"{label:<9}", "label")]]
    for piece in pieces:
        if line_width(lines[-1]) + line_width(piece) > width and line_width(lines[-1]) > 9:
            lines.append([Cell(" " * 9)])
        lines[-1].extend(piece)
    return list(lines)


def rank_line(view: View) -> list[Line]:
    """The scorer in words."""
    clause = view.tenant.slots.get("rank") if view.tenant else None
    if clause is None or view.outcome is None or view.outcome.decision is None:
        return []
    return [[Cell(f"{'rank':<9}", "label"), *coloured(clause.shown)]]


def after_lines(view: View) -> list[Line]:
    """Select and fallback in words; failures that end alike are told together."""
    outcome = view.outcome
    if view.tenant is None or outcome is None or outcome.decision is None:
        return []
    lines: list[Line] = []
    select = view.tenant.slots.get("select")
    if select is not None:
        kept, of = len(outcome.decision.order), outcome.survivors
        count = f"  keeps {kept:,} of {of:,}" if kept != of else ""
        lines.append([Cell(f"{'select':<9}", "label"), *coloured(select.shown), Cell(count, "muted")])
    rows = views.fallback_rows(view.state, outcome)
    otherwise = next((action for reason, action in rows if reason == "unknown"), "")
    together: dict[str, list[str]] = {}
    for reason, action in rows:
        if action != otherwise:
            together.setdefault(action, []).append(reason)
    label = f"{'fallback':<9}"
    for action, reasons in together.items():
        lines.append([Cell(label, "label"), Cell(f"{', '.join(reasons)}: ", "muted"), Cell(action)])
        label = " " * 9
    lines.append([Cell(label, "label"), Cell("otherwise: " if together else "", "muted"), Cell(otherwise)])
    return lines
