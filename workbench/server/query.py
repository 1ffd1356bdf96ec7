"""A target's query: a route says which parameters it reads, and whatever else stands there is refused.

`?tenant=acme-eu` behind a call would otherwise be decided by the default profile: what a call says stands in its body.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final
from urllib.parse import parse_qsl

from workbench.server.errors import Refused, invalid, said

MOST: Final = 64
"""Parameters of one query."""
_MOST_NAME: Final = 80
CODE: Final = "unsupported_parameter"


def look_at(raw: bytes, known: Sequence[str], *, has_body: bool) -> None:
    """Raises `Refused` 400 for a parameter that nothing reads, and for one that stands twice."""
    try:
        pairs = parse_qsl(raw.decode("latin-1"), keep_blank_values=True, max_num_fields=MOST)
    except ValueError:
        raise invalid(f"the query has more than {MOST} parameters") from None
    for name, times in Counter(name for name, _ in pairs).items():
        if name not in known:
            raise _strange(name[:_MOST_NAME], known, has_body=has_body)
        if times > 1:
            raise invalid(f"`{name}` stands {times} times in the query; give it once", param=name)


def _strange(name: str, known: Sequence[str], *, has_body: bool) -> Refused:
    close = get_close_matches(name, known, 1)
    if close:
        hint = f"did you mean `{close[0]}`?"
    elif has_body:
        hint = "what is asked here stands in the body; put it there, or leave it out"
    else:
        hint = f"known: {', '.join(known) or 'none'}"
    return invalid(f"unsupported parameter `{name}` in the query: {hint}", param=said(name), code=CODE)
