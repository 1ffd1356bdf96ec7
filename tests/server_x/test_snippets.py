"""What is copied to call the endpoint works as it is pasted: in a shell, in Python, in Node."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.clients.test_node import HERE, node
from tests.server_x.endpoint import Served
from workbench.session.calls.serving import snippets


def pasted(words: Sequence[str], cwd: Path, **variables: str) -> str:
    done = subprocess.run(
        words, cwd=cwd, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **variables}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("tenant", ["acme-eu", None])
def test_curl_as_pasted(endpoint: Served, tmp_path: Path, tenant: str | None) -> None:
    script = tmp_path / "call.sh"
    script.write_text(snippets.curl(endpoint.url, tenant))
    found = pasted(["sh", str(script)], tmp_path)
    assert '"object":"chat.completion"' in found


def test_a_token_is_read_from_the_environment(endpoint: Served, tmp_path: Path) -> None:
    script = tmp_path / "call.sh"
    script.write_text(snippets.curl(endpoint.url, "ladle-free"))
    bound = endpoint.token("pasted", tenants=("acme-eu",))
    assert "caller_tenant_not_allowed" in pasted(["sh", str(script)], tmp_path, WORKBENCH_TOKEN=bound)


@pytest.mark.parametrize("tenant", ["acme-eu", None])
def test_python_as_pasted(endpoint: Served, tmp_path: Path, tenant: str | None) -> None:
    script = tmp_path / "call.py"
    script.write_text(snippets.python(endpoint.url, tenant))
    found = pasted([sys.executable, str(script)], tmp_path)
    assert "emulated" in found
    if tenant is not None:
        assert "eu-residency" in found


def test_typescript_as_pasted(endpoint: Served) -> None:
    program = node()
    script = HERE / f"pasted-{uuid.uuid4().hex}.mjs"  # beside the packages; a module of TypeScript without its types
    try:
        script.write_text(snippets.typescript(endpoint.url, "acme-eu"))
        assert "emulated" in pasted([program, str(script)], HERE)
    finally:
        script.unlink()


@pytest.mark.parametrize("written", [snippets.curl, snippets.python, snippets.typescript])
def test_a_terminal_of_80_columns_breaks_none_of_its_lines(written: Callable[[str, str | None], str]) -> None:
    assert max(map(len, written("http://127.0.0.1:35479", "halvorsen-bank").splitlines())) <= 78
