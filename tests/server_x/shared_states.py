"""The three places that processes can meet in: memory, PostgreSQL, a real server of Redis's protocol."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def redis_server() -> Generator[str]:
    """The address of a fresh server that only its own socket reaches."""
    program = shutil.which("valkey-server") or shutil.which("redis-server")
    if program is None:
        missing = "no Valkey and no Redis here: apt-get install redis-server"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    folder = Path(tempfile.mkdtemp(prefix="wbvk", dir="/tmp"))
    place = folder / "s"
    words = [
        program,
        "--port",
        "0",
        "--unixsocket",
        str(place),
        "--save",
        "",
        "--appendonly",
        "no",
        "--dir",
        str(folder),
    ]
    running = subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    for line in running.stdout:
        if "connections at" in line or "Ready to accept" in line:
            break
    try:
        yield f"unix://{place}"
    finally:
        running.terminate()
        running.stdout.close()
        running.wait()
        shutil.rmtree(folder)
