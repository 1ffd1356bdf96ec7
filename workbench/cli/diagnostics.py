"""Everything written to stderr, and the codes the command line exits with.

One line per finding, `file:line: reason; hint`, or one JSON object where `--json` stands among the arguments. A user's
mistake never shows a traceback; a mistake of ours is one line and the path of a report without values.

    0 ok                      3 no candidate           129 hung up
    1 findings                4 provider failure       130 interrupted
    2 usage                   5 internal               143 terminated
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

from workbench.cli.output import SCHEMA, escape_unsafe
from workbench.errors import Finding, Place, UsageError, WorkbenchError

OK: Final = 0
FINDINGS: Final = 1
USAGE: Final = 2
NO_CANDIDATE: Final = 3
PROVIDER_FAILURE: Final = 4
INTERNAL: Final = 5
INTERRUPTED: Final = 130

_STOPPING: Final = ("SIGTERM", "SIGHUP")


class Stopped(BaseException):
    """The process was asked to end; no error of anyone's."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


@contextmanager
def signals() -> Generator[None]:
    """Turn SIGTERM and SIGHUP into `Stopped` while the block runs, so that half-written files are cleaned up."""

    def stop(number: int, _frame: FrameType | None) -> None:
        raise Stopped(number)

    numbers = [getattr(signal, name) for name in _STOPPING if hasattr(signal, name)]
    before: dict[int, Any] = {}
    for number in numbers:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup stays what it is
            before[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def wants_json(words: Sequence[str]) -> bool:
    """Whether `--json` stands among the arguments, before any `--`; known even where they can't be parsed."""
    return "--json" in (words[: words.index("--")] if "--" in words else words)


def guarded(run: Callable[[], int], *, as_json: bool) -> int:
    """The exit code of `run`; whatever it raises is told on stderr and turned into one."""
    try:
        return run()
    except Stopped as stop:
        return stop.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except SystemExit as leave:
        return leave.code if isinstance(leave.code, int) else OK
    except WorkbenchError as error:
        show(error, as_json=as_json)
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the last stand: everything unforeseen ends here
        stop = _stopped(error)
        return _foreign(error, as_json=as_json) if stop is None else stop.exit_code


def _stopped(error: BaseException | None) -> Stopped | None:
    """The end that was asked for, where somebody has made another error of it, as an import may."""
    while error is not None and not isinstance(error, Stopped):
        error = error.__cause__ or error.__context__
    return error


def _foreign(error: Exception, *, as_json: bool) -> int:
    """An exception from outside our tree: click's own, a stream's, or a mistake of ours."""
    import click

    if isinstance(error, click.Abort):
        return INTERRUPTED
    if isinstance(error, click.ClickException):
        from workbench.cli.usage import usage_error

        told = usage_error(error)
        show(told, as_json=as_json)
        return told.exit_code
    from workbench.cli.report import write_report

    where = write_report(error)
    reason = f"an internal error, {type(error).__name__}; this is a mistake of the workbench and not yours"
    hint = f"a report without your data is at {where}" if where else "no report could be written"
    show(WorkbenchError("internal error", [Finding(reason, "internal", Place(), hint)]), as_json=as_json)
    return INTERNAL


def show(error: WorkbenchError, *, as_json: bool) -> None:
    """The error on stderr: every finding on a line, or one JSON object."""
    if as_json:
        shape = {
            "title": error.title,
            "exit_code": error.exit_code,
            "findings": [finding.as_document() for finding in _findings(error)],
        }
        text = json.dumps({"schema": SCHEMA, "error": shape}, ensure_ascii=False, allow_nan=False)
        _write(escape_unsafe(text) + "\n")
        return
    for finding in _findings(error):
        _write(finding_line(finding) + "\n")


def _findings(error: WorkbenchError) -> Sequence[Finding]:
    return error.findings or (Finding(error.title, "error"),)


def finding_line(finding: Finding) -> str:
    """`file:line: reason; hint` on one line, made visible; warnings say that they are."""
    from workbench.boundary import sanitiser

    where = str(finding.place) or "workbench"
    kind = "warning: " if finding.severity == "warning" else ""
    hint = f"; {finding.hint}" if finding.hint else ""
    return sanitiser.one_line(f"{where}: {kind}{finding.reason}{hint}")


def warn(findings: Sequence[Finding]) -> None:
    """Warnings, a line each."""
    for finding in findings:
        _write(finding_line(finding) + "\n")


def note(text: str) -> None:
    """One line that is neither a result nor a fault."""
    from workbench.boundary import sanitiser

    _write(f"note: {sanitiser.one_line(text)}\n")


def tell(text: str) -> None:
    """One line of what is going on beside the result, made visible."""
    from workbench.boundary import sanitiser

    _write(sanitiser.one_line(text) + "\n")


def ask(question: str) -> None:
    """A question whose answer is read from stdin; the line stays open."""
    _write(question)


def draw(text: str) -> None:
    """A line that is drawn over: it replaces the one before; empty takes it away."""
    _write(f"\r\x1b[K{text}")


def usage(reason: str, *, hint: str | None = None, code: str = "usage") -> UsageError:
    """A `UsageError` with one finding."""
    return UsageError(reason, [Finding(reason, code, Place(), hint)])


def _write(text: str) -> None:
    """Stderr may be closed; that is not worth failing for."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):
        return
