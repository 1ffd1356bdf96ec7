"""A drill as lines for the screen: providers, the ladder, tenants, the radar and one loss of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.session.state import WorkspaceState
from workbench.tui import wording
from workbench.tui.widgets.columns import Column, Columns
from workbench.tui.widgets.drawing import Cell, Line, shorten, spread, wrap
from workbench.whatif.drill.run import END_WORDS, Drilled, Step
from workbench.whatif.drill.trouble import Trouble
from workbench.whatif.drill.words import ending, happening, milliseconds, who
from workbench.whatif.radar import Fall, Loss, Radar

SIGNS: Mapping[str, tuple[str, str]] = {
    "call": ("●", "bad"), "wait": ("◌", "muted"), "breaker": ("│", "warn"), "disabled": ("│", "warn"),
    "skipped": ("│", "muted"),
}  # fmt: skip
RADAR = Columns((
    Column("name", "", 22),
    Column("price", "$/M in+out", 10, "right", from_width=60, style="muted"),
    Column("dead", "who dies", style="bad"),
    Column("moved", "moves", 6, "right"),
    Column("thin", "1 left", 6, "right"),
))  # fmt: skip


def provider_line(name: str, trouble: Trouble, uses: int, width: int) -> Line:
    """A provider, whether it is down or has a fault, and how many tenants it serves."""
    faults = [fault for fault in trouble.faults if fault.provider == name]
    if name in trouble.down:
        sign, said = Cell("x ", "bad"), Cell("down", "bad")
    elif faults:
        sign, said = Cell("! ", "warn"), Cell(faults[0].kind, "warn")
    else:
        sign, said = Cell("✓ ", "good"), Cell(f"wins {uses}" if uses else "", "muted")
    return spread([sign, Cell(name, "strong" if faults or uses else "")], [said], width)


def ladder_lines(state: WorkspaceState, drilled: Drilled, shown: int, width: int) -> list[tuple[int | None, Line]]:
    """The first `shown` steps, each a row, and the end once all are there."""
    lines: list[tuple[int | None, Line]] = []
    for place, step in enumerate(drilled.steps[:shown]):
        lines += [(place, line) for line in _step_lines(state, step, width)]
    rest = len(drilled.steps) - shown
    if rest > 0:
        lines.append((None, [Cell(f"{'':>8}  … {wording.plural(rest, 'step')} to come: n", "muted")]))
        return lines
    style = "bad" if drilled.stranded else "good"
    at = f"{milliseconds(drilled.elapsed_ms):>8}  "
    told = wrap(ending(state, drilled), max(10, width - 12))
    for k, text in enumerate(told):
        sign = ("x " if drilled.stranded else "✓ ") if k == 0 else "  "
        lines.append((None, [Cell(at if k == 0 else " " * 10, "muted"), Cell(sign, style), Cell(text, style)]))
    return lines


def _step_lines(state: WorkspaceState, step: Step, width: int) -> list[Line]:
    sign, style = SIGNS[step.kind]
    at = Cell(f"{milliseconds(step.at_ms):>8}  ", "muted")
    if step.kind != "call":
        return [[at, Cell(f"{sign} ", style), Cell(happening(step), "muted" if step.kind == "wait" else style)]]
    good = step.failure is None
    took = f"{milliseconds(step.took_ms)}"
    return [
        [at, Cell(f"{sign} ", "good" if good else style), Cell(who(state, step), "strong")],
        spread([Cell(" " * 10), Cell("│ ", "faint"), Cell(happening(step), "good" if good else "")],
               [Cell(took, "muted")], width),
    ]  # fmt: skip


def clock_line(drilled: Drilled, shown: int, trouble: Trouble, width: int) -> list[Line]:
    """Where the virtual clock stands, what the calls so far cost at most, what the times stand on."""
    steps = drilled.steps[:shown]
    done = shown >= len(drilled.steps)
    now = drilled.elapsed_ms if done else max((step.ends_ms for step in steps if step.kind != "breaker"), default=0.0)
    costs = [step.cost for step in steps if step.kind == "call"]
    bound = None if None in costs else sum(cost or 0.0 for cost in costs)
    where = f"step {shown} of {len(drilled.steps)}" if not done else "the end"
    assumed = f"a call takes {milliseconds(trouble.latency_ms)}: assumed" if drilled.assumed else ""
    return [
        spread([Cell(f"clock {milliseconds(now)}", "strong")], [Cell(where, "muted")], width),
        spread([Cell(f"{wording.plural(len(costs), 'call')} · at most {wording.number(bound)} $")], [], width),
        [Cell(assumed, "warn")],
    ]


def tenant_line(state: WorkspaceState, drilled: Drilled, width: int) -> Line:
    """A tenant and how its request ends."""
    if drilled.offer is None:
        end = END_WORDS[drilled.end]
        return spread([Cell("x ", "bad"), Cell(drilled.tenant, "strong")], [Cell(end, "bad")], width)
    offer = state.catalog.offers[drilled.offer]
    served = f"{wording.short_model(offer.model)}@{offer.provider}"
    calls = f" {drilled.calls} calls" if drilled.calls > 1 else ""
    served = shorten(served, max(6, width - len(drilled.tenant) - len(calls) - 3))
    return spread([Cell("✓ ", "good"), Cell(drilled.tenant)], [Cell(served, "muted"), Cell(calls, "warn")], width)


def radar_line(loss: Loss, width: int) -> Line:
    """One provider gone: who dies, how many move, how many have one provider left."""
    dead = [Cell("x ", "bad"), Cell(", ".join(fall.tenant for fall in loss.dead), "bad")] if loss.dead else [Cell("-")]
    cells: dict[str, Cell | Line] = {
        "name": Cell(loss.name, "strong" if loss.dead or loss.moved else ""),
        "price": Cell(wording.number(loss.price)),
        "dead": dead,
        "moved": Cell(str(len(loss.moved)) if loss.moved else "-", "warn" if loss.moved else "muted"),
        "thin": Cell(str(len(loss.thin)) if loss.thin else "-", "warn" if loss.thin else "muted"),
    }
    return RADAR.lay(cells, width)


def loss_lines(state: WorkspaceState, loss: Loss, width: int) -> list[Line]:
    """What one loss does to each tenant that it does something to."""
    lines: list[Line] = [[Cell(f"without {loss.name}", "title"), Cell(f"  {loss.offers} offers", "muted")]]
    if loss.cheapest is not None:
        price = f"{wording.number(loss.price)} $/M in and out"
        lines.append(
            [Cell("cheapest ", "label"), Cell(state.catalog.offer_id(loss.cheapest)), Cell(f"  {price}", "muted")]
        )
    for fall in (*loss.dead, *loss.moved):
        lines += _fall_lines(state, fall, width)
    thin = [fall.tenant for fall in loss.thin]
    if thin:
        lines.append([Cell("! one provider left: ", "warn"), Cell(", ".join(thin))])
    same = len(loss.falls) - len(loss.dead) - len(loss.moved)
    if same:
        lines.append([Cell(f"= {wording.plural(same, 'tenant')} lose offers and keep the winner", "muted")])
    if not loss.falls:
        lines.append([Cell("no tenant has an offer of it", "muted")])
    return lines


def _fall_lines(state: WorkspaceState, fall: Fall, width: int) -> Sequence[Line]:
    before = state.catalog.offer_id(fall.before)
    if fall.after is None:
        return [
            [Cell("x ", "bad"), Cell(fall.tenant, "strong"), Cell("  nobody left", "bad")],
            [Cell(f"    was {before}", "muted")],
        ]
    price = f"{wording.cost(fall.cost_after)}, was {wording.number(fall.cost_before)}"
    return [
        spread([Cell(f"{fall.sign} ", "warn"), Cell(fall.tenant, "strong")], [Cell(price, "warn")], width),
        [Cell(f"    {before} → ", "muted"), Cell(state.catalog.offer_id(fall.after))],
    ]


def about_lines(found: Radar, where: str | None) -> list[Line]:
    """What the radar says before its list: the cheapest, who has one provider, who has nobody at all."""
    among = f" with {where}" if where else ""
    lines: list[Line] = []
    for words, loss in ((f"cheapest{among}", found.cheapest), (f"cheapest in use{among}", found.cheapest_used)):
        if loss is not None:
            lines.append([Cell(f"{words}: ", "label"), Cell(loss.name, "strong"), *_effect(loss)])
    if found.alone:
        said = ", ".join(f"{tenant} ({provider})" for tenant, provider in found.alone)
        lines.append([Cell("one provider only: ", "label"), Cell(said, "warn")])
    if found.nobody:
        lines.append([Cell("nobody even now: ", "label"), Cell(", ".join(found.nobody), "bad")])
    return lines


def _effect(loss: Loss) -> list[Cell]:
    dead = ", ".join(fall.tenant for fall in loss.dead)
    moved = ", ".join(fall.tenant for fall in loss.moved)
    cells = [Cell(f"  strands {dead}", "bad") if dead else Cell("  strands nobody", "good")]
    return [*cells, Cell(f", moves {moved}", "warn")] if moved else cells
