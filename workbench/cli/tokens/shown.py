"""What the commands about tokens share: the store they open, how a token is shown. Never a secret, never a digest."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from workbench.cli.invocation import Invocation
from workbench.errors import Finding, Place, UsageError

if TYPE_CHECKING:
    from workbench.server.callers.token import Token
    from workbench.server.callers.tokens import Spending, Tokens

NANO: Final = 1_000_000_000


def tokens_option() -> Any:
    """`--tokens`, as `serve` has it."""
    return click.option("--tokens", "place", metavar="PLACE", help="Where tokens are: a file, or postgresql://...")


def shared_option() -> Any:
    """`--shared`, as `serve` has it."""
    return click.option("--shared", metavar="URL", help="Where `serve --shared` keeps what was spent.")


def spending_of(tokens: Tokens | None, shared: str | None, this: str) -> Mapping[str, Spending]:
    """What tokens have spent in a month, by id: as the token store has it, where there is one, or where hosts share it.

    Raises `UsageError` for an address that is none, `CallersError` where it cannot be reached.
    """
    from workbench.server.callers.tables import CallersError
    from workbench.server.shared.base import SharedError
    from workbench.server.shared.opening import shared_spending

    if shared is None:
        return {} if tokens is None else tokens.spending(this)
    known = () if tokens is None else tokens.all()
    try:
        return shared_spending(shared, this, [token.id for token in known])
    except SharedError as error:
        raise CallersError(str(error)) from None


def missing_file(invocation: Invocation, place: str | None) -> Path | None:
    """The file that tokens would be in, where nobody has made it yet. Raises `UsageError` for one that was named."""
    from workbench.server.callers.places import tokens_place

    found = tokens_place(invocation.root(), place)
    if not isinstance(found, Path) or found.exists():
        return None
    try:
        found.lstat()  # what is there and cannot be read is told by whoever opens it
    except FileNotFoundError:
        pass
    except OSError:
        return None
    if place:
        hint = f"`workbench token new NAME --tokens {place}` makes it"
        finding = Finding("there is no such file", "token_file", Place(str(found)), hint)
        raise UsageError("no tokens", [finding])
    return found


@contextmanager
def opened(invocation: Invocation, place: str | None, *, there: bool = False) -> Generator[Tokens]:
    """The tokens of the workspace at hand; with `there` nothing is made where a named file is missing."""
    from workbench.server.callers.places import LazyTokens, tokens_place

    if there:
        missing_file(invocation, place)
    lazy = LazyTokens(tokens_place(invocation.root(), place))
    try:
        yield lazy.opened()
    finally:
        lazy.close()


def now_ms() -> int:
    """The time, in milliseconds since 1970."""
    return round(time.time() * 1000)


def month() -> str:
    """The calendar month, UTC."""
    from workbench.server.shared.base import month_of

    return month_of(now_ms())


def iso(time_ms: int | None) -> str | None:
    """A time as `2026-11-22T08:00:00Z`."""
    if time_ms is None:
        return None
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _spent(token: Token, spent: Spending | None) -> dict[str, Any]:
    """What it has spent; null for a token without a budget, whose calls nobody counts."""
    if token.budget_usd is None and spent is None:
        return {"spent_usd": None, "calls": None}
    return {"spent_usd": 0.0 if spent is None else spent.usd, "calls": 0 if spent is None else spent.calls}


def token_json(token: Token, spent: Spending | None) -> dict[str, Any]:
    """A token for programs; null is everything, and no limit."""
    return {
        "id": token.id,
        "name": token.name,
        "standing": token.standing(now_ms()),
        "tenants": None if token.tenants is None else list(token.tenants),
        "routes": None if token.routes is None else list(token.routes),
        "rate_per_minute": token.rate_per_minute,
        "concurrency": token.concurrency,
        "budget_usd": token.budget_usd,
        **_spent(token, spent),
        "created": iso(token.created_ms),
        "expires": iso(token.expires_ms),
        "revoked": iso(token.revoked_ms),
    }


def limit_words(value: int | None, unit: str = "") -> str:
    """A limit for a table."""
    return "-" if value is None else f"{value}{unit}"


def amount(value: float) -> str:
    """Dollars as they were given: every digit, never with an exponent."""
    text = f"{Decimal(repr(value)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def spent_words(token: Token, spent: Spending | None) -> str:
    """What it has spent, to two digits more than its budget has: so that the two can be compared."""
    if spent is None:
        return "-" if token.budget_usd is None else "0"
    digits = 0 if token.budget_usd is None else len(amount(token.budget_usd).partition(".")[2])
    step = Decimal(1).scaleb(-min(max(digits + 2, 4), 9))
    shown = (Decimal(spent.nano_usd) / NANO).quantize(step, ROUND_DOWN)
    if spent.nano_usd and not shown:
        return f"<{step:f}"
    return f"{shown:f}"


def names_words(names: tuple[str, ...] | None) -> str:
    """What is allowed, for a table."""
    return "all" if names is None else ", ".join(names)
