"""How the app ends when nobody pressed a key for it: signals, a mistake of ours, the line left on stderr."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from pathlib import Path

SIGNALS = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129}
"""Signals that end the app in order, and the exit status of each."""
CRASHED = 5
INTERRUPTED = 130
KEPT = "unsaved edits are kept; the next start offers them again"
NOT_KEPT = "unsaved edits could not be kept"

Report = Callable[[BaseException], Path | None]
"""Writes what is known of a mistake, without values; gives where."""


def listen(loop: asyncio.AbstractEventLoop, ended: Callable[[int], None]) -> None:
    """Call `ended` with the exit status of a signal that asks the app to end; one that is ignored stays ignored."""
    for name, status in SIGNALS.items():
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, ended, status)


def crash_line(error: BaseException, where: Path | None, *, kept: bool) -> str:
    """What happened, where in our files, what became of the edits, and the report: one line without a value."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""
    edits = KEPT if kept else "files on disk are as last saved"
    report = f"a report without your data is at {where}" if where else "no report could be written"
    return f"internal error: {type(error).__name__}{place}; {edits}; {report}"


def tell(text: str) -> None:
    """One line on stderr, where there is still someone to read it."""
    try:
        sys.stderr.write(f"workbench: {text}\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        return
