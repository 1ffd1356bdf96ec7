"""One emulator for a module's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from workbench.server.emulator import Running, running


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    """An emulator on a real socket, in a thread of its own."""
    with running() as made:
        yield made
