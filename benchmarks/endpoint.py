"""The endpoint in front of an instant upstream, beside LiteLLM's proxy: one load generator, one upstream, one run.

    python benchmarks/endpoint.py [--seconds 5] [--streams 1000] [--soak 60] [--json]

`WORKBENCH_LITELLM` names LiteLLM's program (`/opt/litellm/bin/litellm`); without one it is left out. The upstream is a
process of its own that answers from memory; the generator (raw sockets, uvloop) is another. Traces are on. Each figure
is the median of the rounds; what a call costs beside the upstream is `added`. How Python was built matters: one without
profile-guided optimisation (pyenv's default) is half again as slow as a distribution's, so give both programs the same.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import uvloop

ROOT = Path(__file__).resolve().parent.parent
ANSWER: dict[str, Any] = {
    "id": "c", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi back"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
}  # fmt: skip
KEY = f"sk-{secrets.token_hex(24)}"
"""Of LiteLLM's proxy, which starts with none that is known; ours has no tokens here and does not look."""
HELLO = {"messages": [{"role": "user", "content": "hi"}]}


class Upstream(asyncio.Protocol):
    """Answers every request at once; a stream gets its first word and then waits to be hung up on."""

    def __init__(self) -> None:
        body = json.dumps(ANSWER).encode()
        self.whole = (
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body
        )
        self.waiting = b""
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.waiting += data
        while (end := self.waiting.find(b"\r\n\r\n")) >= 0:
            head = self.waiting[:end].lower()
            _, found, rest = head.partition(b"content-length:")
            size = int(rest.split(b"\r\n", 1)[0]) if found else 0
            if len(self.waiting) < end + 4 + size:
                return
            body, self.waiting = self.waiting[end + 4 : end + 4 + size], self.waiting[end + 4 + size :]
            self.transport.write(self._stream() if b'"stream":true' in body.replace(b" ", b"") else self.whole)

    def _stream(self) -> bytes:
        chunk = b'data: {"model":"m","choices":[{"index":0,"delta":{"content":"word "},"finish_reason":null}]}\n\n'
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        return head + b"%x\r\n%s\r\n" % (len(chunk), chunk)


async def upstream(port: int) -> None:
    """Serve until the process ends."""
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


@dataclass(frozen=True)
class Load:
    """What one round measured."""

    requests_per_s: float
    p50_ms: float
    p99_ms: float
    failed: int


