"""A workspace of one's own, as `workbench init` writes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import call


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A fresh copy of the template."""
    folder = tmp_path / "policies"
    assert call("init", folder).code == 0
    return folder
