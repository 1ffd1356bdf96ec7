"""The page of commands says what the commands say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import ROOT, call, environment
from tests.cli.test_ship import PRICES
from workbench.cli.catalog.group import COMMANDS as CATALOG
from workbench.cli.manual import SHAPES, manual
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


ARGUMENTS = {
    "compile": ["acme"],
    "rank": ["acme"],
    "explain": ["acme", "gpt-5.5"],
    "drill": ["acme"],
    "frontier": ["acme"],
    "export": ["acme"],
    "edit": ["acme", "free-floor", "top"],
    "catalog facts": ["openai/gpt-5.5@eu"],
    "conformance": ["-"],
    "catalog import": ["--litellm", "prices.json", "--out", "made.json", "--since", "2020-01-01"],
    "init": ["other"],
}


@pytest.mark.parametrize("name", SHAPES)
def test_what_a_command_prints_has_the_keys_of_the_page(workspace: Path, name: str) -> None:
    (workspace / "prices.json").write_text(json.dumps(PRICES))
    vectors = '{"version": "sigma-pol/v2", "vectors": []}'
    ran = call(*name.split(), *ARGUMENTS.get(name, []), "--json", cwd=workspace, stdin=vectors)
    assert tuple(ran.json) == ("schema", *SHAPES[name])


def test_every_command_has_its_keys_on_the_page() -> None:
    assert set(SHAPES) == {*COMMANDS, *(f"catalog {name}" for name in CATALOG)} - {"catalog"}
