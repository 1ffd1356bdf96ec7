"""An error of ours: one line, exit 5, and a report that holds places and no values."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import environment, lines
from workbench.cli import diagnostics, report

CANARY = "sk-canary-5f1d2c"

BROKEN = f"""
import sys
from workbench.cli import root
from workbench.cli.main import main

def fail():
    secret = "{CANARY}"
    raise KeyError(secret)

root.root.callback = fail
root.root.invoke = lambda ctx: fail()
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("as_json", [False, True])
def test_a_mistake_of_ours_is_one_line_and_a_report_without_values(tmp_path: Path, as_json: bool) -> None:
    words = ["--json"] if as_json else []
    done = subprocess.run(
        [sys.executable, "-c", BROKEN, *words],
        capture_output=True,
        env=environment(XDG_STATE_HOME=str(tmp_path), OPENAI_API_KEY=CANARY),
        text=True,
        check=False,
    )
    assert done.returncode == 5
    assert done.stdout == ""
    assert len(lines(done.stderr)) == 1
    assert "Traceback" not in done.stderr
    assert "KeyError" in done.stderr
    [path] = (tmp_path / "policy-workbench" / "reports").iterdir()
    assert str(path) in done.stderr
    assert path.stat().st_mode & 0o777 == 0o600
    text = path.read_text()
    assert "builtins.KeyError" in text
    assert "in fail" in text
    assert CANARY not in text + done.stderr
    assert str(Path.home()) not in text


def test_the_report_follows_the_chain_of_causes() -> None:
    later = RuntimeError("later")
    later.__cause__ = ValueError(CANARY)
    text = "\n".join(report.report(later))
    assert text.index("RuntimeError") < text.index("ValueError")
    assert CANARY not in text


def test_no_place_for_a_report_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(blocked))
    monkeypatch.setattr("tempfile.tempdir", str(blocked))
    assert report.write_report(ValueError()) is None


def test_exit_codes_of_what_is_raised(capsys: pytest.CaptureFixture[str]) -> None:
    from workbench import errors

    def raising(error: BaseException) -> int:
        def run() -> int:
            raise error

        return diagnostics.guarded(run, as_json=False)

    assert raising(errors.NoCandidate("nobody")) == 3
    assert raising(errors.ProviderFailure("down")) == 4
    assert raising(errors.UsageError("wrong")) == 2
    assert raising(errors.CatalogError("odd")) == 1
    assert raising(KeyboardInterrupt()) == 130
    assert raising(diagnostics.Stopped(15)) == 143
    assert capsys.readouterr().err.splitlines() == [
        "workbench: nobody",
        "workbench: down",
        "workbench: wrong",
        "workbench: odd",
    ]


def test_an_end_that_was_asked_for_is_no_mistake_of_ours_whatever_was_made_of_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def importing() -> int:
        raise RuntimeError("Error calling __set_name__") from diagnostics.Stopped(15)

    assert diagnostics.guarded(importing, as_json=False) == 143
    assert capsys.readouterr().err == ""
