"""What each action of the registry does on the main screen: plain functions, by action id."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from workbench.tui import work
from workbench.tui.doing import clauses, facts, looking, workspace

if TYPE_CHECKING:
    from workbench.tui.screens.main import MainScreen

HANDLERS: Mapping[str, Callable[[MainScreen], None]] = {
    **looking.HANDLERS,
    **clauses.HANDLERS,
    **facts.HANDLERS,
    **workspace.HANDLERS,
    **work.HANDLERS,
}
"""Every action that the main screen can do. A test holds this against the registry."""
