"""The gate: who a request's headers make it, what that one may ask for, and leave for one call after the other.

Tokens stand in memory and are read anew every other second, so that no request waits for a store; one that is not known
yet is looked up at once, a few at a time and else every `LOOK_MS`. A refusal says nothing that its reason need not.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from workbench.server.callers.aside import aside
from workbench.server.callers.outage import Outage, reason_of
from workbench.server.callers.refusals import broke, check, denied, overloaded, unauthorised, unavailable
from workbench.server.callers.slowing import Slowing
from workbench.server.callers.tables import CallersError
from workbench.server.callers.token import NOBODY, Token, bearer, claims_token, digest_of, id_of
from workbench.server.errors import Refused
from workbench.server.hooks import LOCAL, Caller, Spent, Ticket
from workbench.server.shared.base import NANO, Ask, Budget, Given, Limit, Shared, SharedError, month_of
from workbench.server.shared.inside import Inside
from workbench.server.watching.metrics import Metrics

FRESH_MS: Final = 2_000
"""How old the known tokens may be."""
LOOK_MS: Final = 250
LOOKS: Final = 8
STALE_MS: Final = 60_000
"""How long they are good while the store cannot be read."""
WAIT_S: Final = 1.0
"""How long a request waits for the tokens to be read."""
GIVEN_UP_MS: Final = 10_000
"""When a reading that does not end is left to itself, and another begun."""
FIRST_HOLD: Final = NANO // 100
"""What a token's first call is taken to cost: a cent."""
_MOST_HOLDS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for every caller."""

    required: bool = False
    """Whether nothing is answered without a token; beyond loopback always."""
    tenant_per_minute: int | None = None
    tenant_concurrency: int | None = None
    capacity: int | None = None
    """Most calls at once, of all together."""


class TokenSource(Protocol):
    """Where tokens are read."""

    quick: bool
    """Whether a reading takes no longer than a look at a file of this machine."""

    def all(self) -> tuple[Token, ...]:
        """Every token. Raises `CallersError`."""
        ...


def _wall_ms() -> float:
    return time.time() * 1000


@dataclass(slots=True)
class Gate:
    """The hook that the endpoint asks. Belongs to one event loop."""

    tokens: TokenSource | None
    shared: Shared = field(default_factory=Inside)
    settings: Settings = field(default_factory=Settings)
    metrics: Metrics = field(default_factory=Metrics)
    now_ms: Callable[[], float] = _wall_ms
    running: int = 0
    """Calls at work."""
    _known: Mapping[str, Token] = field(default_factory=dict[str, Token])
    _callers: dict[str, Caller] = field(default_factory=dict[str, Caller])
    _read_ms: float = -1e18
    _looked_ms: float = -1e18
    _asked_ms: float = -1e18
    _aside: bool = False
    """Whether the tokens are read beside the event loop."""
    _reading: asyncio.Future[None] | None = None
    _reading_ms: float = -1e18
    _slowing: Slowing = field(default_factory=Slowing)
    _holds: dict[str, int] = field(default_factory=dict[str, int])
    _outage: Outage = field(default_factory=lambda: Outage("tokens"))
    outages: tuple[Outage, Outage] = field(default_factory=lambda: (Outage("limits"), Outage("budgets")))
    """Of what is asked without a budget, and with one: these may lie in different places."""

    def __post_init__(self) -> None:
        self.metrics.capacity = self.settings.capacity or 0

    def refresh(self) -> None:
        """Read the tokens anew. Raises `CallersError`."""
        if self.tokens is not None:
            self._take(self.tokens.all())

    def _take(self, tokens: Iterable[Token]) -> None:
        self._known = {token.id: token for token in tokens}
        self._callers = {}
        self._read_ms = self.now_ms()
        self._outage.works()

    async def look(self, headers: list[tuple[bytes, bytes]]) -> None:
        """Read the tokens anew where these headers ask for it, beside the event loop and one reading at a time.

        A store that hangs holds a request up for `WAIT_S` at most; it goes by what is known then.
        """
        secret = bearer(headers)
        token_id = None if secret is None else id_of(secret)
        if token_id is None or self.tokens is None or self.tokens.quick:
            return
        self._aside = True
        if self._due(token_id) and self._may_read():
            self._looked_ms = self._reading_ms = self.now_ms()
            self._reading = asyncio.ensure_future(self._read(self.tokens))
        if self._reading is not None and (token_id not in self._known or self.now_ms() - self._read_ms >= FRESH_MS):
            await asyncio.wait([self._reading], timeout=WAIT_S)

    def _may_read(self) -> bool:
        """Whether no reading is under way, or only one that nobody waits for any more."""
        reading = self._reading
        if reading is not None and not reading.done() and self.now_ms() - self._reading_ms >= GIVEN_UP_MS:
            reading.cancel()
            return True
        return reading is None or reading.done()

    async def _read(self, tokens: TokenSource) -> None:
        try:
            self._take(await aside(tokens.all))
        except CallersError as error:
            self.metrics.store_error("tokens")
            self._outage.failed(reason_of(error))

    def _due(self, token_id: str) -> bool:
        """Whether the store is to be asked again."""
        now = self.now_ms()
        if now < self._read_ms:  # the clock was set back: what was read counts as old
            self._read_ms = self._looked_ms = self._asked_ms = -1e18
        if token_id not in self._known:
            return self._may_look(now)
        return now - max(self._read_ms, self._looked_ms) >= FRESH_MS

    def recognise(self, headers: list[tuple[bytes, bytes]], path: str) -> Caller:
        """Who this is. Raises `Refused`: 401 in always the same words, 403, 503 where the tokens can't be read."""
        try:
            return self._recognise(headers, path)
        except Refused as refusal:
            self.metrics.rejected(refusal.code or "")
            raise

    def known(self, headers: list[tuple[bytes, bytes]], path: str) -> Caller | None:
        """Who this is; None where `recognise` has to say why not. Nothing is counted."""
        secret = bearer(headers)
        token_id = None if secret is None else id_of(secret)
        if token_id is None:
            return None if self.settings.required or claims_token(headers) else LOCAL
        now, token = self.now_ms(), self._known.get(token_id)
        if token is None or not 0 <= now - max(self._read_ms, self._looked_ms) < FRESH_MS:
            return None
        if now - self._read_ms > STALE_MS:
            return None
        fits = hmac.compare_digest(digest_of(secret or b""), token.digest)
        if not fits or token.standing(round(now)) != "active" or not token.allows(path):
            return None
        return self._caller(token)

    def _recognise(self, headers: list[tuple[bytes, bytes]], path: str) -> Caller:
        secret = bearer(headers)
        token_id = None if secret is None else id_of(secret)
        if token_id is None and not self.settings.required and not claims_token(headers):
            return LOCAL
        token = None if token_id is None else self._token(token_id)
        fits = hmac.compare_digest(digest_of(secret or b""), NOBODY if token is None else token.digest)
        if token is None or not fits:
            raise unauthorised()
        check(token, path, round(self.now_ms()))
        return self._caller(token)

    def _token(self, token_id: str) -> Token | None:
        now = self.now_ms()
        if not self._aside and self._due(token_id):
            self._looked_ms = now
            try:
                self.refresh()
            except CallersError as error:
                self.metrics.store_error("tokens")
                self._outage.failed(reason_of(error))
        known = self._known.get(token_id)
        if now - self._read_ms > STALE_MS:
            raise unavailable("caller_auth_unavailable", "tokens can't be checked now")
        return known

    def _may_look(self, now: float) -> bool:
        """Whether the store is asked for an id that is not known: a few times at once, then four times a second."""
        due = max(self._asked_ms, now) + LOOK_MS
        if due - now > LOOKS * LOOK_MS:
            return False
        self._asked_ms = due
        return True

    def _caller(self, token: Token) -> Caller:
        known = self._callers.get(token.id)
        if known is None:
            tenants = None if token.tenants is None else frozenset(token.tenants)
            own = token.tenants[0] if token.tenants is not None and len(token.tenants) == 1 else None
            routes = None if token.routes is None else frozenset(token.routes)
            known = self._callers[token.id] = Caller(token.id, tenants, routes, own)
        return known

    async def admit(self, caller: Caller, tenant: str | None) -> Ticket:
        """Leave for one call, or without a tenant for one question. Raises `Refused`: 402, 403, 429, 503."""
        self.metrics.pending += 1
        try:
            return await self._admit(caller, tenant)
        except Refused as refusal:
            refusal.tenant = tenant
            self.metrics.rejected(refusal.code or "")
            if refusal.status == 429:
                await asyncio.sleep(self._slowing.pause_s(f"{caller.id} {tenant}", time.monotonic()))
            raise
        finally:
            self.metrics.pending -= 1

    def admit_at_once(self, caller: Caller, tenant: str) -> Callable[[], object] | None:
        """Leave for a call that no limit and no budget counts; None for any other, and where it is refused."""
        allowed = caller.tenants is None or tenant in caller.tenants
        capacity = self.settings.capacity
        full = capacity is not None and self.running >= capacity
        if not allowed or full or self.limited(caller):
            return None
        return _Place(self).release

    def limited(self, caller: Caller) -> bool:
        """Whether a limit or a budget counts its calls."""
        settings, token = self.settings, self._known.get(caller.id)
        if settings.tenant_per_minute is not None or settings.tenant_concurrency is not None:
            return True
        if token is None:
            return False
        return not (token.rate_per_minute is None and token.concurrency is None and token.budget_usd is None)

    async def _admit(self, caller: Caller, tenant: str | None) -> Ticket:
        if tenant is not None and caller.tenants is not None and tenant not in caller.tenants:
            message = "this token may not call for this tenant; name one of its own in `tenant`"
            raise Refused(403, "caller_tenant_not_allowed", message, "auth_error")
        capacity = self.settings.capacity
        if capacity is not None and self.running >= capacity:
            raise overloaded()
        ask = self._ask(caller, tenant)
        place = _Place(self, ask)  # taken before anybody is waited for
        if ask is None:
            return place
        try:
            await self._allowed(ask)
        except BaseException:
            place.release()
            raise
        return place

    async def _allowed(self, ask: Ask) -> None:
        try:
            no = await self.shared.admit(ask)
        except SharedError as error:
            self.metrics.store_error("limits")
            self.outages[ask.budget is not None].failed(str(error))
            code = "caller_rate_limit_unavailable" if ask.budget is None else "consumer_budget_unavailable"
            raise unavailable(code, "limits can't be checked now") from None
        self.outages[ask.budget is not None].works()
        if no is not None:
            most = 0 if ask.budget is None else ask.budget.most
            raise broke(most, no.spent) if no.why == "budget" else denied(no)

    def _ask(self, caller: Caller, tenant: str | None) -> Ask | None:
        token, whose = self._known.get(caller.id), tenant or caller.tenant
        limits: list[Limit] = []
        if token is not None and (token.rate_per_minute is not None or token.concurrency is not None):
            limits.append(Limit(f"token:{token.id}", token.rate_per_minute, token.concurrency))
        settings = self.settings
        if whose is not None and (settings.tenant_per_minute, settings.tenant_concurrency) != (None, None):
            limits.append(Limit(f"tenant:{whose}", settings.tenant_per_minute, settings.tenant_concurrency))
        now = self.now_ms()
        budget = None
        if tenant is not None and token is not None and token.budget_usd is not None:
            hold = self._holds.get(token.id, FIRST_HOLD)
            budget = Budget(token.id, month_of(now), round(token.budget_usd * NANO), hold)
        if not limits and budget is None:
            return None
        return Ask(secrets.token_hex(12), now, tuple(limits), budget)

    def cost_of(self, ask: Ask, spent: Spent | None) -> int | None:
        """What a call is charged; None where it was made and nobody knows its price. Learns what to hold next time.

        What of it has no price is charged as if it were a call of its own.
        """
        if spent is None or ask.budget is None:
            return 0
        if spent.cost_usd is None:
            return None
        cost = max(round(spent.cost_usd * NANO), 0)
        if spent.partly:
            return cost + ask.budget.hold
        if len(self._holds) >= _MOST_HOLDS:
            self._holds.clear()
        self._holds[ask.budget.token] = max(cost, self._holds.get(ask.budget.token, 0) // 2)
        return cost


class _Place:
    """Leave for one call; given back once."""

    __slots__ = ("_ask", "_gate", "_open")

    def __init__(self, gate: Gate, ask: Ask | None = None) -> None:
        self._gate = gate
        self._ask = ask
        self._open = True
        gate.running += 1

    def release(self) -> bool:
        """The call is over; false where it was before."""
        was, self._open = self._open, False
        self._gate.running -= was
        return was

    async def close(self, spent: Spent | None) -> None:
        """The call is over, and cost so much; a second time nothing happens."""
        ask = self._ask
        if not self.release() or ask is None:
            return
        given = Given(ask.lease, ask.limits, ask.budget, self._gate.cost_of(ask, spent))
        try:
            await self._gate.shared.settle(given)
        except SharedError as error:
            self._gate.metrics.store_error("limits")
            outage = self._gate.outages[given.budget is not None]
            outage.failed(f"a lease was not given back, and ends by itself: {error}")
