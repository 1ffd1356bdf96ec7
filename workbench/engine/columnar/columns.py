"""A population as numpy columns, built once, each when it is first asked for. Knows no request, no state, no policy.

A column of numbers holds NaN where the candidate has none; defaults are filled in beside it, because the state's
averages come between the two.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.engine.columnar.memory import Mask, Memory
from workbench.engine.pool import declared
from workbench.engine.values import flag, number, record, text
from workbench.language.vocabulary import Vocabulary

Numbers = NDArray[np.float64]
Places = NDArray[np.intp]


class Coded:
    """A column of names as small integers: `values[codes[i]]` is the name of candidate i, None where it has none."""

    __slots__ = ("codes", "place", "values")

    def __init__(self, names: Iterable[Hashable]) -> None:
        place: dict[Any, int] = {}
        codes = [place.setdefault(name, len(place)) for name in names]
        self.place = place
        self.values: tuple[Any, ...] = tuple(place)
        self.codes = np.array(codes, dtype=np.intp)

    def equal(self, name: str) -> Mask:
        """Where the name is this one."""
        return self.codes == self.place.get(name, -1)

    def among(self, names: Iterable[str]) -> Mask:
        """Where the name is one of these."""
        table = np.zeros(len(self.values), dtype=np.bool_)
        for name in names:
            code = self.place.get(name)
            if code is not None:
                table[code] = True
        return table[self.codes]

    def where(self, chosen: Sequence[bool]) -> Mask:
        """Where the flag of the name's code is set."""
        return np.array(chosen, dtype=np.bool_)[self.codes]

    def spread(self, values: Numbers) -> Numbers:
        """One number per code as one number per candidate."""
        return values[self.codes]


class Columns:
    """The columns of one pool."""

    def __init__(self, candidates: Sequence[Mapping[str, Any]], vocabulary: Vocabulary) -> None:
        self._candidates = candidates
        self.vocabulary = vocabulary
        self.size = len(candidates)
        self._built: dict[tuple[str, str], Any] = {}
        self.memory = Memory()

    def provider(self) -> Coded:
        """Provider ids."""
        return self._coded("provider", lambda c: text(c.get("provider_id")))

    def family(self) -> Coded:
        """Model families."""
        return self._coded("family", lambda c: text(c.get("model_family")))

    def tier(self) -> Coded:
        """Tiers as the candidates state them, absent ones as None."""
        return self._coded("tier", lambda c: text(c.get("tier")))

    def served_by(self) -> Coded:
        """Executed routes: the marketplace peer, else the provider."""
        return self._coded("served_by", _served_by)

    def route(self) -> Coded:
        """Pairs of provider and family."""
        return self._coded("route", lambda c: (text(c.get("provider_id")), text(c.get("model_family"))))

    def scope(self) -> Coded:
        """Scopes as pairs of kind and value, so that `true` and 1 stay apart."""
        return self._coded("scope", lambda c: _scope(c.get("scope")))

    def routes_by_key(self) -> dict[str, list[int]]:
        """Codes of `route` under the key by which the state keeps its averages."""
        found: dict[str, list[int]] | None = self._built.get(("keys", ""))
        if found is None:
            found = {}
            for code, (provider, family) in enumerate(self.route().values):
                if provider is not None and family is not None:
                    found.setdefault(f"{provider}|{family}", []).append(code)
            self._built["keys", ""] = found
        return found

    def capability(self, name: str) -> Mask:
        """Where the capability flag of this whole name is true."""
        return self._column("capability", name, lambda c: record(c.get("capabilities")).get(name) is True, np.bool_)

    def holds(self, name: str) -> Mask:
        """Where the candidate itself says true, whatever the field's default."""
        return self._column("holds", name, lambda c: c.get(name) is True, np.bool_)

    def flags(self, name: str) -> Mask:
        """A declared yes-or-no field, its default where absent."""
        default = declared(self.vocabulary, name).default is True
        return self._column("flags", name, lambda c: default if flag(c.get(name)) is None else c[name], np.bool_)

    def raw(self, name: str) -> Numbers:
        """A number as the candidate states it, NaN where it does not; `context` is the capability of that name."""
        if name == "context":
            return self._column("raw", name, lambda c: _or_nan(record(c.get("capabilities")).get(name)), np.float64)
        return self._column("raw", name, lambda c: _or_nan(c.get(name)), np.float64)

    def numbers(self, name: str) -> Numbers:
        """A number field of the candidates alone, its default where absent."""
        found: Numbers | None = self._built.get(("numbers", name))
        if found is None:
            return self._filled("numbers", name, float(declared(self.vocabulary, name).default))
        return found

    def or_zero(self, name: str) -> Numbers:
        """A number as the candidate states it, 0 where it does not."""
        found: Numbers | None = self._built.get(("or_zero", name))
        return self._filled("or_zero", name, 0.0) if found is None else found

    def _filled(self, kind: str, name: str, default: float) -> Numbers:
        column = filled(self.raw(name), default)
        column.flags.writeable = False
        self._built[kind, name] = column
        return column

    def _coded(self, name: str, read: Callable[[Mapping[str, Any]], Hashable]) -> Coded:
        found = self._built.get(("coded", name))
        if found is None:
            found = self._built["coded", name] = Coded(read(candidate) for candidate in self._candidates)
        return found

    def _column(self, kind: str, name: str, read: Callable[[Mapping[str, Any]], Any], dtype: type[Any]) -> NDArray[Any]:
        found: NDArray[Any] | None = self._built.get((kind, name))
        if found is None:
            values = [read(candidate) for candidate in self._candidates]
            column: NDArray[Any] = np.array(values, dtype=dtype)
            column.flags.writeable = False
            self._built[kind, name] = column
            return column
        return found


def filled(column: Numbers, default: float | Numbers) -> Numbers:
    """The column with `default` where it is absent."""
    return np.where(np.isnan(column), default, column)


def _or_nan(value: object) -> float:
    known = number(value)
    return np.nan if known is None else known


def _served_by(candidate: Mapping[str, Any]) -> str | None:
    peer = text(record(candidate.get("offer")).get("peer_id"))
    return text(candidate.get("provider_id")) if peer is None else peer


def _scope(value: object) -> Hashable:
    if value is None:
        return None
    if isinstance(value, bool | str):
        return type(value).__name__, value
    known = number(value)
    return ("other", None) if known is None else ("number", known)
