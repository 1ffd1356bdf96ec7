"""`workbench serve`: the endpoint, one base URL for every OpenAI client, the policy with the call."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench.boundary import strict_json
from workbench.boundary.lineage import end_with_parent
from workbench.cli import diagnostics
from workbench.cli.invocation import Invocation, declare
from workbench.cli.output import SCHEMA, counted, escape_unsafe
from workbench.cli.usage import Finite
from workbench.errors import Finding, Place

if TYPE_CHECKING:
    from workbench.server.net.assembly import Process
    from workbench.server.watching.lines import Event
    from workbench.traces.record import Record


@declare("serve", "Serve an OpenAI-compatible endpoint that routes by policy.", endures=True)
@click.option(
    "--host", default="127.0.0.1", show_default=True, metavar="HOST", help="Beyond loopback tokens are needed."
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8088, show_default=True, metavar="N", help="0: a free one."
)
@click.option("--allow-host", "names", multiple=True, metavar="NAME", help="A host name to answer to; again for more.")
@click.option("--emulator", metavar="URL", help="Send every call to this emulator instead of its provider.")
@click.option(
    "--processes", type=click.IntRange(1, 64), default=1, show_default=True, metavar="N", help="How many serve."
)
@click.option("--traces", metavar="PLACE", help="Where traces go: a file, or postgresql://...")
@click.option(
    "--default-max-tokens",
    type=click.IntRange(0, 1_000_000),
    default=4096,
    show_default=True,
    metavar="N",
    help="For a call that states none; 0 sets none.",
)
@click.option(
    "--deadline",
    type=Finite(0.1, 50),
    default=50,
    show_default=True,
    metavar="S",
    help="Of each call.",
)
@click.option("--tokens", metavar="PLACE", help="Where tokens are: a file, or postgresql://...")
@click.option("--require-token", is_flag=True, help="On loopback too, answer nobody without a token.")
@click.option("--shared", metavar="URL", help="Where hosts share limits, budgets, health: postgresql://, redis://.")
@click.option("--tenant-rate", type=click.IntRange(1), metavar="N", help="Calls a minute, of each tenant.")
@click.option("--tenant-concurrency", type=click.IntRange(1), metavar="N", help="Calls at once, of each tenant.")
@click.option("--capacity", type=click.IntRange(1), metavar="N", help="Calls at once, of all together.")
@click.option(
    "--send-key", "send_keys", multiple=True, metavar="NAME=ORIGIN", help="Let a key go where it is held from."
)
@click.option("--otel", is_flag=True, help="Send spans and figures over OTLP; OTEL_* variables say where.")
@click.option("--lenient", is_flag=True, help="Answer an unknown model by the default profile, with a warning.")
def command(
    invocation: Invocation, host: str, port: int, processes: int, emulator: str | None, traces: str | None,
    **wanted: Any,
) -> int:  # fmt: skip
    """Serve the workspace behind an OpenAI-compatible API until ctrl+c.

    A catalog, rulebook or tenant file that changes is taken up at once; one that is broken is not, and the last good
    one keeps serving. With --json each call that is over is a line: what was decided, never what was said.
    """
    from workbench.boundary.machine import is_loopback
    from workbench.server.callers.gate import Settings
    from workbench.server.callers.places import VARIABLE, LazyTokens, tokens_place
    from workbench.server.callers.wiring import GatePlan, check_reach
    from workbench.server.host import Options
    from workbench.server.net.assembly import Plan
    from workbench.server.net.listening import bind, run, url_of
    from workbench.server.net.several import Several, inherited
    from workbench.server.net.telling import Telling
    from workbench.server.watching.lines import Lines

    _check_names(wanted["names"])
    options = Options(
        default_max_tokens=wanted["default_max_tokens"],
        deadline_ms=wanted["deadline"] * 1000,
        lenient=wanted["lenient"],
        host_names=(*wanted["names"], host),
        any_name=wanted["require_token"] or not is_loopback(host),
        emulated=emulator is not None,
    )
    root, given = invocation.root(), inherited()
    place = tokens_place(root, wanted["tokens"])
    notices = [] if given else _check_tokens(place, named=bool(wanted["tokens"] or os.environ.get(VARIABLE)))
    check_reach(host, LazyTokens(place))
    limits = Settings(
        wanted["require_token"] or not is_loopback(host), wanted["tenant_rate"], wanted["tenant_concurrency"],
        wanted["capacity"],
    )  # fmt: skip
    gate = GatePlan(place, wanted["shared"], processes > 1, limits)
    process = Telling(Plan(root, traces, options, emulator, gate, wanted["otel"], send_keys=wanted["send_keys"]))
    process.notices += notices
    end_with_parent()
    bound = given or bind(host, port)
    shown = _Shown(invocation, process, child=given is not None)
    lines = Lines(shown.event, shown.token)
    process.hearers.append(lines.put)
    if invocation.as_json and processes == 1:
        process.listeners.append(lines.put)
        process.host.refusals.append(lines.put)

    def ready() -> None:
        shown.ready(url_of(bound))
        lines.begin()

    if processes > 1 and given is None:
        several = Several(bound, sys.argv[1:], processes, lines.put)
        signalled = several.run(ready)
    else:
        signalled = run(process.app(), bound, ready, process.fast_path(), shown.ending)
    lines.close()
    return 128 + signalled if signalled else diagnostics.OK


def _check_names(names: Iterable[str]) -> None:
    """Raises `UsageError` for what no request can name as its host."""
    from workbench.server.guards import is_host_name

    for name in names:
        if not is_host_name(name):
            hint = "a name or an address as it stands in a URL, without scheme, port and path: llm.example.org"
            raise diagnostics.usage(f"`{name}` is no host name", hint=hint, code="host_name")


def _check_tokens(place: Path | str, *, named: bool) -> list[Finding]:
    """What a person should be told of where tokens are. Raises `CallersError` for a place that somebody has named."""
    from workbench.server.callers.places import LazyTokens
    from workbench.server.callers.tables import CallersError

    tokens = LazyTokens(place)
    try:
        there = tokens.check()
    except CallersError as error:
        if named:
            raise
        return [replace(finding, severity="warning") for finding in error.findings]
    finally:
        tokens.close()
    if there or not named:
        return []
    hint = "`workbench token new NAME`, with the same place, makes it"
    reason = "there is no such file yet, and so no token"
    return [Finding(reason, "no_token", Place(str(place)), hint, "warning")]


class _Shown:
    """What is said when it is up: lines, or one JSON line."""

    def __init__(self, invocation: Invocation, process: Process, *, child: bool) -> None:
        self._invocation = invocation
        self._process = process
        self._child = child
        """Whether it is one of several, whose stdout nobody reads."""
        self._before = len(process.notices) if child else 0
        """How much of what is to be told its parent has told."""

    def ready(self, url: str) -> None:
        """Where it is, what it serves, and one call to try."""
        from workbench.server.net.keeping import most

        output, process = self._invocation.output, self._process
        host = process.host
        faults = () if self._child else host.faults
        findings = [*most(faults), *process.notices[self._before :]]
        state = host.state
        tenants = [] if state is None else state.answered
        if output.as_json:
            self._json({
                "event": "ready", "url": url, "base_url": f"{url}/v1", "initialized": state is not None,
                "tenants": tenants,
                "profiles": [] if state is None else list(state.profiles),
                "traces": process.traces.shown, "emulated": host.options.emulated,
                "warnings": [finding.as_document() for finding in findings],
                "faults_total": len(faults),
            })  # fmt: skip
            return
        output.heading(f"serving at {url}")
        output.whole(f"base URL  {url}/v1")
        output.whole(f"traces    {process.traces.shown}")
        if host.options.emulated:
            output.line("every call goes to the emulator; every answer is made up")
        quiet = self._invocation.quiet
        diagnostics.warn([finding for finding in findings if not quiet or finding.severity != "warning"])
        if quiet:
            return
        if state is None:
            output.line("until that is mended every call is answered 503; files are taken up as they change")
        else:
            body = _body(next(iter(tenants), None))
            token = '-H "authorization: Bearer $WORKBENCH_TOKEN" ' if host.options.any_name else ""
            headers = f"{token}-H 'content-type: application/json'"
            output.whole(f"try       curl -s {url}/v1/chat/completions {headers} -d '{body}'")
        output.line("ctrl+c ends it")

    def ending(self) -> None:
        """It was asked to end, and calls are under way."""
        calls = self._process.host.metrics.inflight
        if calls and not self._invocation.quiet and not self._invocation.as_json and not self._child:
            diagnostics.tell(f"{counted(calls, 'call')} under way; the same again cuts {'it' if calls == 1 else 'all'}")

    def event(self, line: dict[str, Any] | Event) -> None:
        """What happens while it serves: all of it for a program, what somebody should know for a person."""
        if isinstance(line, dict):
            self._json(line)
        elif self._invocation.as_json and not self._child:
            self._json(line.as_document())
        elif line.wrong or not self._invocation.quiet:
            whose = f"process {os.getpid()}: " if self._child else ""
            for sentence in line.sentences():
                diagnostics.tell(f"{whose}{sentence}")

    def token(self, record: Record) -> str | None:
        """The id of the token that a call was made with, while it ends; None without one."""
        from workbench.server.hooks import LOCAL

        engine = self._process.host.engine
        caller = None if engine is None else engine.traces.callers.get(str(record.trace.head.trace_id))
        return caller if caller and caller != LOCAL.id else None

    def _json(self, document: dict[str, Any]) -> None:
        self._invocation.output.raw(escape_unsafe(strict_json.dumps({"schema": SCHEMA, **document})) + "\n")


def _body(tenant: str | None) -> str:
    whose = {} if tenant is None else {"tenant": tenant}
    return strict_json.dumps({"model": "policy:tenant" if tenant else "", **whose, "compact": True,
                              "messages": [{"role": "user", "content": "hello"}]})  # fmt: skip
