"""Runs the real command: in a process of its own (`run`), or in this one where starting is not in question (`call`)."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from workbench.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "workbench.cli.main"]
SAMPLE = ROOT / "sample_tenants"


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """What it printed, as JSON with the schema number that every document has."""
        document = json.loads(self.out)
        assert document["schema"] == 1
        return document

    @property
    def error(self) -> dict[str, Any]:
        """The error it printed, as JSON."""
        document = json.loads(self.err)
        assert document["schema"] == 1
        assert document["error"]["exit_code"] == self.code
        return document["error"]


def environment(**changes: str) -> dict[str, str]:
    """This process's environment with the package on the path and nothing that colours or completes."""
    kept = {key: value for key, value in os.environ.items() if key not in {"NO_COLOR", "COLUMNS", "LINES", "TERM"}}
    return {**kept, "PYTHONPATH": str(ROOT), **changes}


def run(*words: str | Path, cwd: Path | None = None, stdin: str | bytes = b"", **changes: str) -> Ran:
    """Run `workbench` with these words; `changes` are of the environment."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    done = subprocess.run(
        [*COMMAND, *map(str, words)], cwd=cwd, input=data, capture_output=True, env=environment(**changes), check=False,
        timeout=60,
    )  # fmt: skip
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def call(*words: str | Path, cwd: Path | None = None, stdin: str | bytes = b"") -> Ran:
    """The same in this process, through the same way in: no start-up to pay for."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    out, err = io.StringIO(), io.StringIO()
    given = io.TextIOWrapper(io.BytesIO(data))
    with (
        contextlib.chdir(cwd or Path.cwd()),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch("sys.stdin", given),
    ):
        code = main([str(word) for word in words])
    return Ran(code, out.getvalue(), err.getvalue())


def lines(text: str) -> list[str]:
    """The lines of a text."""
    return text.splitlines()
