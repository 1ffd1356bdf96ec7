"""The what-if screens in the real app, on a copy of the real sample workspace."""

from __future__ import annotations

from tests.tui.conftest import root, session, state_home

__all__ = ["root", "session", "state_home"]
