"""The page of commands says what the commands say."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.cli.command import ROOT, environment
from workbench.cli.manual import manual
from workbench.cli.root import COMMANDS

PAGE = ROOT / "docs" / "commands.md"


def test_the_page_is_what_the_commands_say_now() -> None:
    assert PAGE.read_text(encoding="utf-8") == manual(), "run `python -m workbench.cli.manual > docs/commands.md`"


def test_every_command_has_a_section() -> None:
    headings = {line.removeprefix("## ") for line in manual().splitlines() if line.startswith("## ")}
    assert {f"workbench {name}" for name in COMMANDS} < headings
    assert "workbench catalog show" in headings


def test_the_script_prints_the_page_whatever_the_terminal() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "workbench.cli.manual"],
        capture_output=True,
        env=environment(COLUMNS="40", LC_ALL="C", PYTHONIOENCODING="utf-8"),
        check=True,
    )
    assert done.stdout.decode().replace(os.linesep, "\n") == manual()
