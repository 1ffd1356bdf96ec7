"""Answers as bytes: a good one at the pace that was set, or one that breaks as its fault says.

Every fault of the table is played here, by bytes alone; `tests` hold each to the reason that the table promises.
"""

from __future__ import annotations

import asyncio
import gzip
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import cycle
from typing import Final

from workbench.engine.faults import Fault
from workbench.server.emulator.asked import Asked
from workbench.server.emulator.dialects import Dialect, dialect_of
from workbench.server.emulator.dialects.text import js
from workbench.server.emulator.refusals import EVENT, REFUSALS, Refusal
from workbench.server.emulator.said import Said
from workbench.server.emulator.wire import Exchange, Script, head, whole

HUGE: Final = 17 * 1024 * 1024
HUGE_EVENT: Final = 2 * 1024 * 1024
HUGE_ERROR: Final = 1024 * 1024
AT_ONCE: Final = 2048
"""Pieces of a stream that are written in one go; a longer one is written as its reader reads."""
_BLOCK: Final = 64 * 1024
_HTML: Final = b"<!doctype html><html><body>[emulated] This is a web page and no API.</body></html>"
_SHAPES: Final = js({"choices": "emulated", "content": "emulated", "candidates": "emulated", "output": "emulated"})
_CUT_AFTER: Final = 3
_ALIVE_MS: Final = 100.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast an answer comes. Nothing set: at once."""

    latency_ms: float = 0.0
    """Until the first byte."""
    tokens_per_second: float | None = None

    @property
    def gap_s(self) -> float:
        """Between two tokens."""
        return 1.0 / self.tokens_per_second if self.tokens_per_second else 0.0

    @property
    def instant(self) -> bool:
        """Whether nothing is waited for."""
        return not self.latency_ms and not self.tokens_per_second


def good(asked: Asked, said: Said, pace: Pace) -> bytes | Script:
    """A whole answer; bytes where nothing is waited for."""
    dialect = dialect_of(asked, said)
    if pace.instant and (not asked.stream or len(said.pieces) <= AT_ONCE):
        if not asked.stream or asked.place.as_list:
            return whole(200, js(_whole(dialect)))
        body = b"".join(_chunk(part) for part in _parts(dialect))
        return _stream_head(dialect) + body + b"0\r\n\r\n"

    async def script(exchange: Exchange) -> None:
        await _sleep(pace.latency_ms)
        await _answer(exchange, dialect, pace)

    return script


def broken(asked: Asked, said: Said, fault: Fault, pace: Pace) -> bytes | Script:
    """An answer with a fault."""
    name = fault.kind
    if name in REFUSALS:
        return _refused(dialect_of(asked, said), REFUSALS[name], fault.arg)
    if (made := _WHOLE.get(name)) is not None:
        return made(asked, said)
    if (changed := _CHANGED.get(name)) is not None:
        return good(asked, changed(said), pace)

    async def script(exchange: Exchange) -> None:
        await _PLAYED[name](_Play(exchange, dialect_of(asked, said), asked, said, fault, pace))

    return script


def status_of(asked: Asked, fault: Fault | None) -> int | None:
    """The status that is sent; None where none is."""
    if fault is None:
        return 200
    if fault.kind == "error_event_after" and asked.place.protocol == "bedrock" and not asked.stream:
        return _MODEL_ERROR.status
    return fault.about.told(fault.arg, streamed=asked.stream).status


def _whole(dialect: Dialect) -> object:
    document = dialect.whole()
    return [document] if dialect.asked.place.as_list else document


def _stream_head(dialect: Dialect) -> bytes:
    return head(200, f"content-type: {dialect.media}", "cache-control: no-cache", "transfer-encoding: chunked")


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


def _words(dialect: Dialect) -> Iterator[bytes]:
    """What the caller gets of the answer, a token at a time."""
    if dialect.said.calls:
        yield dialect.calls()
    for words in dialect.said.pieces:
        yield dialect.piece(words)


def _parts(dialect: Dialect) -> Iterator[bytes]:
    yield dialect.opening()
    yield from _words(dialect)
    yield dialect.closing()


async def _sleep(ms: float) -> None:
    if ms > 0:
        await asyncio.sleep(ms / 1000.0)


async def _answer(exchange: Exchange, dialect: Dialect, pace: Pace) -> None:
    asked, said = dialect.asked, dialect.said
    if not asked.stream or asked.place.as_list:
        await asyncio.sleep(pace.gap_s * said.tokens_out)
        await exchange.send(whole(200, js(_whole(dialect))))
        return
    await exchange.send(_stream_head(dialect) + _chunk(dialect.opening()))
    await _write_words(exchange, _words(dialect), pace)
    await exchange.send(_chunk(dialect.closing()))
    await exchange.finish()


async def _write_words(exchange: Exchange, words: Iterator[bytes], pace: Pace) -> None:
    """The words, each in its time; where there is no pace, in blocks as fast as they are read."""
    gap = pace.gap_s
    if gap:
        loop = asyncio.get_running_loop()
        due = loop.time()
        for word in words:
            await exchange.send(_chunk(word))
            due += gap
            await asyncio.sleep(due - loop.time())
        return
    block = bytearray()
    for word in words:
        block += _chunk(word)
        if len(block) >= _BLOCK:
            await exchange.send(bytes(block))
            block.clear()
            await asyncio.sleep(0)
    await exchange.send(bytes(block))


def _refused(dialect: Dialect, refusal: Refusal, wait_ms: float | None = None) -> bytes:
    rows = [f"x-amzn-errortype: {refusal.aws}"] if dialect.asked.place.protocol == "bedrock" else []
    if wait_ms is not None:
        rows.append(f"retry-after: {-(-wait_ms // 1000):.0f}")
        if wait_ms % 1000:
            rows.append(f"retry-after-ms: {wait_ms:.0f}")
    return whole(refusal.status, js(dialect.error(refusal)), *rows)


_MODEL_ERROR: Final = replace(EVENT, status=424, aws="ModelErrorException")


def _half(asked: Asked, said: Said) -> bytes:
    body = js(dialect_of(asked, said).whole())
    return whole(200, body[: len(body) // 2])


def _gzip(asked: Asked, said: Said) -> bytes:
    body = gzip.compress(js(dialect_of(asked, said).whole()), mtime=0)
    return whole(200, body, "content-encoding: gzip")


_WHOLE: Final[Mapping[str, Callable[[Asked, Said], bytes]]] = {
    "bad_response": _half,
    "malformed": _half,
    "wrong_address": lambda _asked, _said: whole(404, _HTML, kind="text/html"),
    "html": lambda _asked, _said: whole(200, _HTML, kind="text/html"),
    "wrong_shape": lambda _asked, _said: whole(200, _SHAPES),
    "gzip": _gzip,
    "redirect": lambda _asked, _said: whole(302, b"", "location: https://example.com/emulated"),
    "huge_error": lambda _asked, _said: whole(500, b'{"error":"%b"}' % (b"emulated " * (HUGE_ERROR // 9))),
    "not_streamed": lambda asked, said: whole(200, js(dialect_of(asked, said).whole())),
}
_CHANGED: Final[Mapping[str, Callable[[Said], Said]]] = {
    "empty": lambda said: replace(said, pieces=(), calls=(), finish="stop"),
    "refusal": lambda said: replace(said, pieces=(), calls=(), finish="refusal"),
    "no_usage": lambda said: replace(said, counted=False),
}


@dataclass(frozen=True, slots=True)
class _Play:
    """One fault being played."""

    exchange: Exchange
    dialect: Dialect
    asked: Asked
    said: Said
    fault: Fault
    pace: Pace

    @property
    def arg(self) -> float:
        """The fault's argument."""
        return self.fault.arg or 0.0

    async def begin(self, pieces: int) -> None:
        """The head of a stream and its first pieces."""
        await _sleep(self.pace.latency_ms)
        await self.exchange.send(_stream_head(self.dialect) + _chunk(self.dialect.opening()))
        words = _words(self.dialect)
        await _write_words(self.exchange, (word for word, _ in zip(words, range(pieces), strict=False)), self.pace)

    async def begin_body(self) -> None:
        """The head of a plain answer and half its body."""
        await _sleep(self.pace.latency_ms)
        made = whole(200, js(self.dialect.whole()))
        await self.exchange.send(made[: -(len(made) // 4)])


async def _slow(play: _Play) -> None:
    await _sleep(play.arg + play.pace.latency_ms)
    await _answer(play.exchange, play.dialect, play.pace)


async def _first_token(play: _Play) -> None:
    if not play.asked.stream:
        await _slow(play)
        return
    await play.begin(0)
    await _sleep(play.arg)
    await _write_words(play.exchange, _words(play.dialect), play.pace)
    await play.exchange.send(_chunk(play.dialect.closing()))
    await play.exchange.finish()


async def _bad_event(play: _Play) -> None:
    if not play.asked.stream:
        await _slow(play)
        return
    await play.begin(0)
    await play.exchange.send(_chunk(play.dialect.broken()))
    await _write_words(play.exchange, _words(play.dialect), play.pace)
    await play.exchange.send(_chunk(play.dialect.closing()))
    await play.exchange.finish()


async def _down(play: _Play) -> None:
    play.exchange.cut()


async def _reset(play: _Play) -> None:
    play.exchange.reset()


async def _protocol(play: _Play) -> None:
    play.exchange.cut()
    await play.exchange.send(b"[emulated] this is not HTTP\r\n\r\n")


async def _hang(play: _Play) -> None:
    await play.exchange.until_gone()


async def _cut(play: _Play) -> None:
    play.exchange.cut()
    if play.asked.stream:
        await play.begin(_CUT_AFTER if play.fault.kind == "stream_interrupted" else int(play.arg))
    else:
        await play.begin_body()


async def _stall(play: _Play) -> None:
    if play.asked.stream:
        await play.begin(int(play.arg))
    else:
        await play.begin_body()
    await play.exchange.until_gone()


async def _eof(play: _Play) -> None:
    if not play.asked.stream:
        await _cut(play)
        return
    await play.begin(int(play.arg))
    await play.exchange.finish()


async def _error_event(play: _Play) -> None:
    if play.asked.stream:
        await play.begin(int(play.arg))
        await play.exchange.send(_chunk(play.dialect.error_event(EVENT)))
        await play.exchange.finish()
    elif play.asked.place.protocol == "bedrock":  # Converse has no error inside an answer
        await play.exchange.send(_refused(play.dialect, _MODEL_ERROR))
    else:
        await play.exchange.send(whole(200, js(play.dialect.error(EVENT))))


async def _filtered(play: _Play) -> None:
    said = replace(play.said, pieces=play.said.pieces[: int(play.arg)], calls=(), finish="content_filter")
    if play.asked.stream:
        await play.begin(int(play.arg))
        await play.exchange.send(_chunk(dialect_of(play.asked, said).closing()))
        await play.exchange.finish()
    else:
        await play.exchange.send(whole(200, js(dialect_of(play.asked, said).whole())))


async def _drip(play: _Play) -> None:
    every = play.arg
    if not play.asked.stream:
        await _spaces(play, every)
        return
    await play.begin(0)
    for words in cycle(play.said.pieces or ("emulated ",)):
        await play.exchange.send(_chunk(play.dialect.piece(words)))
        await asyncio.sleep(every / 1000.0)


async def _keepalive(play: _Play) -> None:
    if not play.asked.stream:
        await _spaces(play, _ALIVE_MS)
        return
    await play.exchange.send(_stream_head(play.dialect))
    while True:
        await play.exchange.chunk(play.dialect.alive())
        await _sleep(_ALIVE_MS)


async def _spaces(play: _Play, every: float) -> None:
    """A body that says nothing, for ever."""
    await play.exchange.send(head(200, "content-type: application/json", "transfer-encoding: chunked"))
    while True:
        await play.exchange.chunk(b" ")
        await asyncio.sleep(every / 1000.0)


async def _huge(play: _Play) -> None:
    play.exchange.cut()
    if play.asked.stream:
        await play.exchange.send(_stream_head(play.dialect))
        bedrock = play.asked.place.protocol == "bedrock"
        size, start = HUGE_EVENT, _huge_message() if bedrock else b"data: "
        await play.exchange.chunk(start)
    else:
        size = HUGE
        await play.exchange.send(head(200, "content-type: application/json", "transfer-encoding: chunked"))
    for _ in range(size // _BLOCK):
        await play.exchange.chunk(b"e" * _BLOCK)


def _huge_message() -> bytes:
    """The start of an AWS message that says how long it is."""
    prelude = struct.pack(">II", HUGE_EVENT, 0)
    return prelude + struct.pack(">I", zlib.crc32(prelude))


_PLAYED: Final = {
    "slow": _slow,
    "first_token": _first_token,
    "bad_event": _bad_event,
    "network_error": _down,
    "down": _down,
    "reset": _reset,
    "protocol": _protocol,
    "hang": _hang,
    "keepalive": _keepalive,
    "drip": _drip,
    "stream_interrupted": _cut,
    "cut_after": _cut,
    "stall_after": _stall,
    "eof_after": _eof,
    "error_event_after": _error_event,
    "content_filter_after": _filtered,
    "huge": _huge,
}

PLAYABLE: Final = frozenset((*REFUSALS, *_WHOLE, *_CHANGED, *_PLAYED))
"""Every fault that is played here; has to be the whole table."""
