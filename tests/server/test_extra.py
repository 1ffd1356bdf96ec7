"""`workbench serve` without what the extra `server` brings: it names the extra, and leaves as a wrong use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("package", ["prometheus_client", "uvicorn", "httptools"])
def test_a_part_that_is_not_installed_is_named_with_its_extra(package: str, tmp_path: Path) -> None:
    script = f"import sys; sys.modules[{package!r}] = None; from workbench.cli.main import main; "
    script += "sys.exit(main(['serve', '--port', '0']))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "is not installed" in done.stderr
    assert "pip install 'policy-workbench[server]'" in done.stderr
    assert "Traceback" not in done.stderr
