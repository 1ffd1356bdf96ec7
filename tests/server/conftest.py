"""One emulator and one endpoint over the sample for all tests of this folder; faults and health are fresh for each."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.faults import Faults
from tests.server.reloads import reload
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


@pytest.fixture
def root(live: Served) -> Iterator[Path]:
    """The folder of a module's `live` endpoint; what a test spoils is mended after it."""
    found = live.process.plan.root
    before = {path: path.read_bytes() for path in found.rglob("*") if path.is_file()}
    yield found
    for path in [path for path in found.rglob("*") if path.is_file() and path not in before]:
        path.unlink()
    for path, data in before.items():
        if not path.is_file():
            shutil.rmtree(path, ignore_errors=True)
        path.write_bytes(data)
    reload(live)
    assert live.get("/healthz").json() == {"ok": True, "initialized": True}
