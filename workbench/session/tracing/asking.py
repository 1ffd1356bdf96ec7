"""Which traces a person means: words of an option or a field made into a filter, each checked.

Owns the spelling of times and outcomes. A time without a zone is UTC, as every time that is shown.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Final

from workbench.errors import Finding, Place, UsageError
from workbench.traces.listing import Filter
from workbench.traces.parts.words import IN_FLIGHT, INTERRUPTED, OUTCOMES

FIELDS: Final = ("tenant", "provider", "outcome", "since", "until")
"""What a line of words may name, beside plain text."""
GROUPS: Final = {"failed": "anything but ok and decided", "exhausted": "every candidate was tried"}
_AGE: Final = re.compile(r"(\d{1,6})\s*(s|m|h|d|w)")
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)


def moment_ms(text: str, now_ms: int, where: str) -> int:
    """Milliseconds since 1970 of `30m`, `2h`, `7d` (so long ago) or `2026-11-22`, `2026-11-22T14:05`.

    Raises `UsageError`, which names the option `where`.
    """
    age = _AGE.fullmatch(text.strip())
    if age is not None:
        return max(0, now_ms - int(age[1]) * _UNITS[age[2]] * 1000)
    try:
        found = datetime.fromisoformat(text.strip())
        found = found if found.tzinfo is not None else found.replace(tzinfo=UTC)
        return max(0, round((found - _EARLIEST).total_seconds() * 1000))
    except (ValueError, OverflowError):
        hint = "write 30m, 2h or 7d, or a date as 2026-11-22 or 2026-11-22T14:05 (UTC)"
        raise _refused(f"`{text}` is no time", where, hint) from None


def outcome_word(text: str, where: str) -> str:
    """The outcome as traces state it. Raises `UsageError` with a suggestion for a word that no trace can have."""
    known = [*sorted(OUTCOMES), INTERRUPTED, IN_FLIGHT, *GROUPS]
    word = text.strip().lower()
    for spelled in (word, word.replace("_", " "), word.replace(" ", "_"), f"exhausted: {word.replace(' ', '_')}"):
        if spelled in known:
            return spelled
    close = get_close_matches(word, known, 1)
    hint = f"did you mean `{close[0]}`?" if close else "write ok, failed, exhausted, interrupted, decided or a reason"
    raise _refused(f"no trace ends in `{text}`", where, hint)


def query_filter(text: str, now_ms: int) -> Filter:
    """The filter that a line of words means: `tenant:acme outcome:failed since:2h`, and plain text for the rest.

    Raises `UsageError` for a time or an outcome that is none; any other word with a colon is plain text.
    """
    given: dict[str, str] = {}
    plain: list[str] = []
    for word in text.split():
        name, colon, value = word.partition(":")
        if colon and name in FIELDS:
            given[name] = value
        else:
            plain.append(word)
    since, until, outcome = given.get("since"), given.get("until"), given.get("outcome")
    return Filter(
        tenant=given.get("tenant") or None,
        provider=given.get("provider") or None,
        outcome=outcome_word(outcome, "outcome") if outcome else None,
        since_ms=moment_ms(since, now_ms, "since") if since else None,
        until_ms=moment_ms(until, now_ms, "until") if until else None,
        text=" ".join(plain) or None,
    )


def shown_time(time_ms: int) -> str:
    """A time as lists show it: `2026-11-22 05:52:51`, UTC."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _refused(reason: str, where: str, hint: str) -> UsageError:
    return UsageError(reason, [Finding(reason, "trace_filter", Place(where), hint)])
