"""How the app ends when nobody pressed a key for it: signals, a mistake of ours, the line left on stderr."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

SIGNALS = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129}
"""Signals that end the app in order, and the exit status of each."""
GRACE = 3.0
"""Seconds that an app without a terminal has to end in order."""
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


def outlive_terminal(keep: Callable[[], object]) -> None:
    """End the app where its terminal is gone, a window that was closed or a line that broke, whatever else is stuck.

    What it still writes goes nowhere from then on, and its signals have their time; after that, `keep` is called and
    the process ends. Nothing happens where hanging up is ignored, as under nohup, or cannot be seen.
    """
    number = getattr(signal, "SIGHUP", None)
    terminal, *streams = [stream for stream in (0, 1, 2) if os.isatty(stream)] or [-1]
    if number is None or terminal != 0 or not hasattr(select, "poll") or signal.getsignal(number) is signal.SIG_IGN:
        return
    resume = signal.getsignal(signal.SIGCONT)
    if callable(resume):  # it comes with the hang-up too, and there is no terminal to come back to

        def resumed(sent: int, frame: FrameType | None) -> None:
            if os.isatty(terminal):
                resume(sent, frame)

        signal.signal(signal.SIGCONT, resumed)
    threading.Thread(target=_outlive, args=(terminal, streams, keep), name="terminal", daemon=True).start()


def _outlive(terminal: int, streams: Sequence[int], keep: Callable[[], object]) -> None:
    poll = select.poll()
    poll.register(terminal, 0)
    if not any(event & select.POLLHUP for _, event in poll.poll()):
        return
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in streams:
        os.dup2(nowhere, stream)
    time.sleep(GRACE)
    with contextlib.suppress(Exception):
        keep()
    os._exit(SIGNALS["SIGHUP"])


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
