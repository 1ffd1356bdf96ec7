"""The page of commands says what the commands say."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests.calls.provider import providing
from tests.cli.command import ROOT, call, environment
from tests.cli.test_ship import PRICES
from tests.gateway.wire import answered
from tests.traces.worlds import case
from tests.tracing.filled import decided
from workbench.cli.manual import SHAPES, manual
from workbench.cli.root import COMMANDS, root
from workbench.traces.opening import open_store
from workbench.traces.record import settle

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
    "fleet": ["fleet.csv"],
    "fleet --sample": ["3", "made.csv"],
    "compare": ["acme", "globex"],
    "whatif": ["--rule", "free-floor=0.4"],
    "whatif TENANT": ["--set", "plan=business"],
    "diff": ["2026-08", "2026-11"],
    "near": ["acme", "openai/gpt-5.5@eu"],
    "near --winner": ["acme"],
    "export": ["acme"],
    "edit": ["acme", "free-floor", "top"],
    "catalog facts": ["openai/gpt-5.5@eu"],
    "conformance": ["-"],
    "catalog diff": ["2026-08", "2026-11"],
    "catalog import": ["--litellm", "prices.json", "--out", "made.json", "--since", "2020-01-01"],
    "init": ["other"],
    "token new": ["one"],
    "token show": ["one"],
    "token revoke": ["one"],
    **{
        name: [*words, "--traces", "traces.db"]
        for name, words in {
            "traces list": [],
            "traces show": ["t000001"],
            "traces show FLOW": [],
            "traces export": ["--out", "traces.jsonl"],
            "traces prune": ["--keep", "0", "--yes"],
            "replay": ["t000001"],
            "replay FLOW": [],
            "replay --all": [],
        }.items()
    },
}


@pytest.mark.parametrize("name", SHAPES)
def test_what_a_command_prints_has_the_keys_of_the_page(
    workspace: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(workspace / "state"))
    (workspace / "prices.json").write_text(json.dumps(PRICES))
    (workspace / "fleet.csv").write_text("id,plan\nacme,free\n")
    vectors = '{"version": "sigma-pol/v2", "vectors": []}'
    if name.startswith(("traces", "replay")):
        with contextlib.closing(open_store(workspace / "traces.db")) as store:
            store.finish(settle(case().record(1)))
            for node in ("flow.n1", "flow.n2"):
                decided(store, node)
    if name in {"token show", "token revoke"}:
        call("token", "new", "one", cwd=workspace)
    words = ["acme" if word == "TENANT" else word for word in name.split()]
    with providing(answered(True)) as (server,):
        more = ["acme", "hello", "--yes", "--unknown-cost", "--traces", "traces.db", "--emulator", server.url]
        ran = call(
            *words, *(more if name == "call" else []), *ARGUMENTS.get(name, []), "--json", cwd=workspace, stdin=vectors
        )
    assert tuple(ran.json) == ("schema", *SHAPES[name])


def test_every_command_has_its_keys_on_the_page() -> None:
    known = {" ".join(word for word in name.split() if word.islower() and word[0] != "-") for name in SHAPES}
    live = {"serve"}  # prints a line for each event until it is ended, and no document
    assert set(_leaves(root, "")) == known | live


def _leaves(group: click.Group, path: str) -> Iterator[str]:
    """Every command that does something by itself."""
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        if isinstance(command, click.Group):
            yield from _leaves(command, f"{path}{name} ")
        if not isinstance(command, click.Group) or command.invoke_without_command:
            yield f"{path}{name}"
