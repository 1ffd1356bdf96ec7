"""A drill in words: one line for each step of the ladder, and one for how it ended."""

from __future__ import annotations

from typing import Final

from workbench.session.state import WorkspaceState
from workbench.whatif.drill.run import END_WORDS, Drilled, Step
from workbench.whatif.drill.trouble import Trouble

_ACTIONS: Final = {
    "abort": "stop",
    "next_candidate": "next",
    "next_provider_same_model": "same model elsewhere",
    "retry_same": "try again",
    "disable_provider": "disable the provider, next",
    "committed": "stop: the answer had begun",
}


def milliseconds(value: float) -> str:
    """A time as people write it: `850 ms`, `12.5 s`."""
    return f"{value:.0f} ms" if value < 1000 else f"{value / 1000:.3f}".rstrip("0").rstrip(".") + " s"


def happening(step: Step) -> str:
    """What a step is, in a few words."""
    if step.kind == "wait":
        return f"wait {milliseconds(step.took_ms)}"
    if step.kind == "breaker":
        return f"breaker of {step.provider} opens for {milliseconds(step.took_ms)}"
    if step.kind == "disabled":
        return f"{step.provider} is disabled for this tenant"
    if step.kind == "skipped":
        return f"{step.provider} is skipped: {(step.failure or '').replace('_', ' ')}"
    if step.failure is None:
        return "answers"
    then = _ACTIONS.get(step.action or "", step.action or "")
    return f"{step.failure}, then {then}" if then else step.failure


def who(state: WorkspaceState, step: Step) -> str:
    """Whom a step calls, and which try it is; empty where it calls nobody."""
    if step.offer is None:
        return ""
    again = f" (try {step.attempt})" if step.attempt is not None and step.attempt > 1 else ""
    return f"{state.catalog.offer_id(step.offer)}{again}"


def ending(state: WorkspaceState, drilled: Drilled) -> str:
    """How a request ended, in a sentence."""
    words = END_WORDS[drilled.end]
    if drilled.offer is not None:
        words = f"{words} by {state.catalog.offer_id(drilled.offer)}"
    elif drilled.end != "nobody":
        words = f"{words} ({drilled.outcome})"
    calls = "1 call" if drilled.calls == 1 else f"{drilled.calls} calls"
    return f"{words} after {milliseconds(drilled.elapsed_ms)} and {calls}"


def assumptions(drilled: Drilled, trouble: Trouble) -> str | None:
    """What the times stand on; None where the catalog states every latency."""
    if not drilled.assumed:
        return None
    return f"a call takes {milliseconds(trouble.latency_ms)} where the catalog states no latency: an assumption"


def ladder(state: WorkspaceState, drilled: Drilled) -> list[str]:
    """The way down as a drawn ladder: the time, a rung for each call and wait, and what follows from it."""
    times = [milliseconds(step.at_ms) for step in drilled.steps]
    room = max(map(len, [*times, milliseconds(drilled.elapsed_ms)]), default=0)
    lines: list[str] = []
    for step, at in zip(drilled.steps, times, strict=True):
        if step.kind == "call":
            lines.append(f"{at:>{room}}  ● {who(state, step)}")
            took = f"after {milliseconds(step.took_ms)}"
            lines.append(f"{'':>{room}}  │   {happening(step)} ({took})")
        else:
            sign = "◌" if step.kind == "wait" else "│  "
            lines.append(f"{at:>{room}}  {sign} {happening(step)}")
    end = "✓" if not drilled.stranded else "x"
    return [*lines, f"{milliseconds(drilled.elapsed_ms):>{room}}  {end} {ending(state, drilled)}"]
