"""One emulator and one open endpoint for a module's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.server_x.endpoint import Served, served
from workbench.server.emulator import running


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
