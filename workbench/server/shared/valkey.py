"""The state in Valkey, or any server of Redis's protocol: one script before a call, one after it.

A script runs whole or not at all, so no two processes see half of one. Keys begin with `wb:` and a name in braces, so
that one call's keys lie together in a cluster; all but the spending of a month end by themselves.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Iterable
from typing import Any, Final, cast
from urllib.parse import urlsplit

from workbench.boundary.sanitiser import one_line
from workbench.errors import Finding, WorkbenchError
from workbench.server.shared.base import (
    LEASE_MS,
    MINUTE_MS,
    Ask,
    Block,
    Denied,
    Given,
    SharedError,
    interval_ms,
    longest,
)
from workbench.traces.databases.address import masked

SCHEMES: Final = ("redis://", "rediss://", "valkey://", "valkeys://", "unix://")
WAIT_S: Final = 2.0
SPENDING_DAYS: Final = 400
"""How long a month's spending is kept."""
HEALTH: Final = "wb:health"

_ADMIT: Final = """
local ask = cjson.decode(ARGV[1])
local now = ask.now
local function next_due(l)
  local stored = tonumber(redis.call('GET', 'wb:due:' .. l.name) or '0')
  if stored <= now or stored > now + 2 * ask.minute then stored = now end
  return stored + l.interval
end
for _, l in ipairs(ask.limits) do
  if l.concurrency then
    local key = 'wb:places:' .. l.name
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
    if redis.call('ZCARD', key) >= l.concurrency then return {'concurrency', l.name, '1', '0'} end
  end
  if l.interval then
    local due = next_due(l)
    if due - now > ask.minute then
      return {'rate', l.name, tostring((due - now - ask.minute) / 1000), '0'}
    end
  end
end
local b = ask.budget
if b then
  local holds = 'wb:holds:' .. b.token .. ':' .. b.month
  local amounts = holds .. ':nano'
  for _, lease in ipairs(redis.call('ZRANGEBYSCORE', holds, '-inf', now)) do
    redis.call('ZREM', holds, lease)
    redis.call('HDEL', amounts, lease)
  end
  local held = 0
  for _, nano in ipairs(redis.call('HVALS', amounts)) do held = held + tonumber(nano) end
  local spent = redis.call('HGET', 'wb:spent:' .. b.token .. ':' .. b.month, 'nano') or '0'
  if tonumber(spent) + held >= b.most then return {'budget', b.token, '1', spent} end
  redis.call('ZADD', holds, now + ask.lease_ms, ask.lease)
  redis.call('HSET', amounts, ask.lease, string.format('%.0f', b.hold))
  redis.call('PEXPIRE', holds, ask.keep_ms)
  redis.call('PEXPIRE', amounts, ask.keep_ms)
end
for _, l in ipairs(ask.limits) do
  if l.concurrency then
    redis.call('ZADD', 'wb:places:' .. l.name, now + ask.lease_ms, ask.lease)
    redis.call('PEXPIRE', 'wb:places:' .. l.name, 2 * ask.lease_ms)
  end
  if l.interval then
    local due = next_due(l)
    redis.call('SET', 'wb:due:' .. l.name, string.format('%.3f', due), 'PX', 2 * ask.minute)
  end
end
return {}
"""
_SETTLE: Final = """
local g = cjson.decode(ARGV[1])
for _, name in ipairs(g.places) do redis.call('ZREM', 'wb:places:' .. name, g.lease) end
local b = g.budget
if b then
  local holds = 'wb:holds:' .. b.token .. ':' .. b.month
  local nano = redis.call('HGET', holds .. ':nano', g.lease)
  if nano then
    redis.call('ZREM', holds, g.lease)
    redis.call('HDEL', holds .. ':nano', g.lease)
    local spent = 'wb:spent:' .. b.token .. ':' .. b.month
    redis.call('HINCRBY', spent, 'nano', g.cost or nano)
    redis.call('HINCRBY', spent, 'calls', 1)
    redis.call('PEXPIRE', spent, g.keep_ms)
  end
end
return 1
"""
_KEEP_MS: Final = SPENDING_DAYS * 86_400_000


