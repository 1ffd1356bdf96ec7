"""The real command in a real pseudo-terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = "import sys; from workbench.cli.main import main; sys.exit(main())"


class Terminal:
    """A program in a terminal; leaves no process behind."""

    def __init__(
        self, arguments: Sequence[str] = (), *, size: tuple[int, int] = (120, 36), program: str = PROGRAM, **env: str
    ) -> None:
        self.received = b""
        self.status: int | None = None
        command = [sys.executable, "-c", program, *arguments]
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            environment = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT), **env}
            os.execvpe(command[0], command, environment)  # noqa: S606 - our own command
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)

    def wait_for(self, text: str, limit: float = 60.0) -> None:
        """Read until a text has come."""
        wanted = text.encode()
        deadline = time.monotonic() + limit
        while wanted not in self.received:
            assert time.monotonic() < deadline, f"{text!r} never came; last: {self.received[-600:]!r}"
            if not self._read(0.2) and self.ended():
                raise AssertionError(f"ended without {text!r}: {self.received[-600:]!r}")

    def press(self, keys: str) -> None:
        """Send keys and read until the terminal is silent."""
        os.write(self.fd, keys.encode())
        while self._read(0.3):
            pass

    def signal(self, number: signal.Signals) -> None:
        """Send the program a signal."""
        os.kill(self.pid, number)

    def hang_up(self) -> None:
        """The terminal is gone, as a window that is closed; what is waited for from then on is the program's end."""
        os.close(self.fd)
        self.fd = os.pidfd_open(self.pid)

    def finish(self, limit: float = 30.0) -> int:
        """Read until the program has ended; gives its exit status."""
        deadline = time.monotonic() + limit
        while not self.ended():
            assert time.monotonic() < deadline, "the program did not end"
            self._read(0.1)
        while self._read(0.1):
            pass
        assert self.status is not None
        return self.status

    def ended(self) -> bool:
        """Whether the program is over."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status is not None

    def _read(self, patience: float) -> bool:
        ready, _, _ = select.select([self.fd], [], [], patience)
        if not ready:
            return False
        try:
            data = os.read(self.fd, 1 << 16)
        except OSError:
            return False
        self.received += data
        return bool(data)
