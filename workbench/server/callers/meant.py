"""Which token somebody means: by its id or a beginning of it, its name, or its secret, which is never repeated."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from workbench.errors import Finding, Place, UsageError
from workbench.server.callers.token import Token, id_of

_BEGINNING: Final = re.compile(r"tok_[0-9a-f]{1,12}")
_SECRET: Final = re.compile(r"(?i)wbt_")
_LONG: Final = re.compile(r"[A-Za-z0-9_-]{32,}")
"""What may be a secret, or the better part of one."""
MOST_SHOWN: Final = 5


def secret_like(text: str) -> bool:
    """Whether a text may hold a secret, whole or in part."""
    return _SECRET.search(text) is not None or _LONG.search(text) is not None


def meant(text: str, tokens: Sequence[Token]) -> Token:
    """The token of that id, name or secret, or the one whose id begins so.

    Of several of one name it is the one that is not revoked. Raises `UsageError` with a suggestion or the candidates.
    """
    found = _found(text, tokens)
    living = [token for token in found if token.revoked_ms is None]
    for chosen in (found, living):
        if len(chosen) == 1:
            return chosen[0]
    if living or found:
        raise _several(text, living or found)
    raise _none(text, tokens)


def _found(text: str, tokens: Sequence[Token]) -> list[Token]:
    """What `text` may mean: whole ids, then names, a secret, beginnings of ids."""
    named = [token for token in tokens if token.id == text] or [token for token in tokens if token.name == text]
    if named:
        return named
    secret = text.strip().encode("utf-8", "replace")
    if id_of(secret) is not None:
        return [token for token in tokens if token.id == id_of(secret) and token.fits(secret)]
    beginning = text.removesuffix("…")  # as a narrow list shows it
    if _BEGINNING.fullmatch(beginning) is None:
        return []
    found = [token for token in tokens if token.id.startswith(beginning)]
    if len(found) > 1:
        raise _begun(beginning, found)
    return found


def _which(found: Sequence[Token]) -> str:
    more = f" and {len(found) - MOST_SHOWN} more" if len(found) > MOST_SHOWN else ""
    return f"say which: {', '.join(f'`{token.id}` ({token.name})' for token in found[:MOST_SHOWN])}{more}"


def _begun(text: str, found: Sequence[Token]) -> UsageError:
    finding = Finding(f"`{text}` begins {len(found)} ids", "token_ambiguous", Place(), _which(found))
    return UsageError("more than one token", [finding])


def _several(text: str, found: Sequence[Token]) -> UsageError:
    finding = Finding("more than one token has this name", "token_ambiguous", Place(), _which(found))
    return UsageError(f"`{text}` names {len(found)} tokens", [finding])


def _none(text: str, tokens: Sequence[Token]) -> UsageError:
    from difflib import get_close_matches  # noqa: PLC0415 - only on the way to an error

    if secret_like(text):
        hint = "give the token's id or its name; `workbench token list --all` lists them"
        reason = "what was given looks like a secret, and is that of no token here"
        return UsageError("no such token", [Finding(reason, "unknown_token", Place(), hint)])
    close = get_close_matches(text, [*(token.id for token in tokens), *(token.name for token in tokens)], 1)
    hint = f"did you mean `{close[0]}`?" if close else "`workbench token list` lists them"
    return UsageError("no such token", [Finding(f"there is no token `{text}`", "unknown_token", Place(), hint)])
