"""One emulator and one endpoint over the sample for all tests of this folder; faults and health are fresh for each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.server.faults import Faults
from tests.server_x.endpoint import Served, served
from workbench.server.emulator import Running, running


@pytest.fixture(scope="session")
def emulation() -> Iterator[Running]:
    """An emulator on a real socket."""
    with running() as made:
        yield made


@pytest.fixture(scope="session")
def shared(emulation: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An endpoint on a real socket, real uvicorn, real trace store."""
    with served(tmp_path_factory.mktemp("served"), emulation.url) as made:
        yield made


@pytest.fixture
def endpoint(shared: Served, emulation: Running) -> Iterator[Served]:
    """The endpoint with nothing known of any provider, and no fault playing."""
    Faults(emulation).none()
    shared.tell(lambda process: process.host.health.reset())
    yield shared
    Faults(emulation).none()


@pytest.fixture
def faults(endpoint: Served, emulation: Running) -> Faults:
    """What providers are told to do wrong."""
    del endpoint
    return Faults(emulation)
