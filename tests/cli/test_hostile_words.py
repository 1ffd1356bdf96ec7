"""Whatever stands on the command line, the answer is a result or a line, and never an error of ours."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.cli.catalog.group import COMMANDS as CATALOG
from workbench.cli.main import main
from workbench.cli.root import COMMANDS as ROOT

WORDS = [
    "", "-", "--", "..", "/dev/null", "\x00", "\udcff", "💥" * 100, "a" * 5000, "%s", "{}", "0", "-1",
    "1e999", "@", "=", "acme", "nordwind", "paid-floor", "rank", "gpt-5.5", "openai/gpt-5.5@eu",
    "price_out <= 1", "price_out <=", "region = eu", "[", '["is","no_log"]', '["policy"]', "\x1b[2J",
    "\u202e", "plan=vip", "region=", "installed", "2026-11", "workbench.toml", "--json", "--quiet",
    "--explain", "--workspace", "--rejected", "--limit", "--policy", "--filter", "--provider", "--catalog", "--sort",
    "--add", "--toggle", "--negate", "--delete", "--revert", "--duplicate", "--move", "--fact", "--scope",
    "rule", "tenant", "--out", "--force", "--name", "--date", "--since", "--litellm", "--modelsdev",
    "--evaluator", "--today", "--help", "--save",
]  # fmt: skip
"""No absolute path that one could write below: a command does what it is told."""
NAMES = [[name] for name in ROOT if name != "catalog"] + [["catalog", name] for name in CATALOG]
UNTIL_A_SIGNAL = ("emulate", "serve")
"""What would go on where the words mean something: one more word sees to it that they don't."""


@pytest.mark.parametrize("name", NAMES, ids=" ".join)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(st.sampled_from(WORDS), max_size=5))
def test_no_words_bring_it_down(
    name: list[str],
    words: list[str],
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(workspace)
    monkeypatch.setattr(sys, "stdin", None)
    code = main([*name, *(["--nonsense"] if name[0] in UNTIL_A_SIGNAL else []), *words])
    told = capsys.readouterr()
    assert code in ({0, 1, 2, 3, 4} if name == ["call"] else {0, 1, 2, 3}), told.err
    assert not {"\x1b", "\x00", "\u202e"} & set(told.out + told.err)
    if code == 2:
        assert told.out == ""
        assert len(told.err.splitlines()) == 1 or name == ["call"]  # the quote stands before the question
        if told.err.startswith("{"):
            assert json.loads(told.err)["error"]["exit_code"] == 2
