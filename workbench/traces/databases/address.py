"""The place of a store as people write it: a file's name, or the address of a PostgreSQL database and how it is shown.

Owns hiding its password, in an address that cannot be read too. Knows no driver.
"""

from __future__ import annotations

import re
from typing import Final

from workbench.errors import Finding, TraceError

SCHEMES: Final = ("postgresql://", "postgres://", "postgresql+psycopg://")
ENDINGS: Final = (".db", ".sqlite", ".sqlite3")
"""How the name of a store's file ends, so that no other file is taken for a damaged store."""
_HIDDEN: Final = "***"
_SECRET: Final = re.compile(r"(?i)([?&;][^=&;]*pass[^=&;]*=)[^&;]*")
_PORT: Final = re.compile(r"[0-9]*")


def is_address(text: str) -> bool:
    """Whether `text` names a database and not a file."""
    return text.lower().startswith(SCHEMES)


def masked(text: str) -> str:
    """The address without its password; more is hidden rather than less where it cannot be told apart."""
    scheme, _, rest = text.partition("://")
    login, at, where = rest.rpartition("@")
    user, colon, _ = login.partition(":")
    shown = f"{user}{':' + _HIDDEN if colon else ''}{at}" if at else ""
    hidden = _SECRET.sub(lambda match: match[1] + _HIDDEN, _port_hidden(where))
    return f"{scheme}://{shown}{hidden}"


def _port_hidden(where: str) -> str:
    """`host:port/...` with what stands for the port hidden where it is no number: a password without its `@`."""
    end = next((place for place, sign in enumerate(where) if sign in "/?"), len(where))
    authority = where[:end]
    if authority.startswith("["):
        return where
    host, colon, port = authority.partition(":")
    return f"{host}:{_HIDDEN}" if colon and not _PORT.fullmatch(port) else where


def checked(text: str) -> str:
    """The address in the form that drivers read. Raises `TraceError` where a part of it could be taken for another."""
    rest = text.partition("://")[2]
    if rest.count("@") > 1:
        hint = "write `%40` for an `@` in a name or a password, or leave the password to PGPASSWORD or ~/.pgpass"
        finding = Finding(f"`{masked(text)}` has more than one `@`", "trace_address", hint=hint)
        raise TraceError("no address of a trace store", [finding])
    return f"postgresql://{rest}"
