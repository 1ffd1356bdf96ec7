"""A base that was loaded, kept for as long as its session lives, so that a way back to the rules costs no reading."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from workbench.session.session import Session
from workbench.session.settings import FleetSettings
from workbench.whatif.fleet.asking import Supposed

if TYPE_CHECKING:
    from workbench.whatif.fleet.loaded import Base
    from workbench.whatif.fleet.sources.base import Source


@dataclass(slots=True)
class Kept:
    """What the screen shows, whether or not it is open."""

    text: str = ""
    """The source as it was typed."""
    source: Source | None = None
    base: Base | None = None
    settings: FleetSettings = field(default_factory=FleetSettings)
    supposed: Supposed = field(default_factory=Supposed)


_KEPT: Final[WeakKeyDictionary[Session, Kept]] = WeakKeyDictionary()


def kept_of(session: Session) -> Kept:
    """What was loaded in this session."""
    return _KEPT.setdefault(session, Kept(settings=session.workspace.settings.fleet))
