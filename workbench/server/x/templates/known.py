"""What a policy names and the catalog does not have: taken, because catalogs change, and told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final, cast

from workbench.server.errors import said

MOST_TOLD: Final = 16
_MOST_NAME: Final = 80
_OPERATIONS: Final = {
    "provider_eq": "provider", "family_eq": "model", "served_by_eq": "served_by", "has_cap": "capability",
}  # fmt: skip

Names = Iterable[tuple[str, str]]
"""What a name is of (`provider`, `model`, a category), and the name."""


def unheard(names: Names, values: Mapping[str, Sequence[str]]) -> list[str]:
    """A warning for each name that no offer has; `values` are the catalog's."""
    found: dict[str, None] = {}
    for of, name in names:
        known = values.get(of, ())
        if name not in known:
            close = get_close_matches(name[:_MOST_NAME], known, 1)
            hint = f": did you mean `{close[0]}`?" if close else ""
            found[said(f"no offer of the catalog has the {of} `{name[:_MOST_NAME]}`{hint}")] = None
    return list(found)[:MOST_TOLD]


def names_in(term: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """The names that a term holds, wherever they stand."""
    if len(term) == 2 and term[0] in _OPERATIONS and isinstance(term[1], str):
        yield _OPERATIONS[term[0]], term[1]
    elif term and term[0] == "chain":
        for link in cast("list[dict[str, str]]", term[1]):
            yield "provider", link.get("provider", link.get("provider_id", ""))
            yield "model", link.get("model", link.get("model_family", ""))
    else:
        for part in term[1:]:
            if isinstance(part, list):
                yield from names_in(cast("list[Any]", part))


def meant(strange: Iterable[str], known: Sequence[str]) -> str:
    """What was probably meant by names that are not known; what there is where none is near."""
    near = [close[0] for name in strange if (close := get_close_matches(name[:_MOST_NAME], known, 1))]
    if near:
        return f"did you mean {' and '.join(f'`{name}`' for name in dict.fromkeys(near))}?"
    return f"known: {', '.join(known) or 'none'}"
