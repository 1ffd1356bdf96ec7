"""A `.env` file read strictly: `NAME=value` a line, and nothing that a shell would do with it.

Blank lines, `#` lines and a leading `export ` are passed over; a value may stand in single or double quotes, taken
as they are. No substitution, no escapes, no values over several lines. Findings name the variable and the line, never a
value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from workbench.boundary.files import read_bytes
from workbench.errors import FileRefused, Finding, Place

NAME: Final = ".env"
MOST_BYTES: Final = 256 * 1024

_ENTRY: Final = re.compile(r"(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]{0,127})[ \t]*=[ \t]*(.*)")


@dataclass(frozen=True, slots=True, repr=False)
class DotEnv:
    """The variables of one file. It does not show them."""

    values: dict[str, str]
    findings: tuple[Finding, ...] = ()


def read_dotenv(folder: Path) -> DotEnv:
    """The variables of the `.env` in a folder; none where there is no file. A file that cannot be read is a finding."""
    path = folder / NAME
    if not path.exists():
        return DotEnv({})
    try:
        return parse_dotenv(read_bytes(path, max_bytes=MOST_BYTES), source=str(path))
    except FileRefused as error:
        return DotEnv({}, error.findings or (Finding("this file cannot be read", "dotenv", Place(str(path))),))


def parse_dotenv(data: bytes, *, source: str = NAME) -> DotEnv:
    """The variables of a file's bytes. Of a name that stands twice the last counts, with a finding."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return DotEnv({}, (Finding("this file is not UTF-8", "dotenv", Place(source)),))
    values: dict[str, str] = {}
    findings: list[Finding] = []
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.removesuffix("\r").strip(" \t")
        if not line or line.startswith("#"):
            continue
        place = Place(source, number)
        match = _ENTRY.fullmatch(line)
        if match is None:
            findings.append(Finding("this line is no `NAME=value`", "dotenv", place))
            continue
        name, value = match[1], _unquoted(match[2])
        if value is None:
            findings.append(Finding(f"the value of `{name}` begins with a quote that nothing ends", "dotenv", place))
            continue
        if name in values:
            findings.append(Finding(f"`{name}` stands twice; the last counts", "dotenv", place, severity="warning"))
        values[name] = value
    return DotEnv(values, tuple(findings))


def _unquoted(value: str) -> str | None:
    """The value without its quotes, or its end-of-line comment; None where a quote is left open."""
    for quote in ('"', "'"):
        if value.startswith(quote):
            inner, closed, rest = value[1:].partition(quote)
            return inner if closed and (not rest.strip() or rest.lstrip().startswith("#")) else None
    return value.split(" #", 1)[0].rstrip(" \t")
