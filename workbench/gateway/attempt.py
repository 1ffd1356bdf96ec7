"""One call over HTTP: sent, read within its bounds, and either a reply or a failure by name.

Nothing of the transport's exceptions survives it. Whatever ends the call, cancellation included, the connection is
closed before it returns.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping
from typing import Final

import httpx

from workbench.boundary.sanitiser import one_line
from workbench.boundary.sealed import sealed
from workbench.gateway.breaks import break_of
from workbench.gateway.classify import (
    Break,
    Failure,
    classify_break,
    classify_flaw,
    classify_status,
    committed,
)
from workbench.gateway.codecs import Codec
from workbench.gateway.codecs.assembly import Assembly
from workbench.gateway.codecs.aws import AwsStream
from workbench.gateway.codecs.neutral import (
    Delta,
    Flawed,
    HttpRequest,
    LocalFault,
    Reply,
    StreamEvent,
    Thinking,
    ToolDelta,
    parse_json,
)
from workbench.gateway.codecs.route import origin_of
from workbench.gateway.codecs.sse import SseStream
from workbench.gateway.error_body import error_body
from workbench.gateway.events import COMMITTING, Emit
from workbench.gateway.keys import Key
from workbench.gateway.limits import Limits
from workbench.gateway.transports.direct import OK, Answered, Asked, Body, Direct

MESSAGE_LIMIT: Final = 300
EMULATED: Final = "x-workbench-emulated"
"""The header by which a server that imitates providers says so."""

MOST_IN_PLACE: Final = 64 * 1024
"""Bytes of an answer that are looked at without a task; a longer one would hold up the others."""
_EMULATED: Final = EMULATED.encode()
_BOM: Final = b"\xef\xbb\xbf"
_SPACE: Final = b" \t\r\n"


class CallerGone(Exception):
    """The caller no longer takes events."""


class Broken(Exception):
    """The attempt failed. `message` is the provider's words, kept only where they may be."""

    def __init__(self, failure: Failure, message: str | None = None) -> None:
        super().__init__(failure.detail)
        self.failure = failure
        self.message = message


@sealed
class Terms:
    """What an attempt has to keep to. Times in milliseconds on the caller's monotonic clock."""

    limits: Limits
    clock: Callable[[], float]
    deadline: float
    """The time by which everything must have ended."""
    timeout_ms: float | None = None
    """Of this attempt, where the request asks for one."""
    first_token_ms: float | None = None
    keep_words: bool = False
    """Whether the provider's words may be kept."""
    commits: tuple[type, ...] = COMMITTING


