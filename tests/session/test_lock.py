"""One process works on a workspace at a time: a second is told who, and a dead one keeps nobody out."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from workbench.errors import FileRefused
from workbench.session.saving.journal import beside, journal_of, kept_by
from workbench.session.saving.lock import Holder, WorkspaceLock
from workbench.session.session import Session
from workbench.session.tenant_edits import EditFact
from workbench.session.workspace import open_workspace

ROOT = Path(__file__).resolve().parents[2]
HOLD = """
import sys
from pathlib import Path
from workbench.session.saving.lock import WorkspaceLock
lock = WorkspaceLock(Path(sys.argv[1]), Path(sys.argv[2]))
print(lock.take(), flush=True)
sys.stdin.read()
"""


@contextmanager
def elsewhere(root: Path, state: Path) -> Generator[subprocess.Popen[str]]:
    """Another process that has the workspace, until it is killed."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(root), str(state)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "None"
        try:
            yield process
        finally:
            process.kill()


def test_a_second_process_learns_who_has_it_and_a_killed_one_has_it_no_more(folder: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    lock = WorkspaceLock(folder, state)
    with elsewhere(folder, state) as process:
        assert lock.take() == Holder(process.pid)
        assert not lock.held
        assert WorkspaceLock(tmp_path, state).take() is None, "another folder is another lock"
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert lock.take() is None
        assert lock.held
    assert lock.path.stat().st_mode & 0o777 == 0o600
    assert lock.path.read_text() == f"{os.getpid()}\n"


def test_a_way_around_by_a_link_is_the_same_workspace(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "link"
    other.symlink_to(folder)
    assert WorkspaceLock(folder, tmp_path).path == WorkspaceLock(other, tmp_path).path


def test_two_sittings_of_one_process_do_not_shut_each_other_out(folder: Path, tmp_path: Path) -> None:
    first, second = WorkspaceLock(folder, tmp_path), WorkspaceLock(folder, tmp_path)
    assert first.take() is None
    assert second.take() is None
    assert (first.held, second.held) == (True, False)
    first.release()
    assert second.take() is None
    assert second.held


@pytest.mark.parametrize("content", [b"", b"\x1b[31m", b"99999999999999999999999", b"no number"])
def test_a_lock_file_that_says_nothing_of_use_still_locks(folder: Path, tmp_path: Path, content: bytes) -> None:
    lock = WorkspaceLock(folder, tmp_path)
    with elsewhere(folder, tmp_path):
        lock.path.write_bytes(content)
        holder = lock.take()
        assert holder == Holder(None)
        assert holder is not None
        assert holder.words == "another workbench"


def test_where_no_lock_can_be_made_nobody_is_shut_out(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "locks").write_text("no folder")
    assert WorkspaceLock(folder, tmp_path).take() is None


def test_a_session_that_came_second_saves_elsewhere_until_the_first_is_gone(folder: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    session = Session(open_workspace(folder), state_folder=state)
    with elsewhere(folder, state) as process:
        holder = session.hold.claim(session)
        assert holder == session.hold.other == Holder(process.pid)
        session.commit(EditFact("acme-eu", "plan", "free"))
        before = (folder / "tenants" / "acme-eu.toml").read_text()
        with pytest.raises(FileRefused, match=f"process {process.pid}"):
            session.save()
        assert (folder / "tenants" / "acme-eu.toml").read_text() == before
        assert session.keep_journal()
        own = journal_of(folder, state)
        assert not own.path.exists(), "the journal of the first is left alone"
        assert session.journal_file == beside(own)
        assert kept_by(session.journal_file.path) == os.getpid()
        process.kill()
        process.wait()
        session.save()
        assert (folder / "tenants" / "acme-eu.toml").read_text() != before
        assert session.hold.other is None


def test_a_copy_that_is_saved_is_claimed_in_turn(folder: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    session = Session(open_workspace(folder), state_folder=state)
    with elsewhere(folder, state):
        session.hold.claim(session)
        session.save_to(tmp_path / "copy")
        assert session.hold.other is None
        assert session.journal_file == journal_of(tmp_path / "copy", state)
        with elsewhere_refused(tmp_path / "copy", state) as told:
            assert str(os.getpid()) in told
    session.hold.release()


@contextmanager
def elsewhere_refused(root: Path, state: Path) -> Generator[str]:
    """What another process is told that comes second."""
    done = subprocess.run(
        [sys.executable, "-c", HOLD, str(root), str(state)], input="", capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    yield done.stdout
