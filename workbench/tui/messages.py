"""What panels say to the screen: named for what happened. Everything that is to be done passes through these."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from textual.message import Message


@dataclass
class TenantChosen(Message):
    """The tenant cursor is on another tenant (an id, or the path of a file that can't be used)."""

    tenant_id: str


@dataclass
class ClauseChosen(Message):
    """The clause cursor is on another clause, in the list or on the wire."""

    clause_id: str


@dataclass
class OfferChosen(Message):
    """The offer cursor is on another offer: a place in the catalog."""

    index: int


@dataclass
class EditAsked(Message):
    """Enter on a clause: it is to be edited."""

    clause_id: str


@dataclass
class DraftTyped(Message):
    """The text of the open edit is another one."""

    text: str

    def can_replace(self, message: Message) -> bool:
        """In a burst only the last counts."""
        return isinstance(message, DraftTyped)


@dataclass
class DraftCommitted(Message):
    """Enter in the editor."""


@dataclass
class DraftCancelled(Message):
    """Escape in the editor."""


@dataclass
class ScopeSwitched(Message):
    """The open edit is to be for others."""


@dataclass
class PreviewReady(Message):
    """An evaluation away from the screen is done."""

    text: str


@dataclass
class DiskChanged(Message):
    """Files of the workspace are not what they were when they were read."""

    paths: tuple[Path, ...]


@dataclass
class MainReady(Message):
    """The main screen is there and takes keys."""

    asks: bool
    """Whether it has a question; keys that were not meant for it must not answer."""
