"""What leaves no trace outside: no core file of a process of ours, and no log of keys that Textual would write."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import environment, run

resource = pytest.importorskip("resource", reason="not on Windows")

CHILD = """
import json, os, resource, sys
hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
from workbench.cli.main import main
code = main(["--version"])
from textual.constants import LOG_FILE
soft, still = resource.getrlimit(resource.RLIMIT_CORE)
print(json.dumps([code, hard, soft, still, os.environ.get("TEXTUAL_LOG"), LOG_FILE]))
"""


def test_a_process_of_ours_leaves_no_core_and_no_log_of_keys(tmp_path: Path) -> None:
    log = tmp_path / "keys.log"
    done = subprocess.run(
        [sys.executable, "-c", CHILD], capture_output=True, env=environment(TEXTUAL_LOG=str(log)), check=True, text=True
    )
    code, before, soft, hard, variable, file = json.loads(done.stdout.splitlines()[-1])
    if before == 0:
        pytest.skip("no process may write a core file here")
    assert (code, soft, hard) == (0, 0, before)  # whoever debugs may raise it again
    assert (variable, file) == (None, None)
    assert done.stderr.splitlines() == ["TEXTUAL_LOG is ignored: a log of keys and events would hold what you type"]
    assert not log.exists()


def test_nothing_is_said_where_nothing_is_ignored() -> None:
    ran = run("--version", TEXTUAL_LOG="")
    assert (ran.code, ran.err) == (0, "")
