"""What another process does in the tests beside this file: `python -m tests.traces.child PLACE WHAT WORDS...`."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from tests.traces.worlds import NOON, case
from workbench.errors import TraceError
from workbench.traces.opening import open_store
from workbench.traces.store import Intent


def begin(place: str, number: str) -> None:
    """Begin a trace and die as by kill -9."""
    store = open_store(place)
    store.begin(case().record(int(number)), Intent(1, case().decision.order[0], 1, NOON))
    os.kill(os.getpid(), signal.SIGKILL)


def pour(place: str, first: str) -> None:
    """Begin traces for ever; say the number of each once it is durable."""
    store, made = open_store(place), case()
    number = int(first)
    while True:
        store.begin(made.record(number), Intent(1, made.decision.order[0], 1, NOON))
        os.write(1, f"{number}\n".encode())
        number += 1


def as_nobody(place: str) -> None:
    """Open a store that this user may not write, and say what came of it; root becomes another user first."""
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    try:
        store = open_store(Path(place))
    except TraceError as error:
        sys.stdout.write(f"refused {error}")
        return
    codes = " ".join(finding.code for finding in store.notices)
    sys.stdout.write(f"opened {store.database.writable} {len(store.rows(now_ms=NOON))} {codes}")


if __name__ == "__main__":
    {"begin": begin, "pour": pour, "as_nobody": as_nobody}[sys.argv[2]](sys.argv[1], *sys.argv[3:])
