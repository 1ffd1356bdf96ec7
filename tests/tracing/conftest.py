"""Stores of both kinds, as in the tests of the library, and a workspace folder to go with them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.traces.conftest import database, opened, place, server, store
from workbench.session.workspace import sample_root

__all__ = ["database", "opened", "place", "server", "store"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A writable copy of the sample workspace."""
    root = tmp_path / "policies"
    shutil.copytree(sample_root(), root)
    return root
