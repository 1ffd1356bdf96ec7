"""A second real server that this project did not write: LiteLLM's proxy, from an environment of its own.

`WORKBENCH_LITELLM` names its executable, for its pins and ours do not agree. Where it is not set, the tests are
skipped; in CI that is a failure.
"""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.calls.places import KEY
from workbench.server.emulator import Running, running

MOCKED = "The foreign server says hello."
_STARTED = "Uvicorn running on"

_CONFIG = """
model_list:
  - model_name: mocked
    litellm_params: {{model: openai/gpt-4o, api_key: none, mock_response: "{said}"}}
  - model_name: mocked-claude
    litellm_params: {{model: anthropic/claude-3-5-sonnet-20240620, api_key: none, mock_response: "{said}"}}
  - model_name: adapted
    litellm_params: {{model: hosted_vllm/behind, api_base: "{upstream}/p/openai/v1", api_key: none}}
general_settings:
  master_key: {key}
litellm_settings:
  telemetry: false
  num_retries: 0
"""


@dataclass(frozen=True)
class Foreign:
    """The proxy, and the emulator behind its model `adapted`."""

    url: str
    behind: Running


@pytest.fixture(scope="package")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Foreign]:
    """The proxy, started and ended here; it calls nobody but the emulator."""
    program = os.environ.get("WORKBENCH_LITELLM")
    if not program:
        if os.environ.get("CI") == "true":
            pytest.fail("WORKBENCH_LITELLM does not name LiteLLM's executable")
        pytest.skip("WORKBENCH_LITELLM does not name LiteLLM's executable")
    folder = tmp_path_factory.mktemp("foreign")
    with running() as behind, socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        held.close()
        config = folder / "config.yaml"
        config.write_text(_CONFIG.format(said=MOCKED, upstream=behind.url, key=KEY))
        words = [program, "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
        with subprocess.Popen(
            words, cwd=folder, env=_environment(folder), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True,
        ) as process:  # fmt: skip
            try:
                _wait(process)
                yield Foreign(f"http://127.0.0.1:{port}", behind)
            finally:
                process.terminate()
                process.wait(20)


def _environment(folder: Path) -> dict[str, str]:
    """Nothing of ours, and nothing that makes it call home."""
    return {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(folder),
        "PYTHONUNBUFFERED": "1",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
        "LITELLM_TELEMETRY": "False",
        "NO_PROXY": "*",
    }


def _wait(process: subprocess.Popen[str]) -> None:
    """Until it says that it listens; its later words are read and dropped, so that it never waits for a reader."""
    assert process.stdout is not None
    said: list[str] = []
    for line in process.stdout:
        said.append(line)
        if _STARTED in line:
            threading.Thread(target=lambda: [None for _ in process.stdout or ()], daemon=True).start()
            return
    pytest.fail("LiteLLM did not start:\n" + "".join(said[-20:]))
