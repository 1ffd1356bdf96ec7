"""Reading a served workspace's files again."""

from __future__ import annotations

from tests.server_x.endpoint import Served


def reload(live: Served) -> int:
    """Look at the files now; gives which snapshot is in force."""
    live.tell(lambda process: process.reload())
    state = live.process.host.state
    assert state is not None
    return state.generation
