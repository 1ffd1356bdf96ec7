"""A bearer token: what is shown once, what is kept of it, and what it allows.

The secret is 256 random bits, so one round of SHA-256 keeps it; it stands nowhere but in the hands of its owner.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Final, Literal

PREFIX: Final = b"wbt_"
_SHAPE: Final = re.compile(rb"wbt_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
LONGEST: Final = 128
"""Most bytes of an Authorization value that is looked at."""
NOBODY: Final = bytes(32)
"""The digest that a token of an unknown id is compared with, so that it takes as long as any other."""

Standing = Literal["active", "revoked", "expired"]


@dataclass(frozen=True, slots=True)
class Token:
    """What is kept of a token. Times in milliseconds since 1970; None in a limit means no limit."""

    id: str
    """Public: `tok_` and twelve hex digits."""
    name: str
    digest: bytes
    """SHA-256 of the whole secret."""
    tenants: tuple[str, ...] | None = None
    routes: tuple[str, ...] | None = None
    """Path prefixes."""
    rate_per_minute: int | None = None
    concurrency: int | None = None
    budget_usd: float | None = None
    """For a calendar month, UTC."""
    created_ms: int = 0
    expires_ms: int | None = None
    revoked_ms: int | None = None

    def standing(self, now_ms: int) -> Standing:
        """Whether it may be used at `now_ms`."""
        if self.revoked_ms is not None:
            return "revoked"
        return "expired" if self.expires_ms is not None and self.expires_ms <= now_ms else "active"

    def allows(self, path: str) -> bool:
        """Whether it may ask for `path`; a profile in front of a `/v1/` path makes no other route of it."""
        if self.routes is None:
            return True
        inner = path[path.index("/v1/") :] if "/v1/" in path else path
        return any(_below(known, route) for route in self.routes for known in (path, inner))

    def fits(self, secret: bytes) -> bool:
        """Whether `secret` is this token's, in a time that says nothing of how near it was."""
        return hmac.compare_digest(digest_of(secret), self.digest)


def _below(path: str, route: str) -> bool:
    return path == route or path.startswith(f"{route.rstrip('/')}/")


def new_secret() -> tuple[str, str]:
    """A new token's public id, and its secret: `wbt_ID_RANDOM`."""
    name = secrets.token_hex(6)
    return f"tok_{name}", f"wbt_{name}_{secrets.token_urlsafe(32)}"


def digest_of(secret: bytes) -> bytes:
    """What is kept of a secret."""
    return hashlib.sha256(secret).digest()


def id_of(secret: bytes) -> str | None:
    """The public id in a secret; None for what is no token of ours at all."""
    match = _SHAPE.fullmatch(secret) if len(secret) <= LONGEST else None
    return None if match is None else f"tok_{match[1].decode()}"


def claims_token(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether somebody wanted to send a token of ours, whole or not: then without one it is nobody."""
    return any(name == b"authorization" and PREFIX in value for name, value in headers)


def bearer(headers: list[tuple[bytes, bytes]]) -> bytes | None:
    """The bearer secret among headers (names in lower case); None where there is none, or more than one."""
    found = [value for name, value in headers if name == b"authorization"]
    if len(found) != 1 or len(found[0]) > LONGEST or found[0][:7].lower() != b"bearer ":
        return None
    return found[0][7:].strip(b" ")