class Attempted:
    """One call. What is known of it stands in the attributes at any time, also after it was cancelled."""

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport,
        http: HttpRequest,
        key: Key | None,
        codec: Codec,
        terms: Terms,
        emit: Emit,
    ) -> None:
        self._transport, self._http, self._key, self._codec = transport, http, key, codec
        self._terms, self._emit = terms, emit
        self._assembly = Assembly()
        self._timer: asyncio.Timeout | None = None
        self._began = terms.clock()
        self._word: Break = "deadline"
        self.status: int | None = None
        self.bytes_in = 0
        self.first_token_ms: float | None = None
        self.committed = False
        self.emulated = False

    def ask(self, hears: Callable[[Asked], None]) -> Asked | None:
        """Send a plain request at once, where the transport can; None where it can't, and nothing was sent.

        Raises `LocalFault`. What follows is `heard`, or `run` with what was asked.
        """
        if not isinstance(self._transport, Direct) or self._http.stream:
            return None
        try:
            return self._transport.ask(self._http, self._headers(), self._terms.limits, hears)
        except httpx.LocalProtocolError:
            raise LocalFault("bad_request", "local_request") from None

    def heard(self, asked: Asked) -> Reply | None:
        """The reply, where all of a good one is here; then it is taken. Anything else is for `run` to give a name."""
        found = asked.whole()
        if found is None or len(found[1]) > MOST_IN_PLACE:
            return None
        headers, data = found
        emulated = False
        for raw, _ in headers:
            name = raw.lower()
            if name == b"content-encoding":
                return None
            emulated = emulated or name == _EMULATED
        try:
            reply = self._codec.reply(_document(data))
        except Flawed:
            return None
        self.status, self.bytes_in, self.emulated = OK, len(data), emulated
        asked.close()
        return reply

    async def run(self, asked: Asked | None = None) -> Reply:
        """The reply; raises `Broken`, `CallerGone` or `LocalFault`, and `CancelledError` where it was cancelled.

        With `asked` nothing is sent: it is the answer to that which is read.
        """
        try:
            async with asyncio.timeout(self.seconds_left()) as self._timer:
                return await self._exchange(asked)
        except TimeoutError:
            raise Broken(self._judged(classify_break(self._word))) from None
        except Flawed as flaw:
            raise Broken(self._judged(classify_flaw(flaw)), self._words(flaw.message)) from None
        except (Broken, CallerGone, LocalFault):
            raise
        except Exception as error:  # noqa: BLE001 - whatever the transport raises has to get a name
            raise Broken(self._judged(self._named(error))) from None

    def _judged(self, failure: Failure) -> Failure:
        return committed(failure) if self.committed else failure

    def _named(self, error: Exception) -> Failure:
        streamed = self._http.stream
        secure = self._http.url.startswith("https:")
        word = break_of(error, answered=self.status is not None, streamed=streamed, secure=secure)
        if word is None:
            return Failure("unknown", type(error).__name__)
        if word == "idle" and self.first_token_ms is None:
            word = "first_token_timeout"
        if word == "cut" and self._assembly.in_tool_call:
            word = "tool_cut"
        return classify_break(word)

    def seconds_left(self) -> float:
        """Until the nearest of the clocks that run; remembers which it is."""
        terms = self._terms
        now = terms.clock()
        left, self._word = terms.deadline - now, "deadline"
        if terms.timeout_ms is not None and self._began + terms.timeout_ms - now < left:
            left, self._word = self._began + terms.timeout_ms - now, "attempt_timeout"
        if self._http.stream and self.first_token_ms is None and (self.status or 200) < 300:
            first = self._began + (terms.first_token_ms or terms.limits.first_token_ms) - now
            if first < left:
                left, self._word = first, "first_token_timeout" if self.status is not None else "read_timeout"
        return max(left, 0.0) / 1000.0

    def _reschedule(self) -> None:
        """A clock stopped, or another detail is due."""
        if self._timer is not None and not self._timer.expired():
            self._timer.reschedule(asyncio.get_running_loop().time() + self.seconds_left())

    async def _exchange(self, asked: Asked | None) -> Reply:
        response: Answered
        try:
            if asked is not None:
                response = await asked.taken()
            elif isinstance(self._transport, Direct):
                http = self._http
                response = await self._transport.send(
                    http.method, http.url, self._headers(), http.body, self._terms.limits
                )
            else:
                response = await self._transport.handle_async_request(
                    _request(self._http, self._headers(), self._terms.limits)
                )
        except httpx.LocalProtocolError:
            raise LocalFault("bad_request", "local_request") from None
        try:
            self.status = response.status_code
            self.emulated = EMULATED in response.headers
            if self._http.stream:
                self._reschedule()
            return await self._answer(response)
        finally:
            await response.aclose()

    def _headers(self) -> list[tuple[str, str]]:
        """The headers with the key among them, which goes to the origin it was bound to alone."""
        http = self._http
        headers = list(http.headers)
        if self._key is not None:
            headers.append((http.key_header, http.key_prefix + self._key.reveal(origin_of(http.url))))
        return headers

    async def _answer(self, response: Answered) -> Reply:
        plain = response.headers.get("content-encoding", "identity").strip().lower() in {"", "identity"}
        if not 200 <= response.status_code < 300:
            await self._refuse(response, plain)
        if not plain:
            raise Broken(classify_break("encoding_refused"))
        if not self._http.stream:
            return self._codec.reply(_document(await self._body(response)))
        return await self._stream(response)

    async def _body(self, response: Answered) -> bytes:
        """The whole body; one that is here already takes no steps."""
        stream = response.stream
        data = stream.rest(self._terms.limits.body) if isinstance(stream, Body) else None
        if data is None:
            return b"".join([chunk async for chunk in self._chunks(response)])
        self.bytes_in += len(data)
        return data

    async def _refuse(self, response: Answered, plain: bool) -> None:
        """The failure that the status says; its body is read only as far as it is short and quick."""
        headers = {name.lower(): value for name, value in response.headers.items()}
        data = await self._error_body(response) if plain and not 300 <= response.status_code < 400 else b""
        failure = classify_status(response.status_code, headers, data, now=time.time())
        if len(data) > self._terms.limits.error_body:
            failure = Failure("bad_response", "too_large", failure.retry_after_ms)
        message = error_body(data, headers).message if self._terms.keep_words else ""
        raise Broken(failure, self._words(message))

    async def _error_body(self, response: Answered) -> bytes:
        found = bytearray()
        try:
            async with asyncio.timeout(self._terms.limits.error_body_ms / 1000):
                async for chunk in _pieces(response):
                    self.bytes_in += len(chunk)
                    found += chunk
                    if len(found) > self._terms.limits.error_body:
                        break
        except (TimeoutError, httpx.HTTPError):
            pass  # the status alone says enough
        return bytes(found)

    async def _chunks(self, response: Answered) -> AsyncIterator[bytes]:
        """The body as it comes, at most `limits.body` of it."""
        length = response.headers.get("content-length", "")
        if length.isascii() and length.isdigit() and len(length) < 19 and int(length) > self._terms.limits.body:
            raise Broken(classify_break("too_large"))
        async for chunk in _pieces(response):
            self.bytes_in += len(chunk)
            if self.bytes_in > self._terms.limits.body:
                raise Broken(self._judged(classify_break("too_large")))
            yield chunk

    async def _stream(self, response: Answered) -> Reply:
        chunks = self._chunks(response)
        head = await _head(chunks)
        looks_whole = self._codec.framing == "sse" and head.lstrip(_SPACE)[:1] in (b"{", b"[", b"<")
        if looks_whole or _is_document(response.headers):
            rest = b"".join([chunk async for chunk in chunks])
            return await self._whole(self._codec.reply(_document(head + rest)))
        decoder = SseStream(self._codec.reader()) if self._codec.framing == "sse" else AwsStream(self._codec.reader())
        try:
            await self._feed(decoder, head)
            async for chunk in chunks:
                await self._feed(decoder, chunk)
                if decoder.ended:
                    break
            for event in decoder.close():
                await self._take(event)
        except httpx.HTTPError:
            if self._assembly.finish is None:
                raise
            self._assembly.warn("no_end_marker")  # the answer was whole, its connection's end was not
        if not decoder.ended and self._assembly.finish is None:
            if self._assembly.in_tool_call:
                raise Broken(self._judged(classify_break("tool_cut")))
            raise Flawed("eof_without_done")
        return self._assembly.reply()

    async def _feed(self, decoder: SseStream | AwsStream, data: bytes) -> None:
        for event in decoder.feed(data):
            await self._take(event)

    async def _take(self, event: StreamEvent) -> None:
        self._assembly.add(event)
        if not isinstance(event, Delta | ToolDelta | Thinking):
            return
        if self.first_token_ms is None:
            self.first_token_ms = self._terms.clock() - self._began
            self._reschedule()
        self.committed = self.committed or isinstance(event, self._terms.commits)
        try:
            await self._emit(event)
        except Exception:  # noqa: BLE001 - why the caller is gone is the caller's own affair
            raise CallerGone from None

    async def _whole(self, reply: Reply) -> Reply:
        """A whole answer where a stream was asked for: one piece."""
        if reply.text:
            await self._take(Delta(reply.text))
        for index, call in enumerate(reply.tool_calls):
            await self._take(ToolDelta(index, call.id, call.name, call.arguments))
        warnings = (*reply.warnings, "not_streamed")
        return Reply(reply.text, reply.tool_calls, reply.finish_reason, reply.usage, reply.model, warnings)

    def _words(self, message: str) -> str | None:
        """The provider's words as they may be kept: keys masked, one line, cut."""
        if not self._terms.keep_words or not message:
            return None
        masked = self._key.redact(message) if self._key is not None else message
        return one_line(masked, limit=MESSAGE_LIMIT)


