"""Who calls, and what they may: the seam between the endpoint and its tokens, limits and budgets.

The endpoint asks at a few moments and knows nothing of how the answers come about. `Anyone` is for loopback without
tokens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from workbench.boundary.sealed import sealed


@dataclass(frozen=True, slots=True)
class Caller:
    """Who was recognised. `None` in a list of what is allowed means everything."""

    id: str
    """The token's public id; `local` without tokens."""
    tenants: frozenset[str] | None = None
    """The tenants in whose name it may call."""
    routes: frozenset[str] | None = None
    """Path prefixes that it may ask for."""
    tenant: str | None = None
    """The tenant of a call that names none."""


@sealed
class Spent:
    """What a call cost, as far as it is known."""

    tokens_in: int | None = None
    tokens_out: int | None = None
    cost_usd: float | None = None
    partly: bool = False
    """Whether beside that something was spent that nobody knows the price of."""


class Ticket(Protocol):
    """Leave to make one call; given back when the call is over, however it ended."""

    async def close(self, spent: Spent | None) -> None:
        """The call is over."""
        ...


class Callers(Protocol):
    """The hook. Every method may raise `Refused`."""

    def recognise(self, headers: list[tuple[bytes, bytes]], path: str) -> Caller:
        """Who sends these headers (names in lower case), and whether they may ask for `path`: 401, 403."""
        ...

    def known(self, headers: list[tuple[bytes, bytes]], path: str) -> Caller | None:
        """The same where nothing is to be refused, else None; raises nothing, and nothing is counted."""
        ...

    async def admit(self, caller: Caller, tenant: str | None) -> Ticket:
        """Leave for a call in the name of `tenant`: 402, 403, 429 with `Retry-After`, 503.

        None: for a question that calls nobody, and costs nothing.
        """
        ...

    async def look(self, headers: list[tuple[bytes, bytes]]) -> None:
        """See that what `recognise` goes by is fresh, where these headers need it; waits for no store for long."""
        ...

    def limited(self, caller: Caller) -> bool:
        """Whether something counts this caller's calls."""
        ...

    def admit_at_once(self, caller: Caller, tenant: str) -> Callable[[], object] | None:
        """Leave that takes no asking around, as what gives it back; None where `admit` has to say. Raises nothing."""
        ...


LOCAL = Caller("local")


class _Free:
    async def close(self, spent: Spent | None) -> None:
        """Nothing is counted."""


FREE: Ticket = _Free()
"""Where nothing is to be given back."""


class Anyone:
    """Lets everyone do everything: for an endpoint that only this machine reaches."""

    def recognise(self, headers: list[tuple[bytes, bytes]], path: str) -> Caller:
        """Always the same."""
        del headers, path
        return LOCAL

    def known(self, headers: list[tuple[bytes, bytes]], path: str) -> Caller | None:
        """Always the same."""
        return self.recognise(headers, path)

    async def look(self, headers: list[tuple[bytes, bytes]]) -> None:
        """There is nothing to look at."""
        del headers

    def limited(self, caller: Caller) -> bool:
        """Nothing is counted."""
        del caller
        return False

    async def admit(self, caller: Caller, tenant: str | None) -> Ticket:
        """Always."""
        del caller, tenant
        return FREE

    def admit_at_once(self, caller: Caller, tenant: str) -> Callable[[], object] | None:
        """Always."""
        del caller, tenant
        return _nothing


def _nothing() -> None:
    """Nothing is counted, so there is nothing to give back."""
