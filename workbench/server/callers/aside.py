"""Work beside the event loop that may never end: a thread of its own, which holds nobody up when the process does."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


async def aside(work: Callable[[], Result]) -> Result:
    """What `work` gives or raises, from a thread that the end of the process does not wait for."""
    loop = asyncio.get_running_loop()
    told: asyncio.Future[Result] = loop.create_future()

    def tell(result: Result | None, error: BaseException | None) -> None:
        if told.done():
            return
        if error is None:
            told.set_result(result)  # pyright: ignore[reportArgumentType] - there is one where nothing was raised
        else:
            told.set_exception(error)

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except Exception as raised:  # noqa: BLE001 - it is raised where it is waited for
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(tell, result, error)

    threading.Thread(target=run, name="aside", daemon=True).start()
    return await told
