"""The journal: a killed process loses no edit that was kept, and nothing is applied unasked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.errors import WorkbenchError
from workbench.session.edits import EditClause, ToggleClause
from workbench.session.session import Session
from workbench.session.workspace import open_workspace

EDIT = EditClause(tenant_id="lumenor-vip", clause_id="vip-floor", text="bench_intelligence >= 0.62")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A state folder of its own."""
    return tmp_path / "state"


def test_edits_are_taken_up_again_and_the_files_are_untouched(folder: Path, kept: Path) -> None:
    first = Session(open_workspace(folder), state_folder=kept)
    first.commit(EDIT)
    first.commit(ToggleClause(tenant_id="acme-eu", clause_id="no-training", scope="tenant"))
    assert first.keep_journal()
    assert first.journal_file.path.stat().st_mode & 0o777 == 0o600
    before = (folder / "rulebook.toml").read_text()

    second = Session(open_workspace(folder), state_folder=kept)
    assert not second.dirty
    journal = second.journal_file.find()
    assert journal is not None
    assert journal.stale_files(second.workspace) == ()
    second.restore(journal)
    assert second.state.rulebook.sha256 == first.state.rulebook.sha256
    assert second.state.tenants == first.state.tenants
    assert second.dirty
    assert (folder / "rulebook.toml").read_text() == before
    assert second.undo() == "restore unsaved edits"
    assert not second.dirty
    assert not second.keep_journal()
    assert second.journal_file.find() is None


def test_a_save_ends_the_journal(folder: Path, kept: Path) -> None:
    session = Session(open_workspace(folder), state_folder=kept)
    session.commit(EDIT)
    session.keep_journal()
    session.save()
    assert not session.keep_journal()
    assert not session.journal_file.path.exists()


def test_a_file_that_changed_meanwhile_is_named(folder: Path, kept: Path) -> None:
    session = Session(open_workspace(folder), state_folder=kept)
    session.commit(EDIT)
    session.keep_journal()
    path = folder / "rulebook.toml"
    path.write_text(path.read_text() + "\n# somebody else\n")
    again = Session(open_workspace(folder), state_folder=kept)
    journal = again.journal_file.find()
    assert journal is not None
    assert journal.stale_files(again.workspace) == ("rulebook.toml",)


@pytest.mark.parametrize("content", [b"", b"null", b"{}", b'{"schema":2,"texts":{"a":"b"},"bases":{}}', b"\xff" * 100])
def test_a_journal_that_is_none_is_left_alone(folder: Path, kept: Path, content: bytes) -> None:
    session = Session(open_workspace(folder), state_folder=kept)
    session.journal_file.path.parent.mkdir(parents=True)
    session.journal_file.path.write_bytes(content)
    assert session.journal_file.find() is None
    assert session.journal_file.path.read_bytes() == content


def test_a_text_that_no_longer_fits_changes_nothing(folder: Path, kept: Path) -> None:
    session = Session(open_workspace(folder), state_folder=kept)
    session.commit(EditClause(tenant_id="acme-eu", clause_id="no-training", scope="tenant", text="no_log"))
    session.keep_journal()
    (folder / "tenants" / "acme-eu.toml").unlink()
    again = Session(open_workspace(folder), state_folder=kept)
    journal = again.journal_file.find()
    assert journal is not None
    before = again.state
    with pytest.raises(WorkbenchError):
        again.restore(journal)
    assert again.state is before


def test_after_kill_9_everything_that_was_kept_is_there(folder: Path, kept: Path) -> None:
    program = """
import os, sys
from pathlib import Path
from workbench.session.edits import EditClause
from workbench.session.session import Session
from workbench.session.workspace import open_workspace
session = Session(open_workspace(Path(sys.argv[1])), state_folder=Path(sys.argv[2]))
for k in range(200):
    floor = 0.5 + k / 1000
    session.commit(EditClause(tenant_id="lumenor-vip", clause_id="vip-floor", text=f"bench_intelligence >= {floor}"))
    session.keep_journal()
    os.write(1, f"{floor}\\n".encode())
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", program, str(folder), str(kept)], stdout=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout is not None
        seen = [process.stdout.readline() for _ in range(5)]
        process.send_signal(signal.SIGKILL)
        seen += process.stdout.readlines()
    acknowledged = float([line for line in seen if line.endswith(b"\n")][-1])
    session = Session(open_workspace(folder), state_folder=kept)
    journal = session.journal_file.find()
    assert journal is not None
    session.restore(journal)
    text = next(clause.text for clause in session.state.rulebook.by_id["vip-floor"].clauses)
    assert float(text.split()[-1]) >= acknowledged
