"""A policy as wrapped, coloured JSON whose lines know which clause they are."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from workbench.rulebook.compile import Compiled
from workbench.tui.widgets.drawing import Cell, Line, line_width

INDENT = 2
SLOT_PLACES = {"rank": 2, "select": 3, "transform": 4, "fallback": 5}
"""Where a slot stands in a policy term of sigma-pol/v2."""


class TermLine(NamedTuple):
    """One line of JSON and the clause it belongs to."""

    cells: Line
    clause_id: str | None


def policy_lines(compiled: Compiled, width: int) -> list[TermLine]:
    """The policy of one tenant as it goes over the wire, its normal form, in lines of about `width` cells."""
    term = compiled.policy.normal
    owners = _owners(compiled, term)
    return [TermLine(cells, owner) for cells, owner in _broken(term, 0, width, None, owners, "")]


@lru_cache(maxsize=4_096)
def json_text(text: str) -> str:
    """A string as JSON."""
    return json.dumps(text, ensure_ascii=False)


def _owners(compiled: Compiled, term: Sequence[Any]) -> Mapping[int, str]:
    """Which clause each sub-term is, by identity of the list; equal clauses are told apart by their order."""
    found: dict[int, str] = {}
    for slot, place in SLOT_PLACES.items():
        if slot in compiled.slots and len(term) > place:
            found[id(term[place])] = compiled.slots[slot].id
    waiting = _conjuncts(term[1])
    for clause in compiled.clauses:
        if clause.term is None:
            continue
        for said in _conjuncts(clause.term.normal):
            match = next((part for part in waiting if part == said), None)
            if match is not None:
                waiting = [part for part in waiting if part is not match]
                found[id(match)] = clause.id
    return found


def _conjuncts(term: Any) -> list[Any]:
    """The parts of a filter in normal form."""
    return term[1:] if term[0] == "and" else [term]


def _broken(
    value: Any, depth: int, width: int, owner: str | None, owners: Mapping[int, str], tail: str
) -> Iterator[tuple[list[Cell], str | None]]:
    owner = owners.get(id(value), owner)
    lead = Cell(" " * (depth * INDENT))
    flat = _flat(value, head=True)
    inside = any(id(part) in owners for part in value) if isinstance(value, list) else False  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if (not inside and line_width(flat) + depth * INDENT + len(tail) <= width) or not isinstance(value, list | dict):
        yield [lead, *flat, Cell(tail, "punct")], owner
        return
    if isinstance(value, dict):
        yield from _broken_record(value, depth, width, owner, owners, tail)  # pyright: ignore[reportUnknownArgumentType]
        return
    head: list[Any] = [part for part in value[:1] if isinstance(part, str)]  # pyright: ignore[reportUnknownVariableType]
    opening = [lead, Cell("[", "punct"), *(Cell(json_text(part), "op") for part in head)]
    rest: list[Any] = value[len(head) :]  # pyright: ignore[reportUnknownVariableType]
    if not any(isinstance(part, list | dict) for part in rest):  # pyright: ignore[reportUnknownVariableType]
        yield from ((line, owner) for line in _filled(opening, rest, len(lead.text), width, tail))
        return
    yield [*opening, Cell("," if head and rest else "", "punct")], owner
    for k, part in enumerate(rest):
        yield from _broken(part, depth + 1, width, owner, owners, "," if k < len(rest) - 1 else "]" + tail)
    if not rest:
        yield [lead, Cell("]" + tail, "punct")], owner


def _filled(opening: list[Cell], rest: Sequence[Any], indent: int, width: int, tail: str) -> Iterator[list[Cell]]:
    """Parameters in as few lines as they fit in."""
    line = list(opening)
    for k, part in enumerate(rest):
        piece = [*_flat(part), Cell("," if k < len(rest) - 1 else "]" + tail, "punct")]
        if line_width(line) + line_width(piece) + 1 > width:
            yield [*line, Cell(",", "punct")] if k == 0 else line
            line = [Cell(" " * (indent + INDENT)), *piece]
        else:
            line += [Cell(", " if k == 0 else " ", "punct"), *piece]
    yield line


def _broken_record(
    value: Mapping[str, Any], depth: int, width: int, owner: str | None, owners: Mapping[int, str], tail: str
) -> Iterator[tuple[list[Cell], str | None]]:
    lead = Cell(" " * (depth * INDENT))
    yield [lead, Cell("{", "punct")], owner
    for k, (key, part) in enumerate(value.items()):
        end = "," if k < len(value) - 1 else "}" + tail
        lines = list(_broken(part, depth + 1, max(8, width - len(key) - 4), owner, owners, end))
        first, first_owner = lines[0]
        named = [first[0], Cell(json_text(key), "field"), Cell(": ", "punct"), *first[1:]]
        yield named, first_owner
        yield from lines[1:]


def _flat(value: Any, *, head: bool = False) -> list[Cell]:
    """The value on one line."""
    if isinstance(value, list):
        cells = [Cell("[", "punct")]
        for k, part in enumerate(value):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
            if k:
                cells.append(Cell(", ", "punct"))
            if k == 0 and head and isinstance(part, str):
                cells.append(Cell(json_text(part), "op"))
            else:
                cells.extend(_flat(part, head=head))
        return [*cells, Cell("]", "punct")]
    if isinstance(value, dict):
        cells = [Cell("{", "punct")]
        for k, (key, part) in enumerate(value.items()):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
            cells += [Cell(", ", "punct")] if k else []
            cells += [Cell(json_text(str(key)), "field"), Cell(": ", "punct"), *_flat(part)]  # pyright: ignore[reportUnknownArgumentType]
        return [*cells, Cell("}", "punct")]
    if isinstance(value, str):
        return [Cell(json_text(value), "string")]
    style = "keyword" if isinstance(value, bool) else "number"
    return [Cell(json.dumps(value, ensure_ascii=False), style)]
