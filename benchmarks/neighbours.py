"""What one tenant's flood does to another tenant's calls (RELIABILITY R40): p95 of the neighbour, with and without.

    python -m benchmarks.neighbours [--rounds 5] [--seconds 3] [--json]

One process of the endpoint over the sample, traces on, `--tenant-rate 3600 --tenant-concurrency 16`. The neighbour asks
40 times a second, whatever comes back, and a call's time counts from when it was due. The other tenant is at its limit:
it asks 500 times a second, or on 32 connections as fast as it is answered, nearly always with 429. Quiet and flooded
rounds take turns; a second quiet one in each turn tells how much of a difference is none. Upstream, endpoint and both
tenants' generators are processes of their own. The upstream answers after 200 ms, as a fast model does, or at once,
where all that is measured is the endpoint's own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import uvloop

from benchmarks.endpoint import HELLO, Upstream, free_port, process
from benchmarks.tables import Table, show

FLOODER, NEIGHBOUR = "ladle-free", "acme-eu"
STEADY_RATE, FLOOD_RATE, FLOOD_CONNECTIONS = 40.0, 500.0, 32
FLOODS = ("500 a second", "without pause")
PER_MINUTE = 3_600
LIMITS = ("--tenant-rate", str(PER_MINUTE), "--tenant-concurrency", "16")
ALLOWED = 10.0
"""Percent that the neighbour's p95 may rise."""


def slow(delay_s: float) -> type[Upstream]:
    """An upstream whose answers take so long."""

    class Slow(Upstream):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            if delay_s:
                self.transport = cast("asyncio.Transport", _Later(cast("asyncio.Transport", transport), delay_s))

    return Slow


class _Later:
    def __init__(self, transport: asyncio.Transport, delay_s: float) -> None:
        self._transport, self._delay = transport, delay_s

    def write(self, data: bytes) -> None:
        asyncio.get_running_loop().call_later(self._delay, self._transport.write, data)


