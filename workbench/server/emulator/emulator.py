"""The emulator itself: from a request to its answer, which faults are in force, and what was asked so far."""

from __future__ import annotations

import re
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from workbench.engine.faults import Fault, FaultPlan, names_of
from workbench.server.emulator.asked import Asked, NotAsked, place_of
from workbench.server.emulator.bodies import asked_of
from workbench.server.emulator.control import control
from workbench.server.emulator.dialects.text import js
from workbench.server.emulator.playing import Pace, broken, good, status_of
from workbench.server.emulator.said import Said, said_to
from workbench.server.emulator.wire import Request, Script, whole

CONTROL: Final = "/emulator/"
MOST_REMEMBERED: Final = 1024
MOST_REMEMBERED_BYTES: Final = 64 * 1024
MOST_NAMES: Final = 4096
OTHERS: Final = "(others)"

_OURS: Final = re.compile(rb"(?:127(?:\.[0-9]{1,3}){3}|localhost|\[::1\])(?::[0-9]{1,5})?", re.IGNORECASE)
_HINT: Final = (
    "ask for /p/PROVIDER/chat/completions, /p/PROVIDER/responses, /p/PROVIDER/v1/messages, "
    "/p/PROVIDER/models/MODEL:generateContent or /p/PROVIDER/model/MODEL/converse"
)


@dataclass(frozen=True, slots=True)
class Served:
    """One call that was answered, for a line about it."""

    sequence: int
    provider: str
    model: str
    stream: bool
    fault: Fault | None
    status: int | None
    """None where the connection was closed without one."""


@dataclass(slots=True)
class Counts:
    """What one provider was asked."""

    requests: int = 0
    streamed: int = 0
    faults: Counter[str] = field(default_factory=Counter[str])
    models: Counter[str] = field(default_factory=Counter[str])


@dataclass(frozen=True, slots=True)
class _Known:
    """A request that was seen before: what it asks, and the bytes of its good answer where nothing is waited for."""

    asked: Asked
    said: Said
    answer: bytes | None


class Emulator:
    """Answers requests as the providers would; one for each server. Not for several threads at once."""

    def __init__(
        self,
        candidates: Iterable[Mapping[str, Any]] = (),
        *,
        faults: Sequence[Fault] = (),
        seed: int = 0,
        pace: Pace | None = None,
        tokens: int = 0,
        heard: Callable[[Served], None] | None = None,
    ) -> None:
        rows = list(candidates)
        self.names = names_of(rows) or None
        """What faults may name; None where no catalog is known."""
        self._families = {(row.get("provider_id"), row.get("served_model_id")): row.get("model_family") for row in rows}
        self.plan = FaultPlan(faults, seed=seed)
        self.pace = pace or Pace()
        self._tokens, self._heard = tokens, heard
        self._known: OrderedDict[tuple[str, bytes], _Known] = OrderedDict()
        self.requests = 0
        self.providers: dict[str, Counts] = {}

    def replace(self, faults: Sequence[Fault], *, seed: int | None = None) -> None:
        """Other faults from now on; their counting begins anew."""
        self.plan = FaultPlan(faults, seed=self.plan.seed if seed is None else seed)

    def answer(self, request: Request) -> bytes | Script:
        """The answer to any request."""
        host = request.headers.get(b"host", b"localhost")
        if not _OURS.fullmatch(host):  # a name that was made to lead here, from a page in a browser
            return _refusal(403, "the emulator answers this machine alone")
        if request.target.startswith(CONTROL):
            return control(self, request)
        known = self._known.get((request.target, request.body))
        if known is None:
            made = self._read(request)
            if isinstance(made, bytes):
                return made
            known = made
        return self._played(known)

    def _read(self, request: Request) -> _Known | bytes:
        """A request that was not seen before; bytes where it is refused."""
        place = place_of(request.target)
        if place is None:
            return self._elsewhere(request)
        if request.method != "POST":
            return _refusal(405, "only POST", "allow: POST")
        try:
            asked = asked_of(place, request.body)
        except NotAsked as refused:
            return _refusal(400, str(refused))
        said = said_to(asked, tokens=self._tokens)
        made = good(asked, said, self.pace)
        known = _Known(asked, said, made if isinstance(made, bytes) else None)
        if len(request.body) + len(known.answer or b"") <= MOST_REMEMBERED_BYTES:
            self._known[request.target, request.body] = known
            if len(self._known) > MOST_REMEMBERED:
                self._known.popitem(last=False)
        return known

    def _played(self, known: _Known) -> bytes | Script:
        asked = known.asked
        provider, model = asked.place.provider, asked.model
        fault = self.plan.next(provider, model, self._families.get((provider, model))) if self.plan.faults else None
        self._count(asked, fault)
        if fault is not None:
            return broken(asked, known.said, fault, self.pace)
        return known.answer if known.answer is not None else good(asked, known.said, self.pace)

    def _count(self, asked: Asked, fault: Fault | None) -> None:
        self.requests += 1
        provider = asked.place.provider
        counts = self.providers.get(provider)
        if counts is None:
            name = provider if len(self.providers) < MOST_NAMES else OTHERS
            counts = self.providers.setdefault(name, Counts())
        counts.requests += 1
        counts.streamed += asked.stream
        counts.models[asked.model if asked.model in counts.models or len(counts.models) < MOST_NAMES else OTHERS] += 1
        if fault is not None:
            counts.faults[fault.kind] += 1
        if self._heard is not None:
            status = status_of(asked, fault)
            self._heard(Served(self.requests, provider, asked.model, asked.stream, fault, status))

    def _elsewhere(self, request: Request) -> bytes:
        """What is no call: the list of a provider's models, and everything that is not there."""
        path = request.target.partition("?")[0]
        if request.method == "GET" and path.endswith("/models"):
            provider = path.removeprefix("/p/").partition("/")[0] if path.startswith("/p/") else "openai"
            served = sorted(str(model) for known, model in self._families if known == provider and model)
            rows = [{"id": model, "object": "model", "created": 0, "owned_by": provider} for model in served]
            return whole(200, js({"object": "list", "data": rows}))
        if path == "/" and request.method == "GET":
            return whole(200, js({"emulator": "policy-workbench", "hint": _HINT}))
        return _refusal(404, f"nothing is here; {_HINT}")


def _refusal(status: int, reason: str, *headers: str) -> bytes:
    return whole(status, js({"error": {"message": f"emulator: {reason}", "type": "emulator", "code": None}}), *headers)
