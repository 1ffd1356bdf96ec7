"""A copy of the sample workspace, a session on it, and journals that are nobody else's: the terminal app's fixtures."""

from __future__ import annotations

from tests.tui.conftest import root, session, state_home

__all__ = ["root", "session", "state_home"]
