"""The OpenAI SDK for Node and the Vercel AI SDK complete calls against the endpoint."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent / "node"


def node() -> str:
    """The program, once the packages are there; without them a test is skipped, and fails where all has to run."""
    program = shutil.which("node")
    missing = "no Node.js here" if program is None else ""
    if program is not None and not (HERE / "node_modules").is_dir():
        missing = "the Node packages are missing: npm ci --prefix tests/clients/node"
    if missing or program is None:
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return program


def run(script: str, base_url: str, token: str) -> dict[str, Any]:
    """What a script of `node/` prints."""
    words = [node(), str(HERE / script), base_url, token]
    done = subprocess.run(words, cwd=HERE, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_openai_sdk_for_node(base_url: str, token: str) -> None:
    found = run("openai.mjs", base_url, token)
    assert found["plain"]
    assert found["streamed"]
    assert found["total"] > 0
    assert found["tool"] == "weather"
    assert found["provider"] == "mistral"
    assert found["response"]
    assert (found["events"][0], found["events"][-1]) == ("response.created", "response.completed")
    assert found["refusal"] == ["NotFoundError", 404, "model_not_found"]
    assert found["models"] > 100


def test_the_vercel_ai_sdk(base_url: str, token: str) -> None:
    found = run("vercel.mjs", base_url, token)
    assert found["plain"]
    assert found["streamed"]
    assert found["finish"] == "stop"
    assert found["total"] > 0
    assert found["tools"] == ["weather"]
    assert found["asked"] is not None
    assert found["refusal"] == 404
