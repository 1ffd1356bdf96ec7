"""What every command about traces shares: the option that names the store, opening it, and the options of a filter."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from workbench.cli.catalog.source import workspace_settings
from workbench.cli.invocation import Invocation
from workbench.session.tracing import Traces, place_for
from workbench.session.tracing.asking import moment_ms, outcome_word
from workbench.session.tracing.places import told_place
from workbench.traces.listing import Filter

F = TypeVar("F", bound=Callable[..., Any])


def place_option(command: F) -> F:
    """`--traces PLACE`."""
    return click.option(
        "--traces", "place", metavar="PLACE", help="The store: a file ending in .db, or postgresql://..."
    )(command)


def filter_options(command: F) -> F:
    """The options that say which traces are meant."""
    for option in reversed(
        (
            click.option("--tenant", metavar="TENANT", help="Only this tenant's."),
            click.option("--provider", metavar="PROVIDER", help="Only where it answered, or was called on the way."),
            click.option("--outcome", metavar="WORD", help="ok, failed, exhausted, interrupted, decided, or a reason."),
            click.option("--since", metavar="WHEN", help="From then on: 2h, 7d, 2026-11-22, 2026-11-22T14:05 (UTC)."),
            click.option("--until", metavar="WHEN", help="Up to then, itself left out."),
            click.option("--text", metavar="TEXT", help="Only where this stands: in names, or in text that is kept."),
        )
    ):
        command = option(command)
    return command


def filter_of(options: Mapping[str, Any], now: int) -> Filter:
    """The filter that those options mean. Raises `UsageError`."""
    since, until, outcome = options.get("since"), options.get("until"), options.get("outcome")
    return Filter(
        tenant=options.get("tenant"),
        provider=options.get("provider"),
        outcome=None if outcome is None else outcome_word(outcome, "--outcome"),
        since_ms=None if since is None else moment_ms(since, now, "--since"),
        until_ms=None if until is None else moment_ms(until, now, "--until"),
        text=options.get("text"),
    )


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Opened:
    """The traces of one command, its notices told."""

    traces: Traces
    now: int

    @property
    def json(self) -> dict[str, Any]:
        """Which store, for programs."""
        notices = [finding.as_document() for finding in self.traces.notices]
        return {"place": self.traces.shown, "standing": self.traces.standing, "warnings": notices}


@contextmanager
def opened(invocation: Invocation, place: str | None) -> Generator[Opened]:
    """The workspace's traces, closed at the end. Nothing is opened before it is asked for.

    A rulebook or a tenant that can't be read keeps nobody from the traces, nor does a `workbench.toml` where the place
    is named otherwise.
    """
    root = invocation.root()
    told = told_place(place)
    traces = Traces(place_for(root, None if told else workspace_settings(root), place))
    try:
        yield Opened(traces, now_ms())
    finally:
        traces.close()


def tell(invocation: Invocation, traces: Traces) -> None:
    """What a person should know of the place, on the side."""
    invocation.warn(traces.notices)