class Client(asyncio.Protocol):
    """One connection that asks again as soon as it was answered."""

    def __init__(self, data: bytes, latest: float, times: list[float]) -> None:
        self.data, self.latest, self.times = data, latest, times
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.failed = 0
        self.size = -1
        self.got = 0
        self.head = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._ask()

    def _ask(self) -> None:
        self.size, self.got, self.head = -1, 0, b""
        self.began = time.perf_counter()
        self.transport.write(self.data)

    def data_received(self, data: bytes) -> None:
        if self.size < 0:
            self.head += data
            end = self.head.find(b"\r\n\r\n")
            if end < 0:
                return
            lower = self.head[:end].lower()
            self.failed += not lower.startswith(b"http/1.1 200")
            self.size = int(lower.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            data = self.head[end + 4 :]
        self.got += len(data)
        if self.got >= self.size:
            now = time.perf_counter()
            self.times.append(now - self.began)
            if now < self.latest:
                self._ask()
            elif not self.done.done():
                self.done.set_result(None)
                self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if not self.done.done():
            self.failed += 1
            self.done.set_result(None)


async def load(port: int, path: str, body: dict[str, Any], concurrency: int, seconds: float, rate: float = 0) -> Load:
    """One round against a server on loopback; with `rate`, no more requests a second than that."""
    data = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: application/json\r\n"
    head += f"authorization: Bearer {KEY}\r\ncontent-length: {len(data)}\r\n\r\n"
    times: list[float] = []
    loop, began = asyncio.get_running_loop(), time.perf_counter()
    clients: list[Client] = []

    def made() -> Client:
        client = Client(head.encode() + data, began + seconds if not rate else 0.0, times)
        clients.append(client)
        return client

    if rate:
        while (now := time.perf_counter()) < began + seconds:
            await loop.create_connection(made, "127.0.0.1", port)
            await asyncio.sleep(max(began + len(clients) / rate - now, 0))
    else:
        for _ in range(concurrency):
            await loop.create_connection(made, "127.0.0.1", port)
    for client in clients:
        await client.done
    took = time.perf_counter() - began
    ordered = sorted(times)
    failed = sum(client.failed for client in clients)
    return Load(len(times) / took, 1e3 * ordered[len(times) // 2], 1e3 * ordered[int(len(times) * 0.99)], failed)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def process(arguments: Sequence[str], port: int, **environment: str) -> Generator[subprocess.Popen[bytes]]:
    """A program that listens on `port`, until the block ends."""
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen(arguments, env={**os.environ, **environment}, stdout=log, stderr=log, cwd=ROOT)
        try:
            latest = time.monotonic() + 120
            while True:
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                    break
                if child.poll() is not None or time.monotonic() > latest:
                    log.seek(0)
                    raise SystemExit(log.read().decode("utf-8", "replace")[-2000:])
                time.sleep(0.05)
            yield child
        finally:
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(15)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def workspace(folder: Path, offers: int) -> Path:
    """A workspace whose catalog has so many offers of one provider's making."""
    folder.mkdir(parents=True)
    sample = json.loads((ROOT / "catalogs" / "2026-11.json").read_text())
    known = [offer for offer in sample["offers"] if offer.get("provider") == "deepinfra"] or sample["offers"]
    rows = [{**known[k % len(known)], "served_model_id": f"model-{k}"} for k in range(offers)]
    sample["offers"] = rows
    (folder / "catalog.json").write_text(json.dumps(sample))
    (folder / "workbench.toml").write_text('catalog = "catalog.json"\ntenants = "."\n')
    (folder / "rulebook.toml").write_text(
        'id = "b"\n[defaults]\nfilters = ["meets_req", "not disabled and not breaker_open"]\n'
    )
    return folder


def resident_mib(child: subprocess.Popen[bytes]) -> float:
    pages = int(Path(f"/proc/{child.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def middle(rounds: Sequence[Load]) -> Load:
    """The round of the median rate."""
    return sorted(rounds, key=lambda each: each.requests_per_s)[len(rounds) // 2]


def measure(port: int, path: str, body: dict[str, Any], seconds: float, rounds: int) -> dict[str, Any]:
    """Rate at concurrency 16, and the median time at concurrency 1."""
    uvloop.run(load(port, path, body, 4, 1.0))  # warm
    many = middle([uvloop.run(load(port, path, body, 16, seconds)) for _ in range(rounds)])
    one = [uvloop.run(load(port, path, body, 1, seconds / 2)) for _ in range(rounds)]
    return {
        "requests_per_s": round(many.requests_per_s), "p99_ms_at_16": round(many.p99_ms, 2), "failed": many.failed,
        "p50_ms": round(statistics.median(each.p50_ms for each in one), 3),
    }  # fmt: skip


def serve(port: int, up: int, root: Path, folder: Path) -> list[str]:
    return [
        sys.executable, "-m", "workbench", "serve", "-C", str(root), "--port", str(port), "--emulator",
        f"http://127.0.0.1:{up}", "--traces", str(folder / f"traces-{port}.db"), "--quiet",
    ]  # fmt: skip


async def streams(port: int, count: int) -> None:
    """So many open streams at once, each with its first word."""
    data = json.dumps({**HELLO, "stream": True}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {len(data)}\r\n\r\n".encode()
    opened: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    for _ in range(count):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head + data)
        opened.append((reader, writer))
    for reader, _ in opened:
        await reader.readuntil(b"word ")
    HELD.append(opened)


HELD: list[Any] = []


def litellm(folder: Path, up: int, port: int) -> tuple[list[str], dict[str, str]] | None:
    program = os.environ.get("WORKBENCH_LITELLM", "/opt/litellm/bin/litellm")
    if not Path(program).exists():
        return None
    config = folder / "litellm.yaml"
    address = f"http://127.0.0.1:{up}/v1"
    config.write_text(
        "model_list:\n- model_name: m\n"
        f"  litellm_params: {{model: openai/m, api_base: {address}, api_key: k}}\n"
        f"general_settings: {{master_key: {KEY}}}\nlitellm_settings: {{telemetry: false, num_retries: 0}}\n"
    )
    return [program, "--config", str(config), "--port", str(port), "--num_workers", "1"], {"LITELLM_LOG": "ERROR"}


def soak(port: int, child: subprocess.Popen[bytes], seconds: float, rate: float) -> dict[str, Any]:
    """Memory over time at a steady rate, its slope after a sixth of the time."""
    points: list[tuple[float, float]] = []
    began, failed = time.monotonic(), 0
    while (now := time.monotonic() - began) < seconds:
        failed += uvloop.run(load(port, "/v1/chat/completions", {**HELLO, "compact": True}, 1, 5.0, rate)).failed
        points.append((now, resident_mib(child)))
    later = [point for point in points if point[0] >= seconds / 6] or points
    slope = statistics.linear_regression(*zip(*later, strict=True)).slope * 3600 if len(later) > 2 else 0.0
    return {
        "seconds": seconds,
        "rate": rate,
        "failed": failed,
        "mib": round(points[-1][1], 1),
        "mib_per_h": round(slope, 2),
    }


def run(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Everything, in one run."""
    up, found = free_port(), dict[str, Any](python={"version": sys.version, "executable": sys.executable})
    path, body = "/v1/chat/completions", {**HELLO, "compact": True}
    with process([sys.executable, __file__, "--upstream", str(up)], up):
        found["upstream"] = measure(up, path, HELLO, options.seconds, options.rounds)
        for offers in options.offers:
            port = free_port()
            with process(serve(port, up, workspace(folder / f"w{offers}", offers), folder), port) as child:
                found[f"ours, {offers} offers"] = measure(port, path, body, options.seconds, options.rounds)
                if offers == options.offers[-1]:
                    found["ours, every rejection written out"] = measure(
                        port, path, {**HELLO, "policy_ir": NARROW}, options.seconds, 1
                    )
                if offers == options.offers[0] and options.streams:
                    uvloop.run(streams(port, options.streams))
                    found["open streams"] = {"count": options.streams, "mib": round(resident_mib(child), 1)}
                if offers == options.offers[0] and options.soak:
                    found["soak"] = soak(port, child, options.soak, options.rate)
        port = free_port()
        peer = litellm(folder, up, port)
        if peer is not None:
            with process(peer[0], port, **peer[1]):
                found["litellm"] = measure(port, path, {**HELLO, "model": "m"}, options.seconds, options.rounds)
    for name, row in found.items():
        if name != "upstream" and "p50_ms" in row:
            row["added_p50_ms"] = round(row["p50_ms"] - found["upstream"]["p50_ms"], 3)
    return found


NARROW: list[Any] = [
    "policy", ["cmp", "price_in", "le", 0.05], ["neg", ["normalize", ["field", "price_in"]]], ["argmax"], ["id"],
    ["always", {"action": "next_candidate"}],
]  # fmt: skip


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--offers", type=int, nargs="+", default=[15, 2500])
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--soak", type=float, default=0.0, help="seconds; an hour is 3600")
    parser.add_argument("--rate", type=float, default=500.0)
    parser.add_argument("--upstream", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.upstream:
        uvloop.run(upstream(options.upstream))
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(run(options, Path(folder)), indent=2))


if __name__ == "__main__":
    main()
