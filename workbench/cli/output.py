"""Everything written to stdout: lines, tables, JSON. The only module of the command line that does.

On a terminal a table is fitted to its width and what is cut carries a mark; into a pipe it goes whole and plain. Text
that came from outside is made visible first; JSON keeps it, with unsafe characters escaped. A reader who leaves early
gets what it read, quietly, and the exit code still says what the command found.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from workbench.cli import layout
from workbench.cli.layout import Table
from workbench.errors import Finding, Place, WorkbenchError

SCHEMA: Final = 1
"""The version of the shapes that `--json` prints; a number that changes only when a name or a meaning does."""


class OutputError(WorkbenchError):
    """Stdout itself fails, on a full disk for instance; no finding about anyone's files, so not exit code 1."""

    exit_code = 5


_NOT_PLAIN: Final = re.compile("[^\n -~]")


def prepare() -> None:
    """UTF-8 and `\\n` on both streams, whatever the locale says: the same bytes everywhere."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")


def finish(code: int) -> int:
    """Flush stdout; gives `code`, or 5 where what was written could not be kept."""
    try:
        write("")
    except OutputError as error:
        return error.exit_code
    return code


def write(text: str) -> None:
    """Write `text` as it is; for text of our own, or text already made visible."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _silence()
    except OSError as error:
        _silence()
        reason = (error.strerror or type(error).__name__).lower()
        raise OutputError("stdout can't be written", [Finding(reason, "output", Place("<stdout>"))]) from None


def _silence() -> None:
    """Point stdout at nothing, so that neither later writes nor the interpreter's own flush complain."""
    sink = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, sys.stdout.fileno())
    finally:
        os.close(sink)


def _on_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()


@dataclass(frozen=True, slots=True)
class Output:
    """Where a command's result goes."""

    as_json: bool = False
    colour: bool = False
    width: int | None = None
    """Columns of the terminal; None where nothing is to be cut."""

    @classmethod
    def here(cls, *, as_json: bool, no_color: bool) -> Output:
        """The output that fits this process: terminal or pipe, `NO_COLOR` and `TERM=dumb` respected."""
        terminal = _on_terminal()
        plain = no_color or bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
        width = shutil.get_terminal_size().columns if terminal else None
        return cls(as_json, terminal and not plain, width)

    def document(self, body: Mapping[str, Any]) -> None:
        """One JSON object, its schema number first."""
        from workbench.boundary import strict_json

        text = strict_json.dumps({"schema": SCHEMA, **body}, indent=2)
        write(escape_unsafe(text) + "\n")

    def line(self, text: str = "") -> None:
        """One line, made visible and, on a terminal, fitted."""
        from workbench.boundary import sanitiser

        shown = sanitiser.one_line(text)
        write(layout.fit(shown, self.width) + "\n")

    def whole(self, text: str) -> None:
        """One line, made visible and never cut: to be copied."""
        from workbench.boundary import sanitiser

        write(sanitiser.one_line(text) + "\n")

    def heading(self, text: str) -> None:
        """One line that stands out where colour may be used."""
        from workbench.boundary import sanitiser

        shown = layout.fit(sanitiser.one_line(text), self.width)
        write((f"\x1b[1m{shown}\x1b[0m" if self.colour else shown) + "\n")

    def raw(self, text: str) -> None:
        """Text to be kept byte for byte, such as a policy; unsafe characters escaped as JSON does."""
        write(escape_unsafe(text))

    def table(self, table: Table, limit: int = 0) -> None:
        """A table with a line of headings, its first `limit` rows, 0 for all; nothing where it has no row."""
        shown = layout.first(table, limit)
        if shown.rows:
            write("".join(f"{line}\n" for line in layout.lines(shown, self.width, colour=self.colour)))
        self.more(len(table.rows) - len(shown.rows))

    def more(self, left: int) -> None:
        """That there is more than is shown, where there is, for a command that takes `--limit`."""
        if left:
            self.line(f"… and {left} more; --limit 0 shows all")


def escape_unsafe(text: str) -> str:
    """JSON text whose invisible and reordering characters are written as escapes: the same value, no raw byte."""
    return _NOT_PLAIN.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    from workbench.boundary import sanitiser

    character = match[0]
    if sanitiser.visible(character) == character and character != "\t":
        return character
    code = ord(character)
    if code > 0xFFFF:
        code -= 0x10000
        return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
    return f"\\u{code:04x}"


def number(value: float | None, *, digits: int = 6) -> str:
    """A number for a table, the shortest that keeps `digits` significant ones; `?` where it is unknown."""
    return "?" if value is None else f"{value:.{digits}g}"


def dollars(value: float | None) -> str:
    """A price in dollars for a table; `?` where it is unknown and never 0."""
    if value is None:
        return "?"
    return f"{value:.6f}".rstrip("0").rstrip(".") or "0"


def counted(number: int, thing: str) -> str:
    """`1 warning`, `2 warnings`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
