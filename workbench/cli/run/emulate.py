"""`workbench emulate`: a local server that speaks for every provider of the catalog, and fails on purpose."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING, Any

import click

from workbench.boundary import strict_json
from workbench.boundary.lineage import end_with_parent
from workbench.cli import diagnostics
from workbench.cli.invocation import Invocation, declare
from workbench.cli.layout import Table
from workbench.cli.output import SCHEMA, Output, counted, escape_unsafe
from workbench.cli.usage import Finite

if TYPE_CHECKING:
    from workbench.server.emulator import Emulator, Served


@declare("emulate", "Imitate the providers on this machine, faults included.", endures=True)
@click.option("--host", default="127.0.0.1", show_default=True, metavar="HOST", help="A loopback address.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8089, show_default=True, metavar="N", help="0 takes a free one."
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="FAULT",
    help="PROVIDER[/MODEL]=KIND[:ARGUMENT][@PROBABILITY], such as openai=rate_limit:30s@0.5; again for more.",
)
@click.option("--seed", type=int, default=0, show_default=True, metavar="N", help="Of the probabilities.")
@click.option("--latency", type=Finite(0, 60_000), default=0, metavar="MS", help="Wait before each answer.")
@click.option(
    "--tokens-per-second",
    "speed",
    type=Finite(0.1, 1_000_000),
    metavar="N",
    help="How fast answers come; at once where it is not given.",
)
@click.option(
    "--tokens", type=click.IntRange(0, 200_000), default=0, metavar="N", help="Make answers at least this long."
)
@click.option("--faults", "listed", is_flag=True, help="List the faults and leave.")
def command(
    invocation: Invocation, host: str, port: int, faults: tuple[str, ...], seed: int, listed: bool, **speed: Any
) -> int:
    """Imitate every provider of the catalog on this machine, so that calls and failure plans can be tried.

    Needs no key and no network. Each request is a line here; ctrl+c ends it. Every answer is labelled as emulated.
    """
    if listed:
        return _list_faults(invocation.output)
    from workbench.engine.faults import parse_faults
    from workbench.server.emulator import Emulator, Pace

    catalog = invocation.open().state.catalog
    shown = _Shown(invocation)
    emulator = Emulator(catalog.candidates, seed=seed, tokens=speed["tokens"],
                        pace=Pace(speed["latency"], speed["speed"]), heard=shown.served)  # fmt: skip
    emulator.replace(parse_faults(faults, emulator.names))
    end_with_parent()
    raise diagnostics.Stopped(_run(emulator, host, port, shown))


def _list_faults(output: Output) -> int:
    from workbench.engine.faults import FAULTS

    kinds = FAULTS.values()
    if output.as_json:
        rows = [
            {
                "name": kind.name, "form": kind.form, "help": kind.help, "reason": kind.plain.reason,
                "reason_streamed": kind.streamed.reason,
            }
            for kind in kinds
        ]  # fmt: skip
        output.document({"faults": rows})
        return 0
    cells = [(kind.form, kind.plain.reason or "ok", kind.streamed.reason or "ok", kind.help) for kind in kinds]
    output.table(Table(("fault", "plain", "streamed", "what happens"), cells))
    return 0


def _run(emulator: Emulator, host: str, port: int, shown: _Shown) -> int:
    """Serve until a signal comes; gives its number."""
    from workbench.server.emulator import new_loop, serving

    async def serve() -> int:
        async with serving(emulator, host=host, port=port) as url:
            ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            _listen_for_signals(ended)
            shown.ready(url, emulator)
            return await ended

    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(serve())


def _listen_for_signals(ended: asyncio.Future[int]) -> None:
    """The first signal's number into `ended`: a loop may swallow what a handler of the interpreter's raises."""

    def end(number: int) -> None:
        if not ended.done():
            ended.set_result(number)

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # nohup stays what it is
            with contextlib.suppress(NotImplementedError):  # Windows: there ctrl+c raises KeyboardInterrupt
                asyncio.get_running_loop().add_signal_handler(number, end, int(number))


class _Shown:
    """What is said of it: lines on a terminal or into a pipe, JSON lines with `--json`."""

    def __init__(self, invocation: Invocation) -> None:
        self._output: Output = invocation.output
        self._quiet = invocation.quiet

    def ready(self, url: str, emulator: Emulator) -> None:
        """Where it is, and what to try."""
        faults = [str(fault) for fault in emulator.plan.faults]
        if self._output.as_json:
            self._json({"event": "ready", "url": url, "seed": emulator.plan.seed, "faults": faults})
            return
        names = emulator.names or {}
        self._output.heading(f"emulated providers at {url}")
        self._output.line(f"{counted(len(names), 'provider')}, seed {emulator.plan.seed}; no key is needed")
        for fault in faults:
            self._output.line(f"fault  {fault}")
        if not self._quiet:
            self._output.line(f'try    workbench call TENANT "hello" --emulator {url}')
            self._output.line(f"       curl {url}/emulator/requests")
            self._output.line("ctrl+c ends it")

    def served(self, call: Served) -> None:
        """One request."""
        fault = None if call.fault is None else str(call.fault)
        if self._output.as_json:
            self._json({
                "event": "request", "sequence": call.sequence, "provider": call.provider,
                "served_model_id": call.model, "stream": call.stream, "fault": fault, "status": call.status,
                "emulated": True,
            })  # fmt: skip
        elif not self._quiet:
            how = "stream" if call.stream else "plain"
            status = "closed" if call.status is None else str(call.status)
            told = "" if fault is None else f"  fault {fault}"
            self._output.line(f"{call.sequence:>6}  {status:<6}  {how:<6}  {call.provider}/{call.model}{told}")

    def _json(self, document: dict[str, Any]) -> None:
        self._output.raw(escape_unsafe(strict_json.dumps({"schema": SCHEMA, **document})) + "\n")
