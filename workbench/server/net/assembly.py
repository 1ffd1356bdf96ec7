"""Puts one process of the endpoint together: snapshot, keys, health, transport, traces, routes.

Owns the order in which the parts are opened and closed. Where a workspace cannot be read at the start, the process
serves all the same and says 503, never "allow all" (RELIABILITY R51).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from workbench.engine.pool import Pool
from workbench.errors import Finding, WorkbenchError
from workbench.gateway.dispatch import Dispatcher
from workbench.gateway.keys import KeySource
from workbench.gateway.redirected import Redirected
from workbench.server.app import App
from workbench.server.callers.wiring import GatePlan, attach
from workbench.server.chat.calling import Engine
from workbench.server.host import Host, Options
from workbench.server.installed import missing
from workbench.server.net.fast_path import FastPath
from workbench.server.net.keeping import Kept, keeping_good, most
from workbench.server.net.reloading import Reloader, Seen, seen
from workbench.server.routes import ROUTES
from workbench.server.state import ServerState
from workbench.server.tracing.recording import CallRecorder
from workbench.server.watching.measuring import Measuring
from workbench.server.watching.metrics import Application, Measured
from workbench.server.watching.otel import Spanned, Telemetry
from workbench.session.calls.addresses import addressed
from workbench.session.calls.health.store import HealthStore
from workbench.session.calls.key_ring import KeyRing
from workbench.session.calls.places import state_folder
from workbench.session.settings import Settings
from workbench.session.tracing import Traces, place_for
from workbench.session.workspace import named_by, open_workspace
from workbench.traces.grouped import GroupedWriter
from workbench.traces.record import Record
from workbench.traces.sinks import sink_for

try:
    from workbench.gateway.transports.loop import LoopTransport
except ImportError:
    raise missing("httptools") from None


@dataclass(frozen=True, slots=True)
class Plan:
    """What one process needs to know."""

    root: Path
    """The workspace's folder."""
    traces: str | None = None
    """Where traces go, where somebody said so."""
    options: Options = field(default_factory=Options)
    emulator: str | None = None
    """The address that every call goes to instead of its provider."""
    gate: GatePlan | None = None
    """Who may call; None: everyone who reaches it."""
    otel: bool = False
    """Whether spans and figures go to OpenTelemetry."""
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    folder: Path = field(default_factory=state_folder)
    """The user's state directory: where keys may go, what calls measured."""
    send_keys: tuple[str, ...] = ()
    """`NAME=ORIGIN`: keys that a person lets go to an address that they are held from."""


