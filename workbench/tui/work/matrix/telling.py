"""What a cell of the matrix says in words: a few lines below the grid, or every clause's verdict."""

from __future__ import annotations

from workbench.session import views
from workbench.session.views import Why
from workbench.tui import wording
from workbench.tui.panels.why_not import asked_and_needed, standing, why_lines
from workbench.tui.view import Cursors, View
from workbench.tui.widgets.drawing import Cell, Line, shorten, spread
from workbench.tui.widgets.tokens import coloured
from workbench.whatif.matrix.sheet import Sheet


def brief_lines(sheet: Sheet, tenant: str, column: int, offer: int, width: int, height: int) -> list[Line]:
    """The cell in at most `height` lines: who, what, and the clauses that say no."""
    why = _why(sheet, tenant, offer)
    name = sheet.name(column)
    about = [Cell(tenant, "title"), Cell(" · ", "faint"), Cell(name, "strong")]
    lines: list[Line] = [spread(about, [Cell(_verdict(why), "good" if why.place else "bad")], width)]
    of = int(sheet.matrix.axis.sizes[sheet.columns[column]])
    if sheet.matrix.axis.by != "offer":
        said = "the only one" if of == 1 else f"of {of}, the {'best placed' if why.place else 'one that came farthest'}"
        lines.append([Cell(why.offer.label, ""), Cell(f"  {said}", "muted")])
    failed = [check for check in why.checks if not check.passed]
    if failed:
        lines += [_failed(check, width) for check in failed]
    else:
        lines.append(_figures(why, width))
    if len(lines) > height:
        more = len(lines) - height + 1
        lines = [*lines[: height - 1], [Cell(f"… {more} more; enter shows all", "muted")]]
    return lines


def _failed(check: views.Check, width: int) -> Line:
    asked, needed = asked_and_needed(check)
    left = [Cell("x ", "bad"), Cell(f"{check.clause.rule}: ", "muted"), *coloured(asked)]
    return spread(left, [Cell(check.observed, "bad"), *needed], width)


def _figures(why: Why, width: int) -> Line:
    offer = why.offer
    prices = f"{wording.number(offer.price_in)} in, {wording.number(offer.price_out)} out $/M"
    behind = f" · score {wording.score(why.score)}" if why.score is not None else ""
    behind += f", {wording.score(why.behind)} behind" if why.behind else ""
    return [
        Cell(shorten(f"{wording.offer_place(offer)} · {wording.cost(offer.cost_per_run)} · {prices}{behind}", width))
    ]


def _verdict(why: Why) -> str:
    if not why.of and not why.checks:
        return "no policy"
    return "the winner" if why.place == 1 else standing(why)


def full_lines(sheet: Sheet, tenant: str, column: int, offer: int, width: int) -> list[Line]:
    """Every clause's verdict on the cell's offer, then the other offers of the column, a line each."""
    why = _why(sheet, tenant, offer)
    view = View(sheet.matrix.evaluation, {}, Cursors(tenant, None, offer), (), "", False)
    lines: list[Line] = [
        spread(
            [Cell(tenant, "title"), Cell(" · ", "faint"), Cell(why.offer.label, "strong")], [Cell(_verdict(why))], width
        ),
        _figures(why, width),
        (),
        *why_lines(view, why, width),
    ]
    others = [index for index in sheet.matrix.axis.members(sheet.columns[column]) if index != offer]
    if others:
        lines += [(), [Cell(f"the others of {sheet.name(column)}", "label")]]
        lines += [_other(sheet, tenant, index, width) for index in others]
    return lines


def _other(sheet: Sheet, tenant: str, index: int, width: int) -> Line:
    why = _why(sheet, tenant, index)
    failed = [check.clause.rule for check in why.checks if not check.passed]
    said = ", ".join(dict.fromkeys(failed)) or standing(why)
    return spread(
        [Cell(why.offer.label, "" if why.place else "muted")], [Cell(said, "bad" if failed else "good")], width
    )


def _why(sheet: Sheet, tenant: str, offer: int) -> Why:
    return views.why(sheet.matrix.state, sheet.matrix.outcome(tenant), offer)
