"""Being the one who works on a workspace: the lock of a sitting, and where its unsaved edits go without it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from workbench.errors import FileRefused, Finding, Place
from workbench.session.saving import journal
from workbench.session.saving.lock import Holder, WorkspaceLock

if TYPE_CHECKING:
    from workbench.session.session import Session


class Hold:
    """A sitting's hold on its workspace; without a claim it shuts nobody out and is shut out by nobody."""

    def __init__(self, root: Path, state_folder: Path | None) -> None:
        self.other: Holder | None = None
        """Who works on the workspace already, where somebody does: then it is not saved from here."""
        self.lock = WorkspaceLock(root, state_folder)
        self._state_folder = state_folder

    def claim(self, session: Session) -> Holder | None:
        """Be the one who works on the session's workspace; gives who is, where another process does.

        Until that one ends, the session saves elsewhere only and keeps its unsaved edits in a journal of its own.
        Touches the disk.
        """
        self.other = self.lock.take()
        if self.other is not None:
            session.journal_file = journal.beside(journal.journal_of(session.workspace.root, self._state_folder))
        return self.other

    def check(self, root: Path) -> None:
        """Raises `FileRefused` where another process still works on the workspace at `root`."""
        if self.other is None:
            return
        self.other = self.lock.take()
        if self.other is not None:
            reason = f"{self.other.words} has this workspace open"
            finding = Finding(reason, "in_use", Place(str(root)), "close that one, or save a copy")
            raise FileRefused("not saved", [finding])

    def move(self, session: Session) -> None:
        """The session goes on in another folder; claimed there if it was here."""
        claimed = self.lock.held or self.other is not None
        self.lock.release()
        self.lock, self.other = WorkspaceLock(session.workspace.root, self._state_folder), None
        if claimed:
            self.claim(session)

    def release(self) -> None:
        """Let another process work on it."""
        self.lock.release()
