"""A matrix arranged to be looked at: which rows and columns, in which order, under which headings. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

import numpy as np

from workbench.errors import Finding, UsageError
from workbench.rulebook.schema import Fact, fact_words
from workbench.session.evaluation import Outcome
from workbench.whatif.matrix.grid import Cell, Codes, Matrix, Offers

RESULTS: Final = ("id", "title", "winner", "cost_per_run", "survivors", "providers", "mark")
"""What rows can be sorted by beside the tenants' facts."""
ORDERS: Final = ("chosen", "catalog", "name", "price")
"""How columns stand: the winners first and then by how many admit them; as the catalog has them; by name; by price."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a matrix is wanted. Filters are words that must all occur."""

    tenants: str = ""
    columns: str = ""
    sort: str = "id"
    """One of `RESULTS` or a fact; what is unknown comes last, ties by id."""
    order: str = "chosen"
    """One of `ORDERS`."""
    group: str | None = None
    """A fact (or a result) that rows are put together by."""
    differences: bool = False
    """Only columns whose cells are not all the same, and of tenants that are alike only the first."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: a tenant, and those that have the same cells where only differences are shown."""

    tenant: str
    alike: tuple[str, ...] = ()
    group: str | None = None
    """The value it is grouped by, in words; None where nothing is grouped."""

    @property
    def label(self) -> str:
        """The tenant, and how many are like it."""
        return f"{self.tenant} +{len(self.alike)}" if self.alike else self.tenant


@dataclass(frozen=True, eq=False)
class Sheet:
    """Rows and columns to be shown, of a matrix that works its cells out when they are."""

    matrix: Matrix
    asked: Asked
    rows: tuple[Row, ...]
    columns: tuple[int, ...]
    """Columns of the matrix's axis."""
    hidden: int
    """Columns left out because every row says the same there."""

    def name(self, column: int) -> str:
        """The name of a column of the sheet, from 0."""
        return self.matrix.axis.names[self.columns[column]]

    def cell(self, row: int, column: int) -> Cell:
        """A cell of the sheet, both from 0."""
        return self.matrix.cell(self.rows[row].tenant, self.columns[column])

    def texts(self, row: int) -> list[str]:
        """What the cells of a row say."""
        return self.matrix.texts(self.codes(row))

    def codes(self, row: int) -> Codes:
        """The cells of a row as numbers; see `Line`."""
        return self.matrix.line(self.rows[row].tenant).codes[self._taken]

    @property
    def _taken(self) -> Offers:
        return np.array(self.columns, dtype=np.intp)


def sheet(matrix: Matrix, asked: Asked) -> Sheet:
    """The part of `matrix` that is asked for. Raises `UsageError` with a suggestion for an unknown sort or group."""
    check_known(matrix, asked.sort)
    if asked.group is not None:
        check_known(matrix, asked.group)
    if asked.order not in ORDERS:
        raise _unknown("order", asked.order, ORDERS)
    tenants = _sorted(matrix, [name for name in matrix.tenants if matches(matrix.outcome(name), asked.tenants)], asked)
    columns = _ordered(matrix, _columns(matrix, asked.columns), asked.order)
    if not asked.differences:
        return Sheet(matrix, asked, tuple(Row(name, (), _group(matrix, name, asked)) for name in tenants), columns, 0)
    rows = _unlike(matrix, tenants, columns, asked)
    kept = _differing(matrix, rows, columns)
    return Sheet(matrix, asked, rows, kept, len(columns) - len(kept))


def check_known(matrix: Matrix, key: str) -> None:
    """Whether rows can be sorted by `key`. Raises `UsageError` with a suggestion."""
    known = (*RESULTS, *matrix.state.rulebook.schema.fields)
    if key not in known:
        raise _unknown("column", key, known)


def _unknown(what: str, word: str, known: Sequence[str]) -> UsageError:
    close = get_close_matches(word, known, 1)
    hint = f"did you mean `{close[0]}`?" if close else f"known: {', '.join(known)}"
    return UsageError("the command line can't be read", [Finding(f"there is no {what} `{word}`", "unknown", hint=hint)])


# filters


def words_of(text: str) -> list[str]:
    """The words of a filter, in small letters."""
    return text.casefold().split()


