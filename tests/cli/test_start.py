"""What happens before a command runs: help, version, wrong words, what is imported, how long it takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import click
import pytest

import workbench
from tests.cli.command import COMMAND, environment, lines, run
from workbench.cli.catalog.group import COMMANDS as CATALOG
from workbench.cli.groups import Entry
from workbench.cli.root import COMMANDS as ROOT

TREE = Path(__file__).resolve().parents[2]

HEAVY = ("numpy", "pydantic", "textual", "lark", "rich", "workbench.session", "workbench.engine", "workbench.catalog")


def test_help_names_every_command() -> None:
    ran = run("--help")
    assert ran.code == 0
    assert ran.err == ""
    for name, entry in ROOT.items():
        assert any(line.split()[:1] == [name] and entry.summary in line for line in lines(ran.out)), name
    assert "Exit codes" in ran.out


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["nonsense"], ["--nonsense"]])
def test_nothing_heavy_is_imported_before_a_command_runs(words: list[str]) -> None:
    code = (
        "import sys, json\nfrom workbench.cli.main import main\nmain(sys.argv[1:])\n"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, env=environment(), check=True, text=True
    )
    loaded = set(json.loads(lines(done.stderr)[-1]))
    assert not {name for name in loaded for heavy in HEAVY if name == heavy or name.startswith(f"{heavy}.")}


def test_help_is_quick() -> None:
    """Processor time, which other processes on the machine do not add to; on an idle one it is the wall's too."""

    def once() -> float:
        before = os.times()
        subprocess.run([*COMMAND, "--help"], stdout=subprocess.DEVNULL, env=environment(), check=True)
        after = os.times()
        return after.children_user - before.children_user + after.children_system - before.children_system

    once()
    assert min(once() for _ in range(10)) <= 0.15


@pytest.mark.parametrize("entries", [ROOT, CATALOG], ids=["workbench", "catalog"])
def test_the_table_of_commands_says_what_the_commands_say(entries: dict[str, Entry]) -> None:
    for name, entry in entries.items():
        command = import_module(entry.module).command
        assert isinstance(command, click.Command)
        assert (command.name, command.short_help) == (name, entry.summary)


def test_version() -> None:
    ran = run("--version")
    assert ran.code == 0
    assert ran.out.startswith("workbench ")
    assert len(lines(ran.out)) == 1


def test_the_version_is_the_one_that_pyproject_states(tmp_path: Path) -> None:
    stated = tomllib.loads((TREE / "pyproject.toml").read_text())["project"]["version"]
    assert workbench.__version__ == stated
    assert run("--version", cwd=tmp_path).out == f"workbench {stated}\n"


def test_a_workspace_that_is_not_there_is_a_wrong_word(tmp_path: Path) -> None:
    for words in (["check"], ["tenants"], ["catalog", "show"]):
        ran = run(*words, "-C", tmp_path / "nonexist")
        assert (ran.code, ran.out) == (2, "")
        assert len(lines(ran.err)) == 1
        assert "there is no folder" in ran.err


@pytest.mark.parametrize(
    ("words", "reason", "hint"),
    [
        (["chek"], "no such command `chek`", "did you mean `check`?"),
        (["zzzzz"], "no such command `zzzzz`", "`workbench --help` lists them"),
        (["catalog", "shwo"], "no such command `shwo`", "did you mean `show`?"),
        (["catalog"], "missing command", "write `workbench catalog [OPTIONS] COMMAND [ARGS]...`"),
        (["--jsn"], "no such option `--jsn`", "did you mean `--json`?"),
        (["rank", "--tenant", "acme-eu"], "no such option `--tenant`", "write `workbench rank [OPTIONS] TENANT`"),
        (["rank", "acme-eu", "--rejcted"], "no such option `--rejcted`", "did you mean `--rejected`?"),
        (["rank"], "`TENANT` is missing", "write `workbench rank [OPTIONS] TENANT`"),
        (["rank", "acme-eu", "--limit", "many"], "`--limit` can't be used: `many` is not a valid integer range", None),
        (["rank", "acme-eu", "two"], "got unexpected extra argument (two)", None),
        (["conformance", "x", "--evaluator", "no"], "`--evaluator` can't be used: `no` is not one of", None),
        (["rank", "acme-e"], "there is no tenant `acme-e`", "did you mean `acme-eu`?"),
        (["tenants", "--sort", "wiiner"], "there is no column `wiiner`", "did you mean `winner`?"),
        (["catalog", "show", "--provider", "opnai"], "the catalog has no provider `opnai`", "did you mean `openai`?"),
        (["catalog", "show", "--catalog", "2026-1"], "there is no catalog `2026-1`", "did you mean `2026-11`?"),
    ],
)
def test_wrong_words_are_told_in_one_line_with_a_way_out(words: list[str], reason: str, hint: str | None) -> None:
    ran = run(*words)
    assert ran.code == 2
    assert ran.out == ""
    assert len(lines(ran.err)) == 1
    assert ran.err.startswith(f"workbench: {reason}")
    if hint is not None:
        assert ran.err.rstrip().endswith(hint)
    told = run(*words, "--json") if words != ["catalog"] else run("--json", *words)
    assert told.code == 2
    assert told.out == ""
    [finding] = told.error["findings"]
    assert finding["reason"].startswith(reason)
    assert finding["severity"] == "error"


def test_a_word_after_two_dashes_is_no_option() -> None:
    ran = run("rank", "--", "--json")
    assert ran.code == 2
    assert "there is no tenant `--json`" in ran.err
    assert not ran.err.startswith("{")


@pytest.mark.parametrize("place", ["before", "after"])
def test_the_common_options_may_stand_on_either_side(place: str, workspace: Path) -> None:
    common = ["--json", "--workspace", str(workspace)]
    words = [*common, "tenants"] if place == "before" else ["tenants", *common]
    assert [row["id"] for row in run(*words).json["tenants"]] == ["acme", "globex", "nordwind"]


def test_the_app_needs_a_terminal() -> None:
    ran = run()
    assert ran.code == 2
    assert "needs a terminal" in ran.err
    assert run("--json").error["findings"][0]["code"] == "no_terminal"


def test_python_dash_m_is_the_same_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "workbench", "--version"], capture_output=True, env=environment(), check=True, text=True
    )
    assert done.stdout == run("--version").out


def test_shell_completion_offers_tenants_and_offers(workspace: Path) -> None:
    def complete(*words: str) -> list[str]:
        ran = run(
            cwd=workspace, _WORKBENCH_COMPLETE="bash_complete", COMP_WORDS=" ".join(["workbench", *words]),
            COMP_CWORD=str(len(words)),
        )  # fmt: skip
        assert ran.err == ""
        return [line.partition(",")[2] for line in lines(ran.out) if line]

    assert complete("rank", "") == ["acme", "globex", "nordwind"]
    assert complete("rank", "n") == ["nordwind"]
    offers = complete("explain", "acme", "gpt-5.5")
    assert offers
    assert all("gpt-5.5" in offer for offer in offers)
    assert "--rejected" in complete("rank", "--re")
    (workspace / "workbench.toml").write_text("not toml at all [")
    assert complete("rank", "") == []
