"""Reading and writing files: RELIABILITY E1, E4, E6, E11 and rows 30, 41 of its section 3."""

from __future__ import annotations

import errno
import hashlib
import os
import resource
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from workbench.boundary import temporary
from workbench.boundary.files import (
    CODES,
    Saved,
    read_bytes,
    read_stamped,
    save_over,
    stamp,
    sweep_leftovers,
    write_atomic,
)
from workbench.errors import FileRefused

ROOT = Path(__file__).parents[2]
KILLS = 340 if os.environ.get("WORKBENCH_SOAK") == "1" else 20
"""For each of three sizes."""


def code_of(error: pytest.ExceptionInfo[FileRefused]) -> str:
    (finding,) = error.value.findings
    assert finding.code in CODES
    assert finding.place.source
    return finding.code


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


@pytest.fixture(params=["folder", "pipe", "socket", "device"])
def special(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "special"
    if request.param == "folder":
        path.mkdir()
    elif request.param == "pipe":
        os.mkfifo(path)
    elif request.param == "device":
        path = Path("/dev/null")
    else:
        with socket.socket(socket.AF_UNIX) as server:
            folder = os.open(tmp_path, os.O_RDONLY)  # the name of a socket has to be short
            server.bind(f"/proc/self/fd/{folder}/special")
            os.close(folder)
            yield path
        return
    yield path


def test_only_regular_files_are_touched(special: Path) -> None:
    before = special.lstat()
    for touch in (
        lambda: read_bytes(special, max_bytes=10),
        lambda: stamp(special),
        lambda: write_atomic(special, b"x"),
        lambda: write_atomic(special, b"x", follow_link=False, overwrite=False),
        lambda: save_over(special, b"x", None),
    ):
        with pytest.raises(FileRefused) as caught:
            touch()
        assert code_of(caught) == "not_regular"
    assert special.lstat().st_mode == before.st_mode


def test_a_file_is_read_within_its_bound(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"12345")
    assert read_bytes(path, max_bytes=5) == b"12345"
    with pytest.raises(FileRefused) as caught:
        read_bytes(path, max_bytes=4)
    assert code_of(caught) == "too_large"
    with pytest.raises(FileRefused) as caught:
        read_bytes(tmp_path / "none", max_bytes=4)
    assert code_of(caught) == "missing"
    with pytest.raises(FileRefused) as caught:
        read_bytes(Path("a\x00b"), max_bytes=4)
    assert code_of(caught) == "name"


def test_size_is_looked_at_before_reading(tmp_path: Path) -> None:
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(FileRefused) as caught:
        read_bytes(path, max_bytes=1000)
    assert code_of(caught) == "too_large"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="a file that has more than its size says")
def test_what_a_file_has_beyond_its_size_is_read_within_the_bound() -> None:
    file = Path("/proc/self/status")
    assert file.stat().st_size == 0
    assert b"VmRSS" in read_bytes(file, max_bytes=100_000)
    with pytest.raises(FileRefused) as caught:
        read_bytes(file, max_bytes=100)
    assert code_of(caught) == "too_large"


def test_a_stamp_tells_every_change(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"one")
    data, first = read_stamped(path, max_bytes=10)
    assert data == b"one"
    assert first == stamp(path)
    assert first.sha256 == hashlib.sha256(b"one").hexdigest()
    assert first.same_file(path.stat())
    path.write_bytes(b"two")
    os.utime(path, ns=(first.mtime_ns, first.mtime_ns))
    assert stamp(path) != first


