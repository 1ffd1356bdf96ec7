"""One endpoint over one emulator for every client, with a token as beyond loopback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.server_x.endpoint import Served, served
from workbench.server.callers.gate import Settings
from workbench.server.emulator import running


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An endpoint that wants a token."""
    folder = tmp_path_factory.mktemp("clients")
    with running() as emulator, served(folder, emulator.url, settings=Settings(required=True)) as made:
        yield made


@pytest.fixture(scope="session")
def token(endpoint: Served) -> str:
    """A token for one tenant."""
    return endpoint.token("clients", tenants=("acme-eu",))


@pytest.fixture(scope="session")
def base_url(endpoint: Served) -> str:
    """What a client's base URL is changed to."""
    return f"{endpoint.url}/v1"