async def upstream(port: int, delay_s: float) -> None:
    """Serve until the process ends."""
    server = await asyncio.get_running_loop().create_server(slow(delay_s), "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


@dataclass
class Tally:
    """What one tenant was answered in a round."""

    seconds: list[float] = field(default_factory=list[float])
    statuses: dict[int, int] = field(default_factory=dict[int, int])

    def add(self, status: int, took: float) -> None:
        """One answer."""
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if status == 200:
            self.seconds.append(took)


class Line(asyncio.Protocol):
    """A kept connection: one request at a time."""

    def __init__(self) -> None:
        self._waiting: asyncio.Future[int] | None = None
        self._got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def ask(self, data: bytes) -> asyncio.Future[int]:
        """Send a request; gives the status of its answer, once that has come whole."""
        self._waiting, self._got = asyncio.get_running_loop().create_future(), b""
        self.transport.write(data)
        return self._waiting

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, found, body = self._got.partition(b"\r\n\r\n")
        if not found or self._waiting is None:
            return
        size = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        if len(body) >= size and not self._waiting.done():
            self._waiting.set_result(int(head[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(0)


class Tenant:
    """Calls of one tenant, on connections that are kept between rounds."""

    def __init__(self, port: int, tenant: str) -> None:
        body = json.dumps({**HELLO, "tenant": tenant, "compact": True}).encode()
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-length: {len(body)}\r\n\r\n"
        self._port, self._data, self._idle = port, head.encode() + body, list[Line]()

    async def _one(self, due: float, tally: Tally) -> None:
        line = self._idle.pop() if self._idle else None
        if line is None or line.transport.is_closing():
            _, line = await asyncio.get_running_loop().create_connection(Line, "127.0.0.1", self._port)
        status = await line.ask(self._data)
        tally.add(status, time.perf_counter() - due)
        if status:
            self._idle.append(line)

    async def at_rate(self, rate: float, seconds: float) -> Tally:
        """So many calls a second, whatever becomes of them."""
        tally, calls, began = Tally(), set[asyncio.Task[None]](), time.perf_counter()
        for number in range(int(rate * seconds)):
            due = began + number / rate
            await asyncio.sleep(max(due - time.perf_counter(), 0))
            calls.add(asyncio.ensure_future(self._one(due, tally)))
        await asyncio.gather(*calls)
        return tally

    async def without_pause(self, connections: int, seconds: float) -> Tally:
        """Each connection asks again as soon as it was answered."""
        tally, latest = Tally(), time.perf_counter() + seconds

        async def again() -> None:
            while (now := time.perf_counter()) < latest:
                await self._one(now, tally)

        await asyncio.gather(*(again() for _ in range(connections)))
        return tally


def p95(tallies: Sequence[Tally]) -> float:
    """The median of the rounds' p95, in milliseconds."""
    return statistics.median(1e3 * statistics.quantiles(each.seconds, n=20)[-1] for each in tallies)


async def flood(port: int, how: str, seconds: float) -> dict[int, int]:
    """The other tenant at its limit; what it was answered."""
    flooder = Tenant(port, FLOODER)
    if how == FLOODS[1]:
        return (await flooder.without_pause(FLOOD_CONNECTIONS, seconds)).statuses
    return (await flooder.at_rate(FLOOD_RATE, seconds)).statuses


class Flood:
    """The other tenant's calls, from a process of their own: their generator is not what the neighbour waits for."""

    def __init__(self, port: int, how: str, seconds: float) -> None:
        self._words = [sys.executable, "-m", "benchmarks.neighbours", "--flood", str(port), how, str(seconds)]

    async def __aenter__(self) -> Flood:
        self._process = await asyncio.create_subprocess_exec(*self._words, stdout=asyncio.subprocess.PIPE)
        assert self._process.stdout is not None
        await self._process.stdout.readline()  # it is up
        return self

    async def __aexit__(self, *_: object) -> None:
        found = (await self._process.communicate())[0]
        self.statuses: dict[str, int] = json.loads(found)


async def measure(port: int, how: str, rounds: int, seconds: float) -> dict[str, Any]:
    """The three arms in turns."""
    neighbour, statuses = Tenant(port, NEIGHBOUR), {"200": 2 * PER_MINUTE}
    while statuses.get("200", 0) > 2 * PER_MINUTE / 60 * seconds:  # what a minute's pause had saved up
        async with Flood(port, how, seconds) as warming:
            pass
        statuses = warming.statuses
    arms: dict[str, list[Tally]] = {"quiet": [], "flooded": [], "quiet again": []}
    floods: list[dict[str, int]] = []
    for turn in range(rounds):
        for arm in list(arms) if turn % 2 else list(reversed(arms)):
            if arm == "flooded":
                async with Flood(port, how, seconds) as flooding:
                    found = await neighbour.at_rate(STEADY_RATE, seconds)
                floods.append(flooding.statuses)
            else:
                found = await neighbour.at_rate(STEADY_RATE, seconds)
            arms[arm].append(found)
    refused = sum(each.get("429", 0) for each in floods)
    served = sum(each.get("200", 0) for each in floods)
    quiet = statistics.median((p95(arms["quiet"]), p95(arms["quiet again"])))
    return {
        "quiet_ms": quiet, "again_percent": 100 * (p95(arms["quiet again"]) / p95(arms["quiet"]) - 1),
        "flooded_ms": p95(arms["flooded"]), "rise_percent": 100 * (p95(arms["flooded"]) / quiet - 1),
        "turned_away": sum(each.statuses.get(429, 0) for tallies in arms.values() for each in tallies),
        "refused_per_s": refused / (rounds * seconds), "served_per_s": served / (rounds * seconds),
    }  # fmt: skip


def run(rounds: int, seconds: float, folder: Path) -> list[dict[str, Any]]:
    """Every upstream with every flood."""
    found: list[dict[str, Any]] = []
    for delay_ms in (200, 0):
        up = free_port()
        with process([sys.executable, "-m", "benchmarks.neighbours", "--upstream", str(up), str(delay_ms)], up):
            for how in FLOODS:
                port = free_port()
                words = [
                    sys.executable, "-m", "workbench", "serve", "--port", str(port), "--quiet", *LIMITS,
                    "--emulator", f"http://127.0.0.1:{up}", "--traces", str(folder / f"{delay_ms}-{how[0]}.db"),
                ]  # fmt: skip
                with process(words, port, XDG_STATE_HOME=str(folder)):
                    row = uvloop.run(measure(port, how, rounds, seconds))
                found.append({"upstream_ms": delay_ms, "flood": how, **row})
                print(found[-1], file=sys.stderr, flush=True)
    return found


def table(found: Sequence[dict[str, Any]]) -> Table:
    """As the page shows it."""
    columns = (
        "upstream ms", "the other tenant", "429/s", "served/s", "p95 quiet ms", "quiet again %", "p95 flooded ms",
        "rise %", "its own 429", "",
    )  # fmt: skip
    rows = tuple(
        (
            row["upstream_ms"], row["flood"], round(row["refused_per_s"]), round(row["served_per_s"]),
            round(row["quiet_ms"], 1), round(row["again_percent"], 1), round(row["flooded_ms"], 1),
            round(row["rise_percent"], 1), row["turned_away"], "met" if row["rise_percent"] <= ALLOWED else "missed",
        )
        for row in found
    )  # fmt: skip
    return Table("neighbours", "A neighbour's p95 beside a flood", columns, rows)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--upstream", type=int, nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--flood", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.flood:
        port, how, seconds = options.flood
        print("up", flush=True)
        print(json.dumps(uvloop.run(flood(int(port), how, float(seconds)))))
        return
    if options.upstream:
        uvloop.run(upstream(options.upstream[0], options.upstream[1] / 1000))
        return
    with tempfile.TemporaryDirectory() as folder:
        found = run(options.rounds, options.seconds, Path(folder))
    show([table(found)], as_json=options.json)


if __name__ == "__main__":
    main()
