"""A store that cannot be had: said once for each reason, and again when it can, however many requests ask it."""

from __future__ import annotations

import logging
from typing import Final

from workbench.errors import WorkbenchError

LOG: Final = logging.getLogger("workbench.server")
MOST_REASONS: Final = 16


class Outage:
    """What is known of one thing that is looked up. Belongs to one event loop."""

    def __init__(self, what: str) -> None:
        """`what` in the plural: `tokens`."""
        self._what = what
        self._said: set[str] = set()

    def failed(self, reason: str) -> None:
        """It could not be had."""
        if reason not in self._said and len(self._said) < MOST_REASONS:
            self._said.add(reason)
            LOG.warning("%s cannot be checked: %s", self._what, reason)

    def works(self) -> None:
        """It could."""
        if self._said:
            self._said.clear()
            LOG.warning("%s can be checked again", self._what)


def reason_of(error: WorkbenchError) -> str:
    """What an error of a store says in one line: its title, which has the masked place, and why."""
    return f"{error.title}: {error.findings[0].reason}" if error.findings else error.title
