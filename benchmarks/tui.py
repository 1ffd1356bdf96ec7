"""The terminal app as a person meets it: in a real pseudo-terminal, from key press to the last byte of its repaint.

    python benchmarks/tui.py [--keys N] [--json]

Measures `--help`, the first paint, a key press on each list, typing in the clause editor (every key decides anew for
every tenant), and how long 200 tenants take to open. A repaint is over when the terminal has been silent for `QUIET`
seconds; that silence is not counted.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import pty
import select
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMAND = [sys.executable, "-m", "workbench.cli.main"]
QUIET = 0.12
FRAME, CONTENT = b"Tenants", b"survivor"
"""What is on the screen with the first frame, and only once the workspace is open."""
TARGETS = {"help": 150.0, "first_paint": 500.0, "key_p95": 50.0, "open_200": 1500.0}


class Terminal:
    """A program in a pseudo-terminal."""

    def __init__(self, arguments: Sequence[str], *, columns: int = 120, rows: int = 36) -> None:
        self.started = time.perf_counter()
        self._early = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONPATH": str(ROOT)}
            os.execvpe(COMMAND[0], [*COMMAND, *arguments], environment)  # noqa: S606 - our own command
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, quiet: float = QUIET, limit: float = 10.0) -> tuple[bytes, float, float]:
        """Everything until the terminal is silent: the bytes, and when the first and the last of them came."""
        data, first, last = b"", 0.0, 0.0
        deadline = time.perf_counter() + limit
        while time.perf_counter() < deadline:
            ready, _, _ = select.select([self.fd], [], [], quiet if data else limit)
            if not ready:
                break
            try:
                part = os.read(self.fd, 1 << 16)
            except OSError:
                break
            last = time.perf_counter()
            first = first or last
            data += part
        return data, first, last

    def wait_for(self, text: bytes, limit: float = 20.0) -> float:
        """When a text has arrived, in seconds since the start."""
        data = self._early
        deadline = time.perf_counter() + limit
        while text not in data and time.perf_counter() < deadline:
            ready, _, _ = select.select([self.fd], [], [], 0.5)
            if ready:
                data += os.read(self.fd, 1 << 16)
        if text not in data:
            raise TimeoutError(f"{text!r} never came")
        self._early = data
        return time.perf_counter() - self.started

    def press(self, key: bytes) -> float:
        """Milliseconds from a key press to the last byte of what it changed on the screen."""
        start = time.perf_counter()
        os.write(self.fd, key)
        data, _, last = self.read()
        return (last - start) * 1000 if data else 0.0

    def close(self) -> None:
        """Leave."""
        os.kill(self.pid, signal.SIGTERM)
        self.read(0.3, 5.0)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def help_time(times: int = 7) -> float:
    """Median milliseconds of `workbench --help`."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    found: list[float] = []
    for _ in range(times):
        start = time.perf_counter()
        subprocess.run([*COMMAND, "--help"], env=environment, stdout=subprocess.DEVNULL, check=True)
        found.append((time.perf_counter() - start) * 1000)
    return statistics.median(found)


def starts(arguments: Sequence[str] = (), times: int = 5) -> tuple[float, float]:
    """Median milliseconds until the first frame is painted, and until every tenant's decision stands in it."""
    painted: list[float] = []
    ready: list[float] = []
    for _ in range(times):
        terminal = Terminal(arguments)
        painted.append(terminal.wait_for(FRAME) * 1000)
        ready.append(terminal.wait_for(CONTENT) * 1000)
        terminal.read()
        terminal.close()
    return statistics.median(painted), statistics.median(ready)


def keys(count: int) -> Iterator[tuple[str, list[float]]]:
    """Milliseconds of each press, by what is pressed."""
    terminal = Terminal(())
    terminal.wait_for(CONTENT)
    terminal.read()
    down, up = b"\x1b[B", b"\x1b[A"
    yield "tenants: another tenant", [terminal.press(down if k % 12 < 6 else up) for k in range(count)]
    terminal.press(b"3")
    yield "decision: another offer", [terminal.press(down) for _ in range(count)]
    terminal.press(b"2")
    terminal.press(b"g")
    yield "clauses: another clause", [terminal.press(down if k % 8 < 4 else up) for k in range(count)]
    terminal.press(b"g")
    for _ in range(3):
        terminal.press(down)
    terminal.press(b"e")
    typed = [b"1", b"\x7f", b" ", b"o", b"r", b" ", b"n", b"\x7f", b"\x7f", b"\x7f", b"\x7f", b"\x7f"]
    yield "editor: typing a clause", [terminal.press(typed[k % len(typed)]) for k in range(count)]
    terminal.close()


def open_many(tenants: int = 200) -> float:
    """Milliseconds until a workspace of that many tenants is on the screen."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "many"
        shutil.copytree(ROOT / "sample_tenants", root)
        sources = sorted((root / "tenants").glob("*.toml"))
        for k in range(tenants - len(sources)):
            source = sources[k % len(sources)]
            text = source.read_text().replace(f'"{source.stem}"', f'"{source.stem}-{k}"')
            (root / "tenants" / f"{source.stem}-{k}.toml").write_text(text)
        return starts(["--workspace", str(root)], times=3)[1]


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def main() -> int:
    """Measure and print; the exit status is 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=40)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    painted, ready = starts()
    found: dict[str, float] = {"help": help_time(), "first_paint": painted, "sample_ready": ready}
    for name, values in keys(options.keys):
        found[f"{name} p50"] = percentile(values, 0.5)
        found[f"{name} p95"] = percentile(values, 0.95)
    found["key_p95"] = max(value for name, value in found.items() if name.endswith(" p95"))
    found["open_200"] = open_many()
    if options.json:
        print(json.dumps({"schema": 1, "milliseconds": found, "targets": TARGETS}, indent=2))
    else:
        for name, value in found.items():
            target = f"   target {TARGETS[name]:.0f}" if name in TARGETS else ""
            print(f"{name:<32} {value:8.1f} ms{target}")
    return int(any(found[name] > target for name, target in TARGETS.items()))


if __name__ == "__main__":
    sys.exit(main())
