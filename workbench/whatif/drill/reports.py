"""A drill as an answer to hand over: one tenant's ladder, and all tenants at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from workbench.session.evaluation import Evaluation, Outcome
from workbench.session.state import WorkspaceState
from workbench.whatif.drill.run import END_WORDS, Drilled, Step
from workbench.whatif.drill.trouble import Trouble
from workbench.whatif.drill.words import assumptions, ending, happening, milliseconds, who
from workbench.whatif.report import Report, Sheet, counted, dollars, listed, plain

_STEPS: Final = (
    "step", "kind", "at_ms", "took_ms", "provider", "offer", "attempt", "error_kind", "action", "fault", "cost_bound",
)  # fmt: skip
_TENANTS: Final = (
    "tenant", "end", "outcome", "provider", "offer", "elapsed_ms", "calls", "cost_bound", "winner", "survivors",
)  # fmt: skip


def drill_report(state: WorkspaceState, outcome: Outcome, drilled: Drilled, trouble: Trouble) -> Report:
    """One tenant's way down, step by step."""
    lines = [
        *_trouble_lines(trouble),
        f"{len(outcome.decision.order) if outcome.decision else 0} offers in the order: {ending(state, drilled)}",
        f"it costs at most {_bound(drilled)}, every call counted as if it were billed whole",
    ]
    told = assumptions(drilled, trouble)
    rows = [(milliseconds(s.at_ms), who(state, s) or s.provider, happening(s), _cost(s)) for s in drilled.steps]
    ladder = Sheet("", ("at", "who", "what happens", "$ at most"), tuple(rows), frozenset(("at", "$ at most")))
    table = Sheet("", _STEPS, tuple(_step_row(state, k, step) for k, step in enumerate(drilled.steps, 1)))
    title = f"Drill of {outcome.tenant.id}"
    document = {
        "tenant": drilled.tenant,
        **_trouble_json(trouble),
        **_drilled_json(state, drilled),
        "assumption": told,
        "steps": [_step_json(state, step) for step in drilled.steps],
    }
    return Report(title, (*lines, *([told] if told else [])), (ladder,), table, document)


def all_report(evaluation: Evaluation, found: Sequence[Drilled], trouble: Trouble) -> Report:
    """How every tenant's request ends; those that end with nobody come first."""
    state = evaluation.state
    stranded = [drilled for drilled in found if drilled.stranded]
    ordered = sorted(found, key=lambda drilled: (not drilled.stranded, drilled.tenant))
    names = listed([drilled.tenant for drilled in stranded], 12)
    said = f"{len(stranded)} of {counted(len(found), 'tenant')} end with nobody" + (f": {names}" if stranded else "")
    told = next((words for drilled in found if (words := assumptions(drilled, trouble))), None)
    rows = tuple(_tenant_words(state, drilled) for drilled in ordered)
    headings = ("", "tenant", "end", "answers", "time", "calls", "$ at most")
    shown = Sheet("", headings, rows, frozenset(("time", "calls", "$ at most")))
    table = Sheet("", _TENANTS, tuple(_tenant_row(evaluation, drilled) for drilled in ordered))
    document = {
        **_trouble_json(trouble),
        "stranded": [drilled.tenant for drilled in stranded],
        "assumption": told,
        "tenants": [{"tenant": drilled.tenant, **_drilled_json(state, drilled)} for drilled in ordered],
    }
    lines = (*_trouble_lines(trouble), said, *([told] if told else []))
    return Report("Drill of all tenants", lines, (shown,), table, document)


def _trouble_lines(trouble: Trouble) -> tuple[str, ...]:
    words = trouble.words()
    if not words:
        return ("nothing is broken: name a provider with --down, or a fault with --fault",)
    seed = f", seed {trouble.seed}" if any(fault.probability < 1 for fault in trouble.faults) else ""
    return (f"broken: {', '.join(words)}{seed}",)


def _bound(drilled: Drilled) -> str:
    return (
        f"{dollars(drilled.cost_bound)} $" if drilled.cost_bound is not None else "an unknown sum (a price is unknown)"
    )


def _cost(step: Step) -> str:
    return dollars(step.cost) if step.kind == "call" else ""


def _tenant_words(state: WorkspaceState, drilled: Drilled) -> tuple[str, ...]:
    answers = "-" if drilled.offer is None else state.catalog.offer_id(drilled.offer)
    end = END_WORDS[drilled.end] + (f": {_last(drilled)}" if drilled.end in ("stopped", "exhausted") else "")
    time = milliseconds(drilled.elapsed_ms)
    sign = "x" if drilled.stranded else ""
    return sign, drilled.tenant, end, answers, time, str(drilled.calls), dollars(drilled.cost_bound)


def _last(drilled: Drilled) -> str:
    return drilled.outcome.removeprefix("exhausted: ")


def _tenant_row(evaluation: Evaluation, drilled: Drilled) -> tuple[str, ...]:
    state, outcome = evaluation.state, evaluation.outcomes[drilled.tenant]
    provider, offer = _names(state, drilled.offer)
    _, winner = _names(state, outcome.winner)
    return (
        drilled.tenant, drilled.end, drilled.outcome, provider, offer, plain(drilled.elapsed_ms), str(drilled.calls),
        plain(drilled.cost_bound), winner, str(outcome.survivors),
    )  # fmt: skip


def _names(state: WorkspaceState, offer: int | None) -> tuple[str, str]:
    return ("", "") if offer is None else (state.catalog.offers[offer].provider, state.catalog.offer_id(offer))


def _step_row(state: WorkspaceState, place: int, step: Step) -> tuple[str, ...]:
    _, offer = _names(state, step.offer)
    return (
        str(place), step.kind, plain(step.at_ms), plain(step.took_ms), step.provider, offer,
        "" if step.attempt is None else str(step.attempt), step.failure or "", step.action or "",
        "" if step.fault is None else str(step.fault), plain(step.cost),
    )  # fmt: skip


def _trouble_json(trouble: Trouble) -> dict[str, Any]:
    return {
        "down": list(trouble.down),
        "faults": [str(fault) for fault in trouble.faults],
        "seed": trouble.seed,
        "streamed": trouble.streamed,
        "assumed_latency_ms": trouble.latency_ms,
    }


def _drilled_json(state: WorkspaceState, drilled: Drilled) -> dict[str, Any]:
    return {
        "end": drilled.end,
        "outcome": drilled.outcome,
        "stranded": drilled.stranded,
        **_offer_json(state, drilled.offer),
        "elapsed_ms": drilled.elapsed_ms,
        "calls": drilled.calls,
        "cost_bound": drilled.cost_bound,
    }


def _offer_json(state: WorkspaceState, index: int | None) -> dict[str, Any]:
    if index is None:
        return dict.fromkeys(("offer", "provider", "model_family", "served_model_id", "region"))
    offer = state.catalog.offers[index]
    return {
        "offer": state.catalog.offer_id(index),
        "provider": offer.provider,
        "model_family": offer.model,
        "served_model_id": offer.served_model_id,
        "region": offer.region,
    }


def _step_json(state: WorkspaceState, step: Step) -> dict[str, Any]:
    called = step.kind == "call"
    return {
        "kind": step.kind,
        "at_ms": step.at_ms,
        "took_ms": step.took_ms,
        **_offer_json(state, step.offer),
        "provider": step.provider,
        "attempt": step.attempt,
        "error_kind": step.failure if called else None,
        "reason": None if called else step.failure,
        "action": step.action,
        "fault": None if step.fault is None else str(step.fault),
        "cost_bound": step.cost,
    }