def test_a_write_is_whole_and_leaves_nothing_beside(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    assert write_atomic(path, b"one") == path
    assert write_atomic(path, b"two") == path
    assert path.read_bytes() == b"two"
    assert names(tmp_path) == ["a.toml"]


def test_without_overwrite_an_existing_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write_atomic(path, b"one", overwrite=False)
    with pytest.raises(FileRefused) as caught:
        write_atomic(path, b"two", overwrite=False)
    assert code_of(caught) == "exists"
    assert path.read_bytes() == b"one"
    assert names(tmp_path) == ["a"]


def saved_over(path: Path, data: bytes) -> object:
    return save_over(path, data, None)


@pytest.mark.parametrize("save", [write_atomic, saved_over])
def test_the_mode_is_kept(save: Callable[[Path, bytes], object], tmp_path: Path) -> None:
    for mode in (0o600, 0o640, 0o444, 0o755):
        path = tmp_path / f"m{mode:o}"
        path.write_bytes(b"new")
        path.chmod(mode)
        save(path, b"new")
        assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_new_file_has_the_mode_of_the_umask_or_the_one_asked_for(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        assert stat.S_IMODE(write_atomic(tmp_path / "plain", b"").stat().st_mode) == 0o640
        assert stat.S_IMODE(save_over(tmp_path / "saved", b"", None).path.stat().st_mode) == 0o640
        assert stat.S_IMODE(write_atomic(tmp_path / "secret", b"", mode=0o600).stat().st_mode) == 0o600
    finally:
        os.umask(before)


def test_a_links_target_is_replaced_and_the_link_kept(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    target = tmp_path / "there" / "real"
    target.write_bytes(b"old")
    link = tmp_path / "link"
    link.symlink_to(Path("there") / "real")
    assert write_atomic(link, b"new") == target
    assert (link.is_symlink(), target.read_bytes()) == (True, b"new")
    assert save_over(link, b"newer", stamp(link)).path == target
    assert (link.is_symlink(), target.read_bytes()) == (True, b"newer")
    with pytest.raises(FileRefused) as caught:
        write_atomic(link, b"export", follow_link=False)
    assert code_of(caught) == "link"
    assert target.read_bytes() == b"newer"
    (tmp_path / "dangling").symlink_to("nowhere")
    with pytest.raises(FileRefused):
        write_atomic(tmp_path / "dangling", b"export", follow_link=False)
    assert not (tmp_path / "nowhere").exists()


def test_a_long_name_can_be_saved(tmp_path: Path) -> None:
    path = tmp_path / ("é" * 120 + ".toml")
    base = save_over(path, b"one", None).stamp
    assert save_over(path, b"two", base).conflict is None
    assert names(tmp_path) == [path.name]


@pytest.mark.parametrize("where", ["missing folder", "file as folder"])
def test_a_place_that_cannot_be_written_is_named(where: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    path = tmp_path / ("none" if where == "missing folder" else "file") / "a"
    for write in (lambda: write_atomic(path, b"x"), lambda: save_over(path, b"x", None)):
        with pytest.raises(FileRefused) as caught:
            write()
        assert code_of(caught) == "missing"


LIMITED = """
import resource, signal, sys
from pathlib import Path
from workbench.boundary.files import save_over, stamp, write_atomic
from workbench.errors import FileRefused
path = Path(sys.argv[1])
base = stamp(path)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
for write in (lambda: write_atomic(path, b"x" * 5000), lambda: save_over(path, b"x" * 5000, base)):
    try:
        write()
    except FileRefused as error:
        print(error.findings[0].code)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(save_over(path, b"x" * 5000, base).conflict)
"""


def test_a_full_disk_leaves_the_original_and_a_later_save_works(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"original")
    done = subprocess.run([sys.executable, "-c", LIMITED, path], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["full", "full", "None"]
    assert path.read_bytes() == b"x" * 5000
    assert names(tmp_path) == ["a"]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A folder in which the test is an ordinary user: root could write wherever it likes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        root = os.geteuid() == 0
        if root:
            os.seteuid(65534)
        try:
            yield folder
        finally:
            if root:
                os.seteuid(0)
            folder.chmod(0o777)


def test_a_read_only_folder_is_named_and_the_file_intact(unprivileged: Path) -> None:
    path = unprivileged / "a"
    base = save_over(path, b"original", None).stamp
    if os.geteuid() == 65534:
        os.seteuid(0)
        unprivileged.chmod(0o555)
        os.seteuid(65534)
    else:
        unprivileged.chmod(0o555)
    for write in (lambda: write_atomic(path, b"x"), lambda: save_over(path, b"x", base)):
        with pytest.raises(FileRefused) as caught:
            write()
        assert code_of(caught) == "denied"
    assert path.read_bytes() == b"original"


def test_an_unreadable_file_is_named(unprivileged: Path) -> None:
    path = unprivileged / "a"
    write_atomic(path, b"x", mode=0o200)
    with pytest.raises(FileRefused) as caught:
        read_bytes(path, max_bytes=10)
    assert code_of(caught) == "denied"


SAVER = """
import sys
from pathlib import Path
from workbench.boundary.files import save_over, stamp, write_atomic
path, size = Path(sys.argv[1]), int(sys.argv[2])
print("ready", flush=True)
turn = 0
while True:
    turn += 1
    content = (b"%020d\\n" % turn) * (size // 21 + 1)
    if turn % 2:
        write_atomic(path, content)
    else:
        save_over(path, content, stamp(path))
    print(turn, flush=True)
"""


@pytest.mark.parametrize("size", [1_000, 100_000, 4_000_000])
def test_a_kill_at_any_moment_leaves_the_old_or_the_new_content(size: int, tmp_path: Path) -> None:
    """At moments spread over the steps of a save: after so many acknowledged saves, and so many steps of ours."""
    path = tmp_path / "a.toml"
    for kill in range(KILLS):
        path.write_bytes((b"%020d\n" % 0) * (size // 21 + 1))
        with subprocess.Popen(
            [sys.executable, "-c", SAVER, path, str(size)], cwd=ROOT, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            for _ in range(1 + kill % 5):
                process.stdout.readline()
            for _ in range(kill % 100 * 700):  # a delay counted in steps, to fall elsewhere each time
                pass
            process.send_signal(signal.SIGKILL)
            acknowledged = [int(line) for line in process.stdout.read().split() if line.isdigit()]
        lines = path.read_bytes().splitlines()
        assert len(set(lines)) == 1, "old and new are mixed"
        assert len(lines) == size // 21 + 1
        assert int(lines[0]) >= max(acknowledged, default=0), "an acknowledged save is lost"
        swept = sweep_leftovers(tmp_path)
        assert swept.conflicts == ()
        assert names(tmp_path) == ["a.toml"]


KILLED_BEFORE_EVERY_LINE = """
import ctypes  # beforehand, so that its own many lines are not among those killed at
import os, signal, sys
from pathlib import Path
from workbench.boundary import temporary
from workbench.boundary.files import save_over, stamp, sweep_leftovers, write_atomic

folder, how, swaps = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "swap"
path = folder / "a.toml"
if not swaps:
    temporary.exchange = lambda made, target: False

def child(last):
    seen = 0
    def trace(frame, event, argument):
        nonlocal seen
        if event == "line":
            seen += 1
            if seen == last:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace
    base = stamp(path)
    sys.settrace(trace)
    write_atomic(path, b"new") if how == "write" else save_over(path, b"new", base)
    sys.settrace(None)
    os._exit(0)

line = killed = 0
while True:
    line += 1
    path.write_bytes(b"old")
    pid = os.fork()
    if not pid:
        child(line)
    status = os.waitpid(pid, 0)[1]
    found = path.read_bytes()
    assert found in (b"old", b"new"), (line, found)
    swept = sweep_leftovers(folder)
    assert swept.conflicts == (), (line, swept)
    assert os.listdir(folder) == ["a.toml"], (line, os.listdir(folder))
    if status == 0:
        assert found == b"new"
        break
    assert os.WTERMSIG(status) == signal.SIGKILL
    killed += 1
print(killed)
"""


@pytest.mark.parametrize(("how", "swaps"), [("write", "swap"), ("save", "swap"), ("save", "second name")])
def test_a_kill_before_any_line_leaves_the_old_or_the_new_content(how: str, swaps: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED_BEFORE_EVERY_LINE, tmp_path, how, swaps],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 50


def test_what_another_program_wrote_is_kept_and_named(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(b"base")
    base = stamp(path)
    path.write_bytes(b"theirs")
    saved = save_over(path, b"ours", base)
    assert path.read_bytes() == b"ours"
    assert saved.conflict is not None
    assert saved.conflict.name.startswith("a.toml.conflict-")
    assert saved.conflict.read_bytes() == b"theirs"
    assert saved.stamp == stamp(path)
    assert save_over(path, b"ours again", saved.stamp).conflict is None
    assert names(tmp_path) == ["a.toml", saved.conflict.name]


def test_two_conflicts_in_a_second_have_two_names(tmp_path: Path) -> None:
    path = tmp_path / "a"
    kept: set[Path | None] = set()
    for turn in range(5):
        path.write_bytes(b"theirs %d" % turn)
        kept.add(save_over(path, b"ours", None).conflict)
    assert len(kept) == 5
    assert {file.read_bytes() for file in kept if file} == {b"theirs %d" % turn for turn in range(5)}


def test_a_file_that_vanished_is_written_anew_and_the_same_content_is_no_conflict(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"base")
    base = stamp(path)
    path.unlink()
    assert save_over(path, b"ours", base).conflict is None
    path.write_bytes(b"same")
    assert save_over(path, b"same", base).conflict is None


Writer = Callable[[Path, bytes], None]


def truncating(path: Path, text: bytes) -> None:
    path.write_bytes(text)


def renaming(path: Path, text: bytes) -> None:
    other = path.with_name("theirs.tmp")
    other.write_bytes(text)
    other.replace(path)


def vanishing(path: Path, text: bytes) -> None:
    kept = path.with_name("moved")
    path.rename(kept)
    kept.write_bytes(text)


def cannot_swap(made: Path, target: Path) -> bool:
    return False


WRITERS: tuple[Writer, ...] = (truncating, renaming, vanishing)
MOMENTS = ("write", "swap_name", "link_new", "exchange", "second_name", "sync_folder")


@pytest.mark.parametrize("swaps", [True, False], ids=["swap", "second name"])
@pytest.mark.parametrize("writer", WRITERS, ids=["truncating", "renaming", "vanishing"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_no_edit_is_lost_whenever_another_program_writes(
    moment: str, writer: Writer, swaps: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another writer strikes once, just before the given step of our save; its text must survive somewhere."""
    path = tmp_path / "a"
    path.write_bytes(b"base")
    base = stamp(path)
    struck: list[bool] = []
    original = getattr(temporary, moment)

    def step(*arguments: object) -> object:
        if not struck:
            struck.append(True)
            writer(path, b"theirs")
        return original(*arguments)

    if not swaps:
        monkeypatch.setattr(temporary, "exchange", cannot_swap)
    if moment != "exchange" or swaps:
        monkeypatch.setattr(temporary, moment, step)
    saved = save_over(path, b"ours", base)
    assert isinstance(saved, Saved)
    contents = [file.read_bytes() for file in tmp_path.iterdir()]
    assert moment == "sync_folder" or path.read_bytes() == b"ours"  # a write after the swap is simply the next one
    if struck:
        assert b"theirs" in contents
    assert not [name for name in names(tmp_path) if name.endswith((".wbtmp", ".wbswap"))]


HOSTILE_WRITER = """
import sys
from pathlib import Path
path, kind = Path(sys.argv[1]), sys.argv[2]
print("ready", flush=True)
for turn in range(300):
    text = b"theirs %d" % turn
    if kind == "truncating":
        path.write_bytes(text)
    else:
        other = path.with_name("theirs.tmp")
        other.write_bytes(text)
        other.replace(path)
    seen = path.read_bytes()
    if seen != text:
        print("overtaken", turn, flush=True)
"""


@pytest.mark.parametrize("kind", ["renaming", "truncating"])
def test_a_hostile_writer_beside_us_loses_nothing(kind: str, tmp_path: Path) -> None:
    """Each of its texts is ours to keep unless it replaced it itself: one it saw overtaken must be a conflict file."""
    path = tmp_path / "a"
    path.write_bytes(b"base")
    base = stamp(path)
    conflicts: list[Path] = []
    with subprocess.Popen(
        [sys.executable, "-c", HOSTILE_WRITER, path, kind], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        turn = 0
        while process.poll() is None:
            turn += 1
            saved = save_over(path, b"ours %d" % turn, base)
            base = saved.stamp
            if saved.conflict:
                conflicts.append(saved.conflict)
        overtaken = [
            int(line.split()[1]) for line in process.stdout.read().splitlines() if line.startswith("overtaken")
        ]
        assert process.returncode == 0
    # read only now: a writer that had opened the file before the swap was still writing into what became the conflict
    kept = {file.read_bytes() for file in (path, *conflicts)}
    assert {b"theirs %d" % number for number in overtaken} <= kept


GONE = 2**22 + 1
"""Above the largest PID the system hands out."""


def test_leftovers_of_dead_processes_are_swept_and_displaced_versions_kept(tmp_path: Path) -> None:
    old, new = hashlib.sha256(b"old").hexdigest(), hashlib.sha256(b"new").hexdigest()
    swap = f"00000000-1.{old[:16]}-{new[:16]}.wbswap"
    for name, content in {
        f".a.{GONE}-00000000-1.wbtmp": b"half",
        f".b.{GONE}-{swap}": b"old",
        f".c.{GONE}-{swap}": b"new",
        f".d.{GONE}-{swap}": b"theirs",
        f".e.{os.getpid()}-00000000-1.wbtmp": b"an earlier process with our PID",
        f".f.{os.getppid()}-00000000-1.wbtmp": b"of a living process",
        ".g.wbtmp": b"not ours",
        "h.toml": b"a file",
    }.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / f".i.{GONE}-00000000-1.wbtmp").symlink_to("h.toml")
    ours = temporary.write(tmp_path / "j", b"in flight", None)
    swept = sweep_leftovers(tmp_path)
    assert [path.name.split(".")[1] for path in swept.removed] == ["a", "b", "c", "e"]
    assert [path.read_bytes() for path in swept.conflicts] == [b"theirs"]
    assert swept.conflicts[0].name.startswith("d.conflict-")
    left = {name.split(".")[1] for name in names(tmp_path) if name.startswith(".")}
    assert left == {"f", "g", "i", "j"}
    assert ours.exists()
    assert sweep_leftovers(tmp_path / "none") == type(swept)()


def test_an_error_in_the_middle_leaves_neither_change_nor_leftover(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"original")
    base = stamp(path)

    def broken(handle: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", broken)
    for write in (lambda: write_atomic(path, b"x"), lambda: save_over(path, b"x", base)):
        with pytest.raises(FileRefused) as caught:
            write()
        assert code_of(caught) == "io"
    assert path.read_bytes() == b"original"
    assert names(tmp_path) == ["a"]
