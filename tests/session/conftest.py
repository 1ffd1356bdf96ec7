"""The sample workspace, as a copy that a test may write to."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from workbench.session.session import Session
from workbench.session.workspace import open_workspace, sample_root


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A writable copy of the sample workspace."""
    root = tmp_path / "policies"
    shutil.copytree(sample_root(), root)
    return root


@pytest.fixture
def session(folder: Path) -> Session:
    """A session on the copy."""
    return Session(open_workspace(folder))