class ValkeyShared:
    """The state at one address."""

    def __init__(self, address: str) -> None:
        """Raises `ValueError` for what is no address."""
        try:
            from redis import asyncio as client  # noqa: PLC0415 - needs the extra
            from redis.exceptions import RedisError  # noqa: PLC0415 - as above
        except ImportError:
            finding = Finding("Valkey needs the extra `valkey`", "extra", hint="pip install 'policy-workbench[valkey]'")
            raise WorkbenchError("the shared state cannot be reached", [finding]) from None
        self.place = masked(address)
        plain = address.replace("valkeys://", "rediss://", 1).replace("valkey://", "redis://", 1)
        made: Any = client.Redis
        try:
            _check_number(plain)
            self._server: Any = made.from_url(
                plain, socket_timeout=WAIT_S, socket_connect_timeout=WAIT_S, max_connections=64, decode_responses=True
            )
            self._server.connection_pool.make_connection()  # reaches nobody: it reads what the address asks for
        except (ValueError, TypeError, RedisError):
            raise ValueError(self.place) from None
        self._admit: Any = self._server.register_script(_ADMIT)
        self._settle: Any = self._server.register_script(_SETTLE)

    async def admit(self, ask: Ask) -> Denied | None:
        """One script."""
        if not ask.limits and ask.budget is None:
            return None
        limits = [
            {
                "name": limit.name,
                "concurrency": limit.concurrency or False,
                "interval": False if limit.per_minute is None else interval_ms(limit.per_minute),
            }
            for limit in ask.limits
        ]
        budget = ask.budget
        said = {
            "lease": ask.lease, "now": ask.now_ms, "minute": MINUTE_MS, "lease_ms": LEASE_MS, "keep_ms": _KEEP_MS,
            "limits": limits,
            "budget": (budget and {
                "token": budget.token, "month": budget.month, "most": budget.most, "hold": budget.hold,
            }) or False,
        }  # fmt: skip
        found = cast("list[str]", await self._run(self._admit(args=[json.dumps(said)])))
        if not found:
            return None
        why, name, wait, spent = found
        return Denied(cast("Any", why), name, float(wait), int(float(spent)))

    async def settle(self, given: Given) -> None:
        """One script."""
        if not given.limits and given.budget is None:
            return
        budget = given.budget
        said = {
            "lease": given.lease, "keep_ms": _KEEP_MS,
            "places": [limit.name for limit in given.limits if limit.concurrency is not None],
            "budget": (budget and {"token": budget.token, "month": budget.month}) or False,
            "cost": False if given.cost is None else str(given.cost),
        }  # fmt: skip
        await self._run(self._settle(args=[json.dumps(said)]))

    async def spent(self, token: str, month: str) -> tuple[int, int]:
        """What a token has spent in a month, in billionths of a dollar, and in how many calls."""
        row = cast("dict[str, str]", await self._run(self._server.hgetall(f"wb:spent:{token}:{month}")))
        return int(row.get("nano", 0)), int(row.get("calls", 0))

    async def tell(self, origin: str, blocks: Iterable[Block]) -> None:
        """One entry for each process, as JSON."""
        told = longest(blocks)
        if not told:
            await self._run(self._server.hdel(HEALTH, origin))
            return
        await self._run(self._server.hset(HEALTH, origin, json.dumps([list(block) for block in told])))
        await self._run(self._server.pexpire(HEALTH, LEASE_MS))

    async def heard(self, origin: str, now_ms: float) -> list[Block]:
        """The entries of all others that are not over."""
        rows = cast("dict[str, str]", await self._run(self._server.hgetall(HEALTH)))
        found = [Block(*row) for name, text in rows.items() if name != origin for row in json.loads(text)]
        return longest(block for block in found if block.until_ms > now_ms)

    async def _run(self, work: Awaitable[Any]) -> Any:
        from redis.exceptions import RedisError  # noqa: PLC0415 - the extra is there by now

        try:
            return await work
        except (TimeoutError, RedisError, OSError) as error:
            why = one_line(str(error), limit=200) or type(error).__name__
            raise SharedError(f"what is shared at `{self.place}` cannot be had: {why}") from None

    async def close(self) -> None:
        """End every connection."""
        await self._server.aclose()


def _check_number(address: str) -> None:
    """Raises `ValueError` where what stands for the database's number is none: the client would take the first."""
    parts = urlsplit(address)
    if parts.scheme != "unix" and not parts.path.strip("/").isdecimal() and parts.path not in ("", "/"):
        raise ValueError
