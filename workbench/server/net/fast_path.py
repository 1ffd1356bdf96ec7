"""The fast path of a plain chat completion: from the bytes of its body to the bytes of its answer without a task.

Everything is read, decided, recorded and shown by the same functions as on the ordinary path. Whatever is not plain (a
stream, a flow, a limit to ask about, anything to refuse) is declined before anything was done, and goes that way; a
call that does not go well at once goes on in a task, from where it is.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any, Final, Protocol, cast

from workbench.boundary import strict_json
from workbench.gateway.events import Answer
from workbench.gateway.quick import LOOK_S, Deadlines, GoOn, Quick
from workbench.server.chat.calling import Running, prepare
from workbench.server.chat.completions import SESSION_HEADER, response_of
from workbench.server.chat.parameters import read_call
from workbench.server.chat.subject import subject_of, sugar_for
from workbench.server.errors import INTERNAL
from workbench.server.exchange import Response
from workbench.server.guards import Guard
from workbench.server.hooks import FREE
from workbench.server.host import Host
from workbench.server.reading import MOST_BYTES

LOG: Final = logging.getLogger("workbench.server")
PATH: Final = "/v1/chat/completions"
TARGET: Final = PATH.encode()
ENDING_S: Final = 2.0
"""How long calls that were told to end may take to be recorded."""

_LOOKED_AT: Final = frozenset((b"content-encoding", b"origin"))

Headers = list[tuple[bytes, bytes]]


class Client(Protocol):
    """The connection that a request came over."""

    gone: Callable[[], None] | None
    """To be called when the client has hung up."""
    tasks: set[asyncio.Task[None]]
    """What is cancelled when the server ends at once."""

    def reply(self, response: Response | None) -> None:
        """Send the answer; None: nobody is there, or nothing can be said."""
        ...


class FastPath:
    """The calls of one process that take the fast path. Belongs to one event loop."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self._guard = Guard(host.options.host_names, anyone=host.options.any_name)
        self.deadlines = Deadlines()
        self.calls: set[Quick] = set()
        """Those that are under way, in a task or without one."""
        self._answered: list[tuple[Running, Answer]] = []
        """Those whose answer is on its way out, and whose end is to be recorded."""

    def take(self, client: Client, headers: Headers, body: bytes) -> bool:
        """Answer a `POST` of `PATH`; false, with nothing done, where the ordinary path has to."""
        try:
            made = self._made(client, headers, body)
        except Exception:  # noqa: BLE001 - the ordinary path says what is wrong with it
            return False
        if made is None:
            return False
        self.host.metrics.inflight += 1
        made.start()
        return True

    def after(self, running: Running, answer: Answer) -> None:
        """Record how a call ended once its answer is out, before anything else is read: nobody waits for it."""
        if not self._answered:
            asyncio.get_running_loop().call_soon(self._record)
        self._answered.append((running, answer))

    def _record(self) -> None:
        answered, self._answered = self._answered, []
        for running, answer in answered:
            try:
                running.closed(answer)
            except Exception as error:  # noqa: BLE001 - each of the others is recorded
                LOG.error("a call's end was not recorded: %s", type(error).__name__)  # noqa: TRY400 - as below

    async def stop(self) -> None:
        """End what is under way: the process ends, and has waited for it long enough."""
        self._record()
        for call in tuple(self.calls):
            call.cancel()
        latest = time.monotonic() + ENDING_S
        while self.calls and time.monotonic() < latest:  # noqa: ASYNC110 - nobody but the end waits for it
            await asyncio.sleep(LOOK_S / 10)
        self._record()

    def _made(self, client: Client, headers: Headers, body: bytes) -> _Turn | None:
        host = self.host
        state, engine = host.state, host.engine
        if state is None or engine is None or not self._plain(headers):
            return None
        caller = host.callers.known(headers, PATH)
        if caller is None or host.callers.limited(caller):
            return None
        value = strict_json.loads(body, source="the body", max_bytes=MOST_BYTES)
        if not isinstance(value, dict) or value.get("stream") or value.get("flow_ir") is not None:
            return None
        call = read_call(cast("dict[str, Any]", value), host.options.default_max_tokens)
        call.name_session(next((value for name, value in headers if name == SESSION_HEADER), None))
        sugar = sugar_for(call, caller, None, lenient=host.options.lenient)
        subject = subject_of(call, sugar, state, caller)
        release = host.callers.admit_at_once(caller, subject.tenant.id)
        if release is None:
            return None
        try:
            running = prepare(engine, state, call, subject, FREE, sugar.warnings)
        except BaseException:
            release()
            raise
        return _Turn(self, client, running, release)

    def _plain(self, headers: Headers) -> bool:
        """Whether the headers ask for nothing that has to be looked at more closely."""
        known, sessions = False, 0
        for name, value in headers:
            if name == b"host":
                known = self._guard.knows(value)
            elif name in _LOOKED_AT:
                return False
            elif name == SESSION_HEADER:
                sessions += 1
        return known and sessions <= 1


class _Turn:
    """One call on the fast path."""

    __slots__ = ("_began", "_call", "_client", "_path", "_release", "_running")

    def __init__(self, path: FastPath, client: Client, running: Running, release: Callable[[], object]) -> None:
        self._path, self._client = path, client
        self._call: Quick | None = None
        self._running, self._release = running, release
        self._began = time.perf_counter()

    def start(self) -> None:
        """Begin."""
        engine, path = self._running.engine, self._path
        ask = self._running.ask()
        self._call = call = Quick(engine.dispatcher, engine.traces, path.deadlines, ask, self._end, self._go_on)
        path.calls.add(call)
        self._client.gone = call.cancel
        call.start()

    def _go_on(self, rest: GoOn) -> None:
        tasks = self._client.tasks
        task = asyncio.get_running_loop().create_task(self._rest(rest))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def _rest(self, rest: GoOn) -> None:
        try:
            answer = await rest
        except BaseException:
            self._close(None)
            self._send(None)
            raise
        self._end(answer)

    def _end(self, answer: Answer) -> None:
        """The call is over, however."""
        response: Response | None
        running = self._running
        try:
            if running.call.session or answer.reply is None:
                self._close(answer)  # what it comes to is part of what is answered
            else:
                self._path.after(running, answer)
                self._release()
            response = response_of(answer, running)
        except Exception as error:  # noqa: BLE001 - a client gets a body, and no word of the exception
            LOG.error("an answer failed: %s", type(error).__name__)  # noqa: TRY400 - its text may hold a prompt
            response = INTERNAL
        self._send(response)

    def _close(self, answer: Answer | None) -> None:
        try:
            self._running.closed(answer)
        finally:
            self._release()

    def _send(self, response: Response | None) -> None:
        client, metrics = self._client, self._path.host.metrics
        client.gone = None
        if self._call is not None:
            self._path.calls.discard(self._call)
            self._call = None  # they know each other, and what is over shall not wait to be found as garbage
        metrics.inflight -= 1
        metrics.answered(GONE if response is None else response.status, time.perf_counter() - self._began)
        client.reply(response)


GONE: Final = 499
"""What is counted where nobody was there to be answered."""