def matches(outcome: Outcome, text: str) -> bool:
    """Whether every word of `text` occurs in the tenant's id, title or facts; `plan=vip` is how a fact reads."""
    wanted = words_of(text)
    if not wanted:
        return True
    known = outcome.tenant
    facts = " ".join(f"{name}={fact_words(value)}" for name, value in known.facts.items())
    said = f"{known.id} {known.title} {facts}".casefold()
    return all(word in said for word in wanted)


def _columns(matrix: Matrix, text: str) -> list[int]:
    wanted = words_of(text)
    return [k for k, said in enumerate(matrix.axis.words) if all(word in said for word in wanted)]


# order


def _sorted(matrix: Matrix, tenants: list[str], asked: Asked) -> list[str]:
    def key(name: str) -> tuple[Any, ...]:
        outcome = matrix.outcome(name)
        grouped = () if asked.group is None else _rank(value_of(matrix, outcome, asked.group))
        return (*grouped, *_rank(value_of(matrix, outcome, asked.sort)), name)

    return sorted(tenants, key=key)


def _rank(value: Fact | None) -> tuple[bool, int, Any]:
    """Numbers before words, the unknown last."""
    if isinstance(value, bool | int | float):
        return (False, 0, float(value))
    return (value is None, 1, "" if value is None else fact_words(value))


def value_of(matrix: Matrix, outcome: Outcome, key: str) -> Fact | None:
    """A result or a fact of one tenant; None where it is unknown."""
    if key in _RESULTS:
        return _RESULTS[key](matrix, outcome)
    return outcome.tenant.facts.get(key)


def _winner(matrix: Matrix, outcome: Outcome) -> str | None:
    return None if outcome.winner is None else matrix.state.catalog.offer_id(outcome.winner)


_RESULTS: Final[dict[str, Callable[[Matrix, Outcome], Fact | None]]] = {
    "id": lambda _, outcome: outcome.tenant.id,
    "title": lambda _, outcome: outcome.tenant.title,
    "winner": _winner,
    "cost_per_run": lambda _, outcome: outcome.cost_per_run,
    "survivors": lambda _, outcome: outcome.survivors,
    "providers": lambda _, outcome: outcome.providers,
    "mark": lambda _, outcome: outcome.mark or None,
}


def _group(matrix: Matrix, tenant: str, asked: Asked) -> str | None:
    return None if asked.group is None else fact_words(value_of(matrix, matrix.outcome(tenant), asked.group))


def _ordered(matrix: Matrix, columns: list[int], order: str) -> tuple[int, ...]:
    if order == "name":
        return tuple(sorted(columns, key=lambda k: matrix.axis.names[k]))
    if order == "price":
        prices = _prices(matrix)
        return tuple(sorted(columns, key=lambda k: (prices[k], k)))
    if order == "chosen":
        wins, admitted = matrix.wins(), matrix.admitted()
        return tuple(sorted(columns, key=lambda k: (-int(wins[k]), -int(admitted[k]), k)))
    return tuple(columns)


def _prices(matrix: Matrix) -> list[float]:
    """Per column the least that a million tokens in and a million out cost together; infinite where none is known."""
    found = [float("inf")] * len(matrix.axis.names)
    for index, offer in enumerate(matrix.state.catalog.offers):
        if offer.price_in is not None and offer.price_out is not None:
            column = int(matrix.axis.of_offer[index])
            found[column] = min(found[column], offer.price_in + offer.price_out)
    return found


# only differences


def _unlike(matrix: Matrix, tenants: list[str], columns: tuple[int, ...], asked: Asked) -> tuple[Row, ...]:
    """One row for each group of tenants that say the same in all of these columns, under the first of them."""
    taken = np.array(columns, dtype=np.intp)
    names: dict[tuple[str | None, bytes], list[str]] = {}
    bodies: dict[int, bytes] = {}
    for name in tenants:
        line = matrix.line(name)
        body = bodies.get(id(line))
        if body is None:
            body = bodies[id(line)] = line.codes[taken].tobytes()
        names.setdefault((_group(matrix, name, asked), body), []).append(name)
    return tuple(Row(found[0], tuple(found[1:]), group) for (group, _), found in names.items())


def _differing(matrix: Matrix, rows: tuple[Row, ...], columns: tuple[int, ...]) -> tuple[int, ...]:
    if len(rows) < 2:
        return columns
    first = matrix.line(rows[0].tenant).codes
    differs = np.zeros(len(first), dtype=np.bool_)
    for row in rows[1:]:
        np.logical_or(differs, matrix.line(row.tenant).codes != first, out=differs)
    return tuple(column for column in columns if differs[column])
