"""The lines of the call screen: a quote, the plan step by step, what it came to. Draws a `Watch`; knows no widget."""

from __future__ import annotations

from typing import Final

from workbench.session.calls import wording
from workbench.session.calls.watch import Rung, Standing, Watch
from workbench.session.views import tenant_view
from workbench.tui.widgets.drawing import Cell, Line, cut, wrap

LABEL: Final = 10
SIGNS: Final[dict[Standing, tuple[str, str]]] = {
    "ahead": ("·", "muted"),
    "trying": ("→", "accent"),
    "waiting": ("…", "warn"),
    "failed": ("✗", "bad"),
    "answered": ("✓", "good"),
    "skipped": ("-", "faint"),
    "lacking": ("!", "warn"),
}
"""One sign per standing, so that it is told without colour, and its style."""


FIRST: Final = (
    "Write what to ask; enter then shows who would answer and what it can cost.",
    "esc leaves the prompt; then keys work:",
)
HINTS: Final = (
    ("i", "go back to the prompt"),
    ("e", "let a local emulator answer: no key, no network, nothing is charged"),
    ("f", "let emulated providers fail, to see the failure plan at work"),
    ("t", "make the same call for a second tenant, side by side"),
)


def hint_lines(width: int) -> list[Line]:
    """What there is to do before there is a call."""
    found: list[Line] = [[]]
    for words in FIRST:
        found += [[Cell("  "), Cell(part)] for part in wrap(words, max(width - 2, 8))]
    for key, words in HINTS:
        for place, part in enumerate(wrap(words, max(width - 5, 8))):
            found.append([Cell(f"  {key if place == 0 else ' '}  ", "key"), Cell(part)])
    return found


def head_line(watch: Watch | None, now: float, width: int) -> Line:
    """Whose call it is, and how it stands."""
    if watch is None:
        return []
    style = "muted"
    if watch.phase == "quoted":
        words = "not sent"
    elif watch.phase == "running":
        left = watch.left_ms(now)
        words = f"running {wording.milliseconds(now - watch.began)}" if left is None else f"waiting {_left(left)}"
        style = "accent"
    else:
        called = watch.called
        words = "" if called is None else wording.outcome_words(called)
        style = "good" if called is not None and called.ok else "bad"
    quiet = [Cell("  no_log", "warn")] if watch.prepared.quiet else []
    emulated = [Cell("  EMULATED", "warn")] if watch.prepared.emulated else []
    return cut([Cell(watch.prepared.tenant, "strong"), *emulated, *quiet, Cell(f"  {words}", style)], width)


def plan_lines(watch: Watch, now: float, width: int) -> list[Line]:
    """The quote, every step of the plan, and in the end what it came to."""
    over = watch.phase == "over"
    found: list[Line] = []
    if watch.phase == "quoted":
        found = _labelled(wording.quote_lines(watch.state, watch.prepared), width)
    if watch.phase == "quoted" or watch.prepared.nobody:
        for finding in watch.prepared.findings:
            found += _warned(str(finding), width)
    if found:
        found.append([])
    if watch.prepared.nobody:
        return [*found, *_nobody(watch, width), [], *_labelled(_result(watch), width)]
    shown = [(place, rung) for place, rung in enumerate(watch.rungs, start=1) if rung.happened or not over]
    for place, rung in shown:
        found += _rung(place, rung, watch.left_ms(now), width)
    more = watch.more + len(watch.rungs) - len(shown)
    if more:
        found.append([Cell(f"   … and {more} {_left_over(watch) if over else 'more'}", "muted")])
    return [*found, [], *_labelled(_result(watch), width)] if over else found


def _result(watch: Watch) -> wording.Lines:
    called = watch.called
    if called is None:
        return []
    index = called.answer.index
    by = [] if index is None else [("answered", wording.place_words(watch.state, index))]
    attempts = [("attempts", str(len(called.answer.attempts)))]
    return [*by, *attempts, *wording.spent_lines(called), ("trace", wording.trace_words(called))]


def _labelled(lines: wording.Lines, width: int) -> list[Line]:
    found: list[Line] = []
    for label, words in lines:
        style = "warn" if label == "key" else ""
        for place, part in enumerate(wrap(words, max(width - LABEL, 8))):
            found.append([Cell(f"{label if place == 0 else '':<{LABEL}}", "label"), Cell(part, style)])
    return found


def _left_over(watch: Watch) -> str:
    """Why the rest of the order was not called."""
    return "that were not needed" if watch.called is not None and watch.called.ok else "that were not tried"


def _warned(text: str, width: int) -> list[Line]:
    parts = wrap(text, max(width - 2, 8))
    return [[Cell(f"{'!' if place == 0 else ' '} {part}", "warn")] for place, part in enumerate(parts)]


def _rung(place: int, rung: Rung, left: float | None, width: int) -> list[Line]:
    sign, style = SIGNS[rung.standing]
    dim = "muted" if rung.standing in {"ahead", "skipped", "lacking"} else ""
    found: list[Line] = [cut([Cell(f"{place:>2} "), Cell(f"{sign} ", style), Cell(rung.place, dim)], width)]
    notes = [*rung.notes]
    if rung.standing == "waiting" and left is not None:
        notes.append(f"again in {_left(left)}")
    for note in notes:
        found += [[Cell("     "), Cell(part, style)] for part in wrap(note, max(width - 5, 8))]
    return found


def _left(ms: float) -> str:
    return f"{ms / 1000:.1f} s"


def _nobody(watch: Watch, width: int) -> list[Line]:
    """Each clause and what it takes: why nobody is left."""
    found: list[Line] = [[Cell("nobody: what each clause takes", "strong")]]
    state = wording.state_of_call(watch.state, watch.prepared)
    for row in tenant_view(state, watch.prepared.outcome).rows:
        if row.removed:
            took = f"takes {row.removed}, leaves {row.left}"
            rule = f" ({row.clause.rule_id})" if row.clause.rule_id else ""
            found.append(cut([Cell(f"{took:<24}", "muted"), Cell(row.clause.shown), Cell(rule, "faint")], width))
    return found
