"""Which handler answers a path. Exact matches; nothing is normalised (RELIABILITY R34).

The path is the one that was sent, but for a colon in its encoded form (`%3A`): `guards` lets no other escape pass.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final

from workbench.server.exchange import Request, Response

Handler = Callable[[Request], Awaitable["Response | None"]]
"""Gives the answer, or None where it has sent one itself."""


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path. `{name}` in a path stands for one segment of letters, digits and `._:-`."""

    method: str
    path: str
    handler: Handler
    public: bool = False
    """Whether it is answered without a token, whatever the setting."""
    early: bool = False
    """Whether it is answered before there is any good workspace."""
    counted: bool = False
    """Whether it is a question that counts against rates and places as a call does. Calls count themselves."""
    query: tuple[str, ...] = ()
    """The parameters that it reads of the query; to any other it is refused, where it is not `public`."""


@dataclass(frozen=True, slots=True)
class Found:
    """The methods of a path, and what its segments are called."""

    methods: dict[str, Route]
    params: dict[str, str]


_SEGMENT: Final = r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}"
_NONE: Final[dict[str, str]] = {}


class Table:
    """All routes."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._exact: dict[str, dict[str, Route]] = {}
        self._patterns: list[tuple[re.Pattern[str], dict[str, Route]]] = []
        shapes: dict[str, dict[str, Route]] = {}
        for route in routes:
            if "{" in route.path:
                shapes.setdefault(route.path, {})[route.method] = route
            else:
                self._exact.setdefault(route.path, {})[route.method] = route
        for shape, methods in shapes.items():
            named = re.sub(r"\\\{(\w+)\\\}", rf"(?P<\1>{_SEGMENT})", re.escape(shape))
            self._patterns.append((re.compile(named), methods))

    def find(self, path: str) -> Found | None:
        """What answers `path`; an exact path wins over one with parameters."""
        methods = self._exact.get(path)
        if methods is not None:
            return Found(methods, _NONE)
        for pattern, known in self._patterns:
            match = pattern.fullmatch(path)
            if match is not None:
                return Found(known, match.groupdict())
        return None

    def routes(self) -> list[Route]:
        """Every route, by path and method."""
        tables = [*self._exact.values(), *(methods for _, methods in self._patterns)]
        return sorted((route for table in tables for route in table.values()), key=lambda r: (r.path, r.method))
