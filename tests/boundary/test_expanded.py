"""A path that a person wrote, with `~` in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.boundary.files import expanded
from workbench.errors import FileRefused
from workbench.session.tracing.places import place_for

NOBODY = "~nobody-of-that-name/x.db"


def test_a_home_folder_that_is_there_and_one_that_is_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert expanded("~/x.db") == tmp_path / "x.db"
    assert expanded("x~") == Path("x~")
    with pytest.raises(FileRefused):
        expanded(NOBODY)
    with pytest.raises(FileRefused):
        place_for(tmp_path, None, NOBODY, {})
