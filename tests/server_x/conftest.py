"""One emulator and one open endpoint for a module's tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import pytest

from tests.server_x.endpoint import Served, served
from workbench.server.callers.tables import open_tables
from workbench.server.emulator import running
from workbench.traces.databases.base import Database


@pytest.fixture(autouse=True)
def tables_end_with_their_test(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test opens itself is closed after it: since Python 3.13 it is a warning in whichever is next."""
    module: ModuleType = cast("Any", request).module
    with ExitStack() as opened:

        def noted(place: Path | str) -> Database:
            return opened.enter_context(closing(open_tables(place)))

        if hasattr(module, "open_tables"):
            monkeypatch.setattr(module, "open_tables", noted)
        yield


@pytest.fixture(scope="session")
def emulator() -> Iterator[str]:
    """An emulator's address."""
    with running() as made:
        yield made.url


@pytest.fixture(scope="session")
def endpoint(emulator: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An endpoint over the sample, on loopback and without tokens."""
    with served(tmp_path_factory.mktemp("endpoint"), emulator) as made:
        yield made
