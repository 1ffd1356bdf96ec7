"""What a call costs beside its provider: the dispatcher against an instant upstream, and a long stream, httpx beside.

    python -m benchmarks.calls [--json]

Asserts nothing. The upstream is a process of its own on this machine; it answers at once with the same bytes. Those
who are compared take turns, call by call, so that a busy moment hits all of them.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import Any, Final

import httpx

from benchmarks.tables import Cell, Table, script
from tests.calls.places import LOUD, world
from tests.gateway.calls import candidate, cascade, keys
from workbench.gateway.dispatch import Ask, Dispatcher
from workbench.gateway.events import CallEvent
from workbench.gateway.transport import open_transport
from workbench.session.calls.question import Question

ROUNDS: Final = 400
TOKENS: Final = 50_000
STREAMS: Final = 5
SERVE: Final = "--serve"

_ANSWER: Final = json.dumps({
    "id": "c", "object": "chat.completion", "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 1},
}).encode()  # fmt: skip
_HEAD: Final = "HTTP/1.1 200 OK\r\ncontent-type: {}\r\ncontent-length: {}\r\n\r\n"


def _sse(tokens: int) -> bytes:
    def event(delta: dict[str, str], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return b"data: " + json.dumps({"id": "c", "model": "m", "choices": [choice]}).encode() + b"\n\n"

    usage = b'data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":%d}}\n\n' % tokens
    return event({"content": " word"}) * tokens + event({}, "stop") + usage + b"data: [DONE]\n\n"


async def _serve() -> None:
    """The upstream: `stream` in a request gets the long stream, anything else the short answer."""
    plain = _HEAD.format("application/json", len(_ANSWER)).encode() + _ANSWER
    long = _sse(TOKENS)
    streamed = _HEAD.format("text/event-stream", len(long)).encode() + long

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0] or 0)
                body = await reader.readexactly(length)
                writer.write(streamed if b'"stream"' in body else plain)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def _heard(_event: CallEvent) -> None:
    """A listener that does nothing."""


class Line:
    """The same call, by httpx alone and by the dispatcher, over one transport."""

    def __init__(self, url: str, transport: httpx.AsyncBaseTransport) -> None:
        self.url, self.transport = url, transport
        self.host = Dispatcher(transport, keys())
        self.down = cascade([candidate(0, url)])

    async def alone(self, *, stream: bool = False) -> int:
        """httpx: send, and read every byte."""
        body: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "say it"}]}
        content = json.dumps({**body, "stream": True} if stream else body).encode()
        headers = {"content-type": "application/json", "authorization": "Bearer k"}
        request = httpx.Request("POST", f"{self.url}/chat/completions", headers=headers, content=content)
        response = await self.transport.handle_async_request(request)
        assert isinstance(response.stream, httpx.AsyncByteStream)
        size = 0
        async for piece in response.stream:
            size += len(piece)
        await response.aclose()
        return size

    async def ours(self, *, stream: bool = False) -> int:
        """The dispatcher, no trace kept."""
        ask = Ask("call", self.down, stream=stream, no_log=False)
        answer = await self.host.run(ask, _heard)
        assert answer.reply is not None
        return len(answer.reply.text)


async def _parsed(line: Line) -> int:
    """httpx with what everybody does by hand: lines, and `json.loads` of each."""
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "x"}], "stream": True}).encode()
    headers = {"content-type": "application/json"}
    request = httpx.Request("POST", f"{line.url}/chat/completions", headers=headers, content=body)
    async with httpx.AsyncClient(transport=line.transport) as client:
        response = await client.send(request, stream=True)
        size = 0
        async for text in response.aiter_lines():
            if text.startswith("data: {"):
                for choice in json.loads(text[6:])["choices"]:
                    size += len(choice["delta"].get("content", ""))
        await response.aclose()
    return size


async def _timed(work: Callable[[], Awaitable[object]]) -> float:
    start = time.perf_counter()
    await work()
    return time.perf_counter() - start


async def _plain(url: str, folder: Path) -> list[tuple[Cell, ...]]:
    """Medians in ms of one short call."""
    transport = open_transport()
    workspace, caller = world(folder, [url])
    try:
        line = Line(url, transport)
        prepared = caller.prepare(workspace.state, LOUD, Question("say it", stream=False))

        async def traced() -> None:
            assert (await caller.run(prepared)).ok

        took: dict[str, list[float]] = {"httpx alone": [], "the dispatcher": []}
        for number in range(ROUNDS + 20):
            for name, work in (("httpx alone", line.alone), ("the dispatcher", line.ours)):
                spent = await _timed(work)
                if number >= 20:
                    took[name].append(spent)
        whole = [await _timed(traced) for _ in range(20)]
    finally:
        await transport.aclose()
        caller.traces.close()
    medians = {name: median(times) * 1e3 for name, times in took.items()}
    added = medians["the dispatcher"] - medians["httpx alone"]
    return [
        *((f"one call: {name}", value, None) for name, value in medians.items()),
        ("one call: what the dispatcher adds", added, 1.0),
        ("one test call: new connection, TLS context, trace and health kept", median(whole[5:]) * 1e3, None),
    ]


def _resident_kb() -> float:
    status = Path("/proc/self/status")
    if not status.exists():
        return 0.0
    row = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
    return float(row.split()[1])


async def _streamed(url: str) -> list[tuple[Cell, ...]]:
    """Tokens a second of a long stream, and what memory grows by from one to the next."""
    transport = httpx.AsyncHTTPTransport(trust_env=False)
    line = Line(url, transport)
    took: dict[str, list[float]] = {"httpx, bytes alone": [], "httpx, lines and json.loads": [], "the dispatcher": []}
    held: list[float] = []
    for _ in range(STREAMS):
        took["httpx, bytes alone"].append(await _timed(lambda: line.alone(stream=True)))
        took["the dispatcher"].append(await _timed(lambda: line.ours(stream=True)))
        held.append(_resident_kb())
        fresh = Line(url, httpx.AsyncHTTPTransport(trust_env=False))
        took["httpx, lines and json.loads"].append(await _timed(lambda fresh=fresh: _parsed(fresh)))
    await transport.aclose()
    rows: list[tuple[Cell, ...]] = []
    for name, times in took.items():
        target = 20_000.0 if name == "the dispatcher" else None
        rows.append((f"stream of {TOKENS:,} tokens: {name}, tokens/s", TOKENS / median(times), target))
    rows.append(("memory between the second and the last stream, MiB", (held[-1] - held[1]) / 1024, None))
    return rows


def measure() -> list[Table]:
    """One table."""
    upstream = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.calls", SERVE], stdout=subprocess.PIPE, text=True,
        cwd=Path(__file__).resolve().parent.parent,
    )  # fmt: skip
    try:
        assert upstream.stdout is not None
        url = f"http://127.0.0.1:{int(upstream.stdout.readline())}"
        with tempfile.TemporaryDirectory() as name:
            rows = [*asyncio.run(_plain(url, Path(name))), *asyncio.run(_streamed(url))]
    finally:
        upstream.terminate()
        upstream.wait()
    notes = ("A target of ms is the most, one of tokens/s the least.",)
    return [Table("calls", "Calls, by the wall", ("what", "ms or as said", "target"), tuple(rows), notes)]


if __name__ == "__main__":
    if SERVE in sys.argv:
        asyncio.run(_serve())
    else:
        sys.exit(script(__doc__, measure))
