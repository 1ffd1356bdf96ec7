"""The endpoint that the app runs, as a child process: it outlives the screen that starts it and ends with the app.

Owns the endpoint and its emulator, their starting and ending, which are one at a time, and what was heard of them.
Whoever looks on shows it: the serve screen while it is open, else the main screen.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

from textual.css.query import NoMatches

from workbench.session.calls.children.emulator import EmulatorChild
from workbench.session.calls.children.endpoint import ServeChild, Served, Standing
from workbench.session.calls.children.process import ChildFailed
from workbench.session.session import Session

LAST_S: Final = 1.0
MOST_LISTED: Final = 2_000
"""Calls that are listed; the older ones are in the traces."""


class Onlooker(Protocol):
    """Who shows an endpoint."""

    def endpoint_changed(self, *, listed: bool = False) -> None:
        """Something that `Endpoint` holds is not what it was; `listed`: its calls alone, maybe many in a moment."""
        ...

    def say(self, text: str, style: str = "accent") -> None:
        """Say something, until the next key."""
        ...

    def show_banner(self, text: str) -> None:
        """Say something until something else is to be said."""
        ...


class Endpoint:
    """One workspace's endpoint, running or not."""

    def __init__(self, session: Session, onlooker: Onlooker) -> None:
        self._session = session
        self.onlooker = onlooker
        self.child: ServeChild | None = None
        self.emulated: EmulatorChild | None = None
        self.calls: deque[Served] = deque(maxlen=MOST_LISTED)
        """The newest first."""
        self.refusals = 0
        """Requests that were refused before anything was decided."""
        self.last_refusal = ""
        """`404 tenant_not_found`, as it came."""
        self.trouble = ""
        """What keeps it from serving what is on the disk, in a line; empty where nothing does."""
        self._standing: Standing | None = None
        self._root: Path | None = None
        """The workspace that it serves."""
        self._port = 0
        """Where the last one listened: what was copied goes on working with the next."""
        self._changing = asyncio.Lock()

    @property
    def mark(self) -> str:
        """Two or three words for a heading; empty where there is no endpoint and nothing to say of one."""
        if self.child is not None:
            return f"serving :{self.child.port}{', not all' if self.trouble else ''}"
        return "endpoint ended" if self.trouble else ""

    @property
    def words(self) -> str:
        """What a person has to know of what it serves, in a line; empty where all is as one would think."""
        said = [self.trouble] if self.trouble else []
        if self.child is not None and self._root != self._session.workspace.root:
            said.append("it serves the workspace that was open before; stop and start it to serve this one")
        elif self.child is not None and self._session.dirty:
            said.append("it serves what is saved; your edits are not in it yet")
        return " · ".join(said)

    # what it says

    def heard(self, call: Served) -> None:
        """A call was answered."""
        self.calls.appendleft(call)
        self._tell(listed=True)

    def refused(self, status: int, code: str) -> None:
        """A request was refused."""
        self.refusals += 1
        self.last_refusal = f"{status} {code}".strip()
        self._tell(listed=True)

    def reloaded(self, standing: Standing) -> None:
        """The files have changed: what it serves now, and what of them it does not."""
        self._stands(standing)
        if standing.findings or not standing.initialized:
            self.say("the files have changed, and not all of them are served", "warn")
        else:
            self.say("the files have changed, and are served")
        self._tell()

    def ended(self, how: str) -> None:
        """It is gone, and nobody asked it to go."""
        self.child = None
        self.trouble = f"the endpoint has ended by itself ({how})"
        self.say(self.trouble, "warn")
        self._tell()

    def say(self, text: str, style: str = "accent") -> None:
        """Let whoever looks on say something, until the next key."""
        with suppress(NoMatches):  # a screen that is being taken down
            self.onlooker.say(text, style)

    def complain(self, text: str) -> None:
        """The same until something else is to be said."""
        with suppress(NoMatches):  # as above
            self.onlooker.show_banner(text)

    def _tell(self, *, listed: bool = False) -> None:
        with suppress(NoMatches):  # as above
            self.onlooker.endpoint_changed(listed=listed)

    def forget(self) -> None:
        """Forget what was heard; the traces stay."""
        self.calls.clear()
        self.refusals = 0
        if self.child is None:
            self.trouble = ""

    # its start and its end

    async def change(self, *, wanted: bool, emulate: bool) -> None:
        """End what runs, then start what is wanted. Raises `WorkbenchError` where that can't be started."""
        async with self._changing:
            self.trouble = ""
            await self._stop(keep_emulator=emulate)
            root = self._session.workspace.root
            try:
                if emulate and self.emulated is None:
                    self.say("starting the emulator …")
                    self.emulated = await EmulatorChild.start(root)
                if wanted:
                    self.say("starting …")
                    self.child = await self._start(root, None if self.emulated is None else self.emulated.url)
                    self._root = root
                    self._stands(self.child.standing)
            finally:
                self._tell()

    async def stop(self) -> None:
        """End what runs, with the app: calls under way have `LAST_S` to end."""
        async with self._changing:
            children = [child for child in (self.child, self.emulated) if child is not None]
            self.child = self.emulated = None
            await asyncio.gather(*(child.stop(LAST_S) for child in children))

    async def _start(self, root: Path, emulator: str | None) -> ServeChild:
        """One where the last one was, or elsewhere if somebody else has that port by now."""
        try:
            child = await ServeChild.start(root, emulator, self, self._port)
        except ChildFailed:
            if not self._port:
                raise
            child = await ServeChild.start(root, emulator, self)
        self._port = child.port
        return child

    async def _stop(self, *, keep_emulator: bool = False) -> None:
        """End them; what was not ended, because this was cancelled, is still known and ended with the app."""
        if self.child is not None:
            await self.child.stop()
            self.child = None
        if self.emulated is not None and not (keep_emulator and self.emulated.running):
            await self.emulated.stop()
            self.emulated = None

    def _stands(self, standing: Standing) -> None:
        """Remember what of the files it does not serve."""
        first = [str(finding) for finding in standing.findings[:1]]
        more = standing.total - 1
        words = f"{' '.join(first)}{f' (and {more} more)' if more > 0 else ''}"
        if not standing.initialized:
            words = f"it answers nobody yet: {words or 'it has no policies'}"
        elif words and not standing.taken:
            words = f"not served: {words} · what was good before is"
        self.trouble = words