class Process:
    """The parts of one process."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.host = Host(options=plan.options)
        self._fast_path: FastPath | None = None
        self._meant: tuple[Settings, Path | None] | None = None
        """What the files name, where that could not be taken up."""
        self.redirected = None if plan.emulator is None else Redirected.to(plan.emulator)
        self.keys = KeyRing.open(plan.root, plan.folder, plan.environment)
        self.notices: list[Finding] = []
        """What a person should be told."""
        self.warnings: tuple[Finding, ...] = ()
        """What a person should know of files that are in force."""
        self.take(self.read())
        self.notices += most(self.warnings)
        for word in plan.send_keys:
            self.keys.confirm_text(word)
        self.notices += self.keys.waiting
        if self.redirected is None and self.host.state is not None and self.host.state.call_pool is not None:
            self.notices += self.keys.lacking(self.host.state.call_pool.candidates)
        settings = None if self.host.state is None else self.host.state.workspace.settings
        self.traces = Traces(place_for(plan.root, settings, plan.traces, plan.environment))
        self.host.traces = self.traces
        self.telemetry = Telemetry.otlp() if plan.otel else None
        self.listeners: list[Callable[[Record], None]] = []
        """Hear of every call that is over, at once; to be filled before the start."""
        if self.telemetry is not None:
            self.listeners.append(self.telemetry.ended)
        if plan.gate is not None:
            attach(self.host, plan.gate)
        self.host.starting.append(self._start)
        reloader = Reloader(self.look, self.reload)
        self.host.starting.append(reloader.start)
        self.host.stopping.append(reloader.stop)

    def app(self) -> Application:
        """The application, counted and, where it is asked for, traced."""
        app: Application = Measured(App(self.host, ROUTES), self.host.metrics)
        return app if self.telemetry is None else Spanned(app, self.telemetry)

    def fast_path(self) -> FastPath | None:
        """The fast path of plain calls; None where every request is a span of a trace."""
        if self._fast_path is None and self.telemetry is None:
            self._fast_path = FastPath(self.host)
        return self._fast_path

    def read(self) -> ServerState | None:
        """The snapshot that the files give; None where they give none, with the reasons in `host.faults`."""
        try:
            kept = keeping_good(open_workspace(self.plan.root), self.host.state)
            state = self.snapshot(kept)
            _ = state.profiles, state.kept.content_sha256, state.kept.pool.columns  # what a request would wait for
        except WorkbenchError as error:
            self.host.faults = error.findings or (Finding(error.title, "workspace"),)
            self._meant = named_by(self.plan.root)
            return None
        self.host.faults, self._meant = kept.findings, None
        found = (finding for finding in kept.workspace.findings if finding.severity == "warning")
        self.warnings = (*found, *kept.warned)
        return state

    def look(self) -> Seen:
        """What the files look like now."""
        state, meant = self.host.state, self._meant
        found: Seen = ()
        if state is not None:
            found = seen(self.plan.root, state.workspace.settings, state.workspace.catalog_path)
        if meant is not None:  # what has to be mended may lie elsewhere than what is served
            found = tuple(sorted({*found, *seen(self.plan.root, *meant)}))  # the same files are no change
        return found or seen(self.plan.root, Settings("", ""), None)

    def reload(self) -> None:
        """Take up what the files say, where it is good."""
        self.take(self.read())

    def snapshot(self, kept: Kept) -> ServerState:
        """A snapshot of what is to be served, with the addresses that its offers are called at."""
        workspace = kept.workspace
        catalog = workspace.state.catalog
        if self.redirected is None:
            called = addressed(catalog, self.keys.environment).candidates
            self.keys.settle(called)
        else:
            called = tuple(self.redirected.candidate(candidate) for candidate in catalog.candidates)
        generation = 1 if self.host.state is None else self.host.state.generation + 1
        pool = Pool(called, catalog.vocabulary)
        tenants = {tenant.id: tenant for tenant in workspace.state.tenants}
        return ServerState(workspace, generation, tenants, kept.lacking, pool)

    def take(self, state: ServerState | None) -> None:
        """Put a snapshot in force; None changes nothing."""
        if state is not None:
            self.host.state = state

    def traces_fail(self, lost: int, error: WorkbenchError | None) -> None:
        """Hear that traces begin to be lost, and why; or, without an error, that they are written again."""

    def _ended(self, record: Record) -> None:
        for listener in self.listeners:
            listener(record)

    async def _start(self) -> None:
        host = self.host
        transport = LoopTransport()
        store = None
        try:
            store = self.traces.store()
            self.notices += store.notices
        except WorkbenchError as error:  # calls go on without their records, and say so (E9)
            self.notices += error.findings or (Finding(error.title, "traces"),)
        writer = GroupedWriter(None if store is None else sink_for(store), heard=self.traces_fail)
        host.metrics.traces(lambda: writer.lost)
        recorder = CallRecorder(writer, self._ended if self.listeners else None)
        keys: KeySource = self.keys.keys if self.redirected is None else self.redirected
        dispatcher = Dispatcher(transport, keys, host.health, recorder)
        host.engine = Engine(host, dispatcher, recorder)
        host.measuring = Measuring(partial(HealthStore.at, self.plan.folder, emulated=host.options.emulated))
        await host.measuring.start()
        host.stopping.append(host.measuring.stop)

        async def stop() -> None:
            await transport.aclose()
            await writer.close()
            self.traces.close()
            if self.telemetry is not None:
                self.telemetry.close()

        host.stopping.append(stop)
        if self._fast_path is not None:
            host.stopping.append(self._fast_path.stop)