def _request(http: HttpRequest, headers: list[tuple[str, str]], limits: Limits) -> httpx.Request:
    timeout = {
        "connect": limits.connect_ms / 1000,
        "read": limits.read_ms / 1000,
        "write": limits.write_ms / 1000,
        "pool": limits.pool_ms / 1000,
    }
    return httpx.Request(http.method, http.url, headers=headers, content=http.body, extensions={"timeout": timeout})


async def _head(chunks: AsyncIterator[bytes]) -> bytes:
    """The first bytes that say something, a byte order mark left out."""
    head = b""
    async for chunk in chunks:
        head += chunk
        if len(head) >= len(_BOM) and head.removeprefix(_BOM).lstrip(_SPACE):
            break
    return head.removeprefix(_BOM)


def _document(data: bytes) -> object:
    if data.lstrip(_SPACE)[:1] == b"<":
        raise Flawed("content_type")
    return parse_json(data)


def _pieces(response: Answered) -> AsyncIterable[bytes]:
    """The body as it comes off the wire, decoded by nobody."""
    if not isinstance(response.stream, httpx.AsyncByteStream):
        raise TypeError("the transport answers with no asynchronous stream")
    return response.stream


def _is_document(headers: Mapping[str, str]) -> bool:
    """Whether what comes is no stream by its own word: a JSON body, or a web page."""
    return headers.get("content-type", "").partition(";")[0].strip().lower() in {"application/json", "text/html"}
