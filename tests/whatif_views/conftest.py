"""The what-if screens in the real app, on a copy of the real sample workspace, which is read once."""

from __future__ import annotations

import shutil

import pytest

from tests.tui.conftest import state_home
from workbench.session.session import Session
from workbench.session.workspace import Workspace, open_workspace, sample_root

__all__ = ["state_home"]


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace of one's own; nothing here saves."""
    target = tmp_path_factory.mktemp("views") / "policies"
    shutil.copytree(sample_root(), target)
    return open_workspace(target)


@pytest.fixture
def session(workspace: Workspace) -> Session:
    """Another sitting at it."""
    return Session(workspace)
