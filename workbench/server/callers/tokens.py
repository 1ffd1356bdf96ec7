"""The tokens of a workspace: made, listed, shown, revoked. A secret is given out once, here, and never again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from workbench.server.callers.meant import meant
from workbench.server.callers.tables import reading, writing
from workbench.server.callers.token import Token, digest_of, new_secret
from workbench.traces.databases.base import Database, Execute, Row
from workbench.traces.databases.sqlite import SqliteDatabase

MOST_TOKENS: Final = 10_000
_COLUMNS: Final = (
    "id, name, digest, tenants, routes, rate_per_minute, concurrency, budget_usd, created_ms, expires_ms, revoked_ms"
)
_LIST: Final = f"SELECT {_COLUMNS} FROM caller_tokens ORDER BY created_ms, id LIMIT :most"  # noqa: S608 - fixed words
_INSERT: Final = f"""INSERT INTO caller_tokens ({_COLUMNS}) VALUES (:id, :name, :digest, :tenants, :routes,
    :rate_per_minute, :concurrency, :budget_usd, :created_ms, :expires_ms, :revoked_ms)"""  # noqa: S608 - as above
_REVOKE: Final = "UPDATE caller_tokens SET revoked_ms = :now WHERE id = :id AND revoked_ms IS NULL"
_SPENT: Final = "SELECT token, nano_usd, calls FROM caller_spending WHERE month = :month"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a new token is to allow; None is everything, and no limit."""

    name: str
    tenants: tuple[str, ...] | None = None
    routes: tuple[str, ...] | None = None
    rate_per_minute: int | None = None
    concurrency: int | None = None
    budget_usd: float | None = None
    expires_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Spending:
    """What a token has spent in a month."""

    nano_usd: int
    calls: int

    @property
    def usd(self) -> float:
        """In dollars."""
        return self.nano_usd / 1e9


class Tokens:
    """The tokens of one store. Methods raise `CallersError`; each is one look at the store, or one change of it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.quick = isinstance(database, SqliteDatabase)

    def new(self, wanted: Wanted, now_ms: int) -> tuple[Token, str]:
        """Make one; gives what is kept, and the secret, which nobody can show a second time."""
        token_id, secret = new_secret()
        token = Token(
            token_id, wanted.name, digest_of(secret.encode()), wanted.tenants, wanted.routes, wanted.rate_per_minute,
            wanted.concurrency, wanted.budget_usd, now_ms, wanted.expires_ms,
        )  # fmt: skip
        values = {
            "id": token.id, "name": token.name, "digest": token.digest.hex(), "tenants": _listed(token.tenants),
            "routes": _listed(token.routes), "rate_per_minute": token.rate_per_minute,
            "concurrency": token.concurrency, "budget_usd": token.budget_usd, "created_ms": now_ms,
            "expires_ms": token.expires_ms, "revoked_ms": None,
        }  # fmt: skip
        writing(self.database, lambda execute: execute(_INSERT, values))
        return token, secret

    def all(self) -> tuple[Token, ...]:
        """Every token, the revoked ones too, in the order they were made."""
        rows = reading(self.database, lambda execute: execute(_LIST, {"most": MOST_TOKENS}))
        return tuple(_token(row) for row in rows)

    def one(self, text: str) -> Token:
        """The token that is meant: by id, a beginning of it, name or secret. Raises `UsageError` with a suggestion."""
        return meant(text, self.all())

    def revoke(self, token: Token, now_ms: int) -> None:
        """End it for good; what is running goes on."""
        writing(self.database, lambda execute: execute(_REVOKE, {"id": token.id, "now": now_ms}))

    def spending(self, month: str) -> Mapping[str, Spending]:
        """What every token has spent in a month (`2026-11`, UTC), by id."""

        def look(execute: Execute) -> list[Row]:
            return execute(_SPENT, {"month": month})

        return {str(row[0]): Spending(int(row[1]), int(row[2])) for row in reading(self.database, look)}


def _listed(names: Sequence[str] | None) -> str | None:
    return None if names is None else json.dumps(list(names))


def _named(text: Any) -> tuple[str, ...] | None:
    return None if text is None else tuple(cast("list[str]", json.loads(text)))


def _token(row: Row) -> Token:
    return Token(row[0], row[1], bytes.fromhex(row[2]), _named(row[3]), _named(row[4]), *row[5:])
