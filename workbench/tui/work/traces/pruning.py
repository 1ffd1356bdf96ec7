"""Deleting from the screen: what could go, how many that is, one more question, then it is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from workbench.session.tracing.pruning import Pruning, pruning
from workbench.traces.listing import Filter
from workbench.traces.store import TraceStore
from workbench.tui import wording
from workbench.tui.screens.dialogs import Ask, Choice
from workbench.tui.work.traces.loading import now_ms

if TYPE_CHECKING:
    from workbench.tui.work.traces.screen import TracesScreen

DAY_MS: Final = 86_400_000
DAYS: Final = 30
NEWEST: Final = 1_000


@dataclass(frozen=True, slots=True)
class Way:
    """One way to choose what goes."""

    key: str
    title: str
    words: str
    plan: Pruning


def ways(store: TraceStore, wanted: Filter, trace_id: str | None) -> list[Way]:
    """What may be deleted, each with its count; looks at the store, so not for the UI thread."""
    now = now_ms()
    found = [
        Way("o", "older", f"older than {DAYS} days", pruning(store, Filter(until_ms=now - DAYS * DAY_MS), now_ms=now)),
        Way("k", "the old ones", f"all but the {NEWEST:,} newest", pruning(store, Filter(), keep=NEWEST, now_ms=now)),
    ]
    if wanted != Filter():
        found.append(Way("f", "filtered", "all that the filter shows", pruning(store, wanted, now_ms=now)))
    if trace_id is not None:
        found.append(
            Way("t", "this one", "the one under the cursor", pruning(store, Filter(trace_id=trace_id), now_ms=now))
        )
    return [way for way in found if way.plan.count]


def ask_which(screen: TracesScreen, found: Sequence[Way]) -> None:
    """Let the person choose, then ask once more."""
    if not found:
        screen.say("there is nothing to delete", "warn")
        return
    choices = [Choice(way.key, way.title, way.key) for way in found]
    counts = "; ".join(f"{way.key}: {way.words}, {way.plan.count:,}" for way in found)
    text = f"{wording.plural(found[0].plan.total, 'trace')} in {screen.traces.shown}. Which ones go? {counts}."
    by_key = {way.key: way for way in found}
    screen.host.push_screen(
        Ask("Delete traces", text, choices), lambda key: _confirm(screen, by_key[key]) if key in by_key else None
    )


def _confirm(screen: TracesScreen, way: Way) -> None:
    text = (
        f"{wording.plural(way.plan.count, 'trace')}, {way.words}: deleted for good, text included. "
        "`workbench traces prune --backup FILE` keeps a copy first."
    )
    ask = Ask("Delete them?", text, [Choice("d", "delete", "yes")])
    screen.host.push_screen(ask, lambda answer: screen.prune(way) if answer else None)
