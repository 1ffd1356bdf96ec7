"""What another process does in the tests beside this file: `python -m tests.traces.child PLACE WHAT WORDS...`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from itertools import count
from pathlib import Path

from tests.traces.worlds import NOON, case
from workbench.errors import TraceError
from workbench.traces.grouped import GroupedWriter
from workbench.traces.opening import open_store
from workbench.traces.parts.asked import Asked
from workbench.traces.parts.words import Ending
from workbench.traces.record import Result
from workbench.traces.sinks import sink_for
from workbench.traces.store import CallEnd, Intent
from workbench.traces.template import Own, Summary, Template
from workbench.traces.writes import Ended, OpenTrace


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


def announce(place: str) -> None:
    """Serve traces for ever, a few at once; say of each when it is told that it is durable (`b`), and its end (`e`)."""
    store = open_store(place)
    asyncio.run(_announce(GroupedWriter(sink_for(store))))


async def _announce(writer: GroupedWriter) -> None:
    template, numbers = Template(case().record(0)), count()
    summary = Summary("ok", 0, 1, 1.0, 1.0, 0.0, 1.0)

    async def one() -> None:
        while True:
            trace = OpenTrace(template, Own(f"t{next(numbers):06}", NOON, Asked(), None))
            told: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
            writer.begin(trace, Intent(1, 0, 1, NOON), None, told.set_result)
            if await told:
                os.write(1, f"b {trace.own.trace_id}\n".encode())
            await asyncio.sleep(0.001)
            os.write(1, f"e {trace.own.trace_id}\n".encode())
            last = CallEnd(1, NOON, None, 200, 1.0)
            writer.end(Ended(trace, Result(Ending("ok"), 0, 1.0), (), None, last, summary))

    await asyncio.gather(*(one() for _ in range(5)))


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
    {"begin": begin, "pour": pour, "announce": announce, "as_nobody": as_nobody}[sys.argv[2]](
        sys.argv[1], *sys.argv[3:]
    )
