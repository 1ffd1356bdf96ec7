"""The radar as an answer to hand over: who dies if X dies, who moves to whom at which price, who has one provider."""

from __future__ import annotations

from typing import Any, Final

from workbench.session.state import WorkspaceState
from workbench.whatif.radar import Fall, Loss, Radar
from workbench.whatif.report import Report, Sheet, change, dollars, listed, plain

_TABLE: Final = (
    "lost", "offers", "cheapest_offer", "cheapest_price", "tenant", "effect", "winner_before", "winner_after",
    "cost_before", "cost_after", "offers_left", "providers_left",
)  # fmt: skip


def radar_report(state: WorkspaceState, found: Radar, *, where: str | None = None) -> Report:
    """Every loss with what it does. `where` is the clause that narrowed what was looked at."""
    lines = [*_about(found), *_cheapest_lines(state, found, where)]
    losses = tuple(_loss_words(state, loss) for loss in found.losses)
    headings = (found.by, "offers", "$/M in+out", "who dies", "who moves", "one provider left")
    shown = Sheet("", headings, losses, frozenset(("offers", "$/M in+out")), empty="no offer passes the clause")
    moves = tuple(row for loss in found.losses for row in _move_words(state, loss))
    heads = ("lost", "", "tenant", "from", "to", "$/run", "was", "change")
    effects = Sheet("What changes", heads, moves, frozenset(("$/run", "was", "change")), empty="nobody moves")
    table = Sheet("", _TABLE, tuple(row for loss in found.losses for row in _rows(state, loss)))
    document = {
        "by": found.by,
        "where": where,
        "cheapest": None if found.cheapest is None else found.cheapest.name,
        "cheapest_that_passes": None if found.cheapest_used is None else found.cheapest_used.name,
        "nobody": list(found.nobody),
        "one_provider": [{"tenant": tenant, "provider": provider} for tenant, provider in found.alone],
        "losses": [_loss_json(state, loss) for loss in found.losses],
    }
    of = f" of {where}" if where else ""
    return Report(f"Who dies if one {found.by}{of} dies", tuple(lines), (shown, effects), table, document)


def _about(found: Radar) -> list[str]:
    lines: list[str] = []
    if found.nobody:
        lines.append(f"nobody even as long as all are up: {listed(found.nobody, 12)}")
    if found.alone:
        pairs = [f"{tenant} ({provider})" for tenant, provider in found.alone]
        lines.append(f"one provider only: {listed(pairs, 12)}")
    return lines


def _cheapest_lines(state: WorkspaceState, found: Radar, where: str | None) -> list[str]:
    among = f" with {where}" if where else ""
    lines: list[str] = []
    loss, used = found.cheapest, found.cheapest_used
    if loss is not None and loss.cheapest is not None:
        lines.append(f"the cheapest {found.by}{among} is {_effect(state, loss, loss.cheapest)}")
    if used is not None and used.used is not None:
        lines.append(f"of offers that pass for a tenant the cheapest is with {_effect(state, used, used.used)}")
    return lines


def _effect(state: WorkspaceState, loss: Loss, offer: int) -> str:
    dead = [fall.tenant for fall in loss.dead]
    said = f"strands {listed(dead, 12)}" if dead else "strands nobody"
    moved = f", moves {listed([fall.tenant for fall in loss.moved], 12)}" if loss.moved else ""
    return f"{loss.name} ({state.catalog.offer_id(offer)}): losing it {said}{moved}"


def _loss_words(state: WorkspaceState, loss: Loss) -> tuple[str, ...]:
    del state
    return (
        loss.name, str(loss.offers), dollars(loss.price), _who(loss.dead), _who(loss.moved), _who(loss.thin),
    )  # fmt: skip


def _who(falls: tuple[Fall, ...]) -> str:
    return f"{len(falls)}: {listed([fall.tenant for fall in falls])}" if falls else "-"


def _move_words(state: WorkspaceState, loss: Loss) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for fall in (*loss.dead, *loss.moved):
        to = "nobody" if fall.after is None else state.catalog.offer_id(fall.after)
        now = "-" if fall.after is None else dollars(fall.cost_after)
        more = "-" if fall.after is None else change(difference(fall))
        before = state.catalog.offer_id(fall.before)
        rows.append((loss.name, fall.sign, fall.tenant, before, to, now, dollars(fall.cost_before), more))
    return rows


def difference(fall: Fall) -> float | None:
    """How much dearer a run becomes, in USD; None where one side is unknown or nobody."""
    if fall.cost_after is None or fall.cost_before is None:
        return None
    return fall.cost_after - fall.cost_before


def _rows(state: WorkspaceState, loss: Loss) -> list[tuple[str, ...]]:
    """One for each tenant that had an offer of it; one without a tenant where nobody had."""
    cheapest = "" if loss.cheapest is None else state.catalog.offer_id(loss.cheapest)
    head = (loss.name, str(loss.offers), cheapest, plain(loss.price))
    if not loss.falls:
        return [(*head, *[""] * 8)]
    return [
        (
            *head, fall.tenant, fall.direction, state.catalog.offer_id(fall.before),
            "" if fall.after is None else state.catalog.offer_id(fall.after), plain(fall.cost_before),
            plain(fall.cost_after), str(fall.left), str(fall.providers),
        )
        for fall in loss.falls
    ]  # fmt: skip


def _loss_json(state: WorkspaceState, loss: Loss) -> dict[str, Any]:
    return {
        "name": loss.name,
        "offers": loss.offers,
        "cheapest_offer": None if loss.cheapest is None else state.catalog.offer_id(loss.cheapest),
        "cheapest_price": loss.price,
        "cheapest_offer_that_passes": None if loss.used is None else state.catalog.offer_id(loss.used),
        "cheapest_price_that_passes": loss.used_price,
        "stranded": [fall.tenant for fall in loss.dead],
        "moved": [fall.tenant for fall in loss.moved],
        "one_provider_left": [fall.tenant for fall in loss.thin],
        "tenants": [_fall_json(state, fall) for fall in loss.falls],
    }


def _fall_json(state: WorkspaceState, fall: Fall) -> dict[str, Any]:
    return {
        "tenant": fall.tenant,
        "effect": fall.direction,
        "winner_before": state.catalog.offer_id(fall.before),
        "winner_after": None if fall.after is None else state.catalog.offer_id(fall.after),
        "cost_before": fall.cost_before,
        "cost_after": fall.cost_after,
        "offers_left": fall.left,
        "providers_left": fall.providers,
    }
