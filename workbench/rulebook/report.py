"""What is wrong with one rulebook or tenant document, each finding with its place in the file.

A `Report` collects; it never stops at the first problem. Whoever reads the document raises once, with everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from workbench.boundary.guarded_toml import locate
from workbench.boundary.sanitiser import one_line
from workbench.errors import REASON_LIMIT, Finding, Place, Severity
from workbench.language.refusal import did_you_mean

Path = tuple[str | int, ...]
"""A place inside a document: keys, and 0-based positions in arrays."""

FIELD_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")
RULE_ID: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}\Z")

MAX_TITLE: Final = 200
MAX_NOTE: Final = 4_000
MAX_CLAUSE: Final = 16_384
"""Most characters that one clause's text may have."""


def shown_path(path: Path) -> str:
    """The path as people read it, positions counted from 1: `rule[3].when`."""
    text = ""
    for step in path:
        text += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def suggestion(name: str, known: Iterable[str]) -> str | None:
    """A hint where `name` is a near miss of a known one."""
    hint = did_you_mean(name, list(known))
    return hint and hint.replace("'", "`")


def listed(names: Iterable[str], limit: int = 12) -> str:
    """Names in a row for a hint, cut where there are many."""
    every = list(names)
    text = ", ".join(every[:limit])
    return f"{text}, … ({len(every)} in all)" if len(every) > limit else text


def kind_of(value: object) -> str:
    """The word for what a document holds at a place."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a text"
    return "a list" if isinstance(value, list) else "a table" if isinstance(value, dict) else "a date"


class Report:
    """Findings about one document."""

    def __init__(self, source: str, text: str | None) -> None:
        self.source = source
        self._text = text
        self.findings: list[Finding] = []

    def add(
        self,
        reason: str,
        code: str,
        path: Path,
        hint: str | None = None,
        *,
        column: int | None = None,
        severity: Severity = "error",
    ) -> None:
        """Note one finding at `path`; its line is looked up in the document's text."""
        place = Place(self.source, self.line(path), column, one_line(shown_path(path), limit=REASON_LIMIT) or None)
        safe = one_line(reason, limit=REASON_LIMIT)
        self.findings.append(Finding(safe, code, place, hint and one_line(hint, limit=REASON_LIMIT), severity))

    def line(self, path: Path) -> int | None:
        """The 1-based line of `path`, or of the nearest table around it; None where the text is not known."""
        if self._text is None:
            return None
        while path:
            line = locate(self._text, path)
            if line is not None:
                return line
            path = path[:-1]
        return 1

    @property
    def failed(self) -> bool:
        """Whether any finding is an error."""
        return any(finding.severity == "error" for finding in self.findings)

    def table(self, value: object, path: Path) -> Mapping[str, Any]:
        """`value` as a table; anything else is a finding, and reads as an empty one."""
        if isinstance(value, Mapping):
            return value  # pyright: ignore[reportUnknownVariableType] - keys of a document are strings
        self.add(f"expected a table, found {kind_of(value)}", "type", path)
        return {}

    def tables(self, value: object, path: Path, what: str, limit: int) -> list[tuple[Path, Mapping[str, Any]]]:
        """`value` as an array of tables, each with its path; at most `limit` of them."""
        if value is None:
            return []
        if not isinstance(value, list):
            hint = f"write [[{path[-1]}]] above each of them"
            self.add(f"expected a list of {what}, found {kind_of(value)}", "type", path, hint)
            return []
        rows: list[Any] = value  # pyright: ignore[reportUnknownVariableType]
        if len(rows) > limit:
            self.add(f"{len(rows)} {what} are too many; the most is {limit}", "limit", path)
            return []
        return [((*path, place), self.table(row, (*path, place))) for place, row in enumerate(rows)]

    def known_keys(self, table: Mapping[str, Any], allowed: Iterable[str], path: Path, what: str) -> None:
        """A finding for each key that is not one of `allowed`."""
        names = tuple(allowed)
        for key in table:
            if key not in names:
                hint = suggestion(str(key), names) or f"known here: {listed(names)}"
                self.add(f"unknown key `{key}` in {what}", "unknown_key", (*path, key), hint)

    def text(self, table: Mapping[str, Any], key: str, path: Path, *, limit: int = MAX_TITLE) -> str | None:
        """The text under `key`, or None where it is absent or not one (then with a finding)."""
        value = table.get(key)
        if value is None:
            return None
        if not isinstance(value, str):
            self.add(f"`{key}` must be a text, found {kind_of(value)}", "type", (*path, key))
            return None
        if len(value) > limit:
            self.add(f"`{key}` has {len(value)} characters; the most is {limit}", "limit", (*path, key))
            return None
        return value

    def flag(self, table: Mapping[str, Any], key: str, path: Path, default: bool) -> bool:
        """The yes-or-no under `key`; anything but true or false is a finding."""
        value = table.get(key, default)
        if isinstance(value, bool):
            return value
        self.add(f"`{key}` must be true or false, found {kind_of(value)}", "type", (*path, key))
        return default
