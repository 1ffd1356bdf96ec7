"""The real app on a copy of the real sample workspace. Nothing is imitated."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from workbench.session.session import Session
from workbench.session.workspace import open_workspace, sample_root

SIZES = ((80, 24), (120, 36), (200, 50))


@pytest.fixture(autouse=True)
def state_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Journals and reports of these tests are nobody else's."""
    folder = tmp_path_factory.mktemp("state")
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace of one's own."""
    target = tmp_path / "policies"
    shutil.copytree(sample_root(), target)
    return target


@pytest.fixture
def session(root: Path) -> Session:
    return Session(open_workspace(root))
