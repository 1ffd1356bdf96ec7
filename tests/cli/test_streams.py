"""stdout and stderr: terminals, pipes, colours, signals, the same bytes everywhere."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
from fcntl import ioctl
from pathlib import Path

import pytest

from tests.cli.command import COMMAND, SAMPLE, environment, lines, run
from workbench.cli import layout

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
LISTS = [["tenants"], ["rank", "ladle-free"], ["explain", "acme-eu", "gpt-5.5"], ["catalog", "show"], ["check"]]


def on_terminal(*words: str, columns: int = 80, **changes: str) -> tuple[int, str]:
    """Exit code and what a terminal of that width is sent; stderr goes there too."""
    master, slave = pty.openpty()
    ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        [*COMMAND, *words], stdin=slave, stdout=slave, stderr=slave, close_fds=True,
        env=environment(**{"TERM": "xterm-256color", **changes}),
    )  # fmt: skip
    os.close(slave)
    data = b""
    while select.select([master], [], [], 30)[0]:
        try:
            chunk = os.read(master, 65536)
        except OSError:
            break
        if not chunk:
            break
        data += chunk
    os.close(master)
    return process.wait(30), data.decode().replace("\r\n", "\n")


def test_alone_on_a_terminal_it_is_the_app_until_one_leaves() -> None:
    master, slave = pty.openpty()
    ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        COMMAND, stdin=slave, stdout=slave, stderr=slave, close_fds=True, env=environment(TERM="xterm-256color")
    )
    os.close(slave)
    shown = b""
    while b"acme-eu" not in shown:
        assert select.select([master], [], [], 30)[0], shown
        shown += os.read(master, 65536)
    os.write(master, b"q")
    while select.select([master], [], [], 30)[0]:
        try:
            if not os.read(master, 65536):
                break
        except OSError:
            break
    os.close(master)
    assert process.wait(30) == 0
    assert b"Traceback" not in shown


@pytest.mark.parametrize("columns", [40, 80, 200])
@pytest.mark.parametrize("words", LISTS, ids=lambda words: words[0])
def test_a_table_on_a_terminal_keeps_to_its_width_and_marks_what_is_cut(words: list[str], columns: int) -> None:
    code, shown = on_terminal(*words, columns=columns)
    plain = ESCAPE.sub("", shown)
    whole = run(*words)
    assert code == whole.code
    rows = [line for line in lines(plain) if not line.startswith(("note: ", "workbench: "))]
    assert max(map(layout.cells, rows)) <= columns
    if max(map(layout.cells, lines(whole.out))) > columns:
        assert layout.MARK in plain


def test_into_a_pipe_goes_everything_and_plain() -> None:
    for words in LISTS:
        ran = run(*words)
        assert "\x1b" not in ran.out + ran.err
        assert layout.MARK not in re.sub("… and [0-9]+ more", "", ran.out)


def test_headings_stand_out_on_a_terminal_unless_colour_is_not_wanted() -> None:
    assert ESCAPE.search(on_terminal("tenants")[1])
    assert not ESCAPE.search(on_terminal("tenants", NO_COLOR="1")[1])
    assert not ESCAPE.search(on_terminal("tenants", "--no-color")[1])
    assert not ESCAPE.search(on_terminal("tenants", TERM="dumb")[1])


def test_verdicts_have_a_sign_and_a_word() -> None:
    out = run("explain", "acme-eu", "openai/gpt-5.5@us").out
    assert "✗ FAIL" in out
    assert "✓ pass" in out


@pytest.mark.parametrize(
    "words",
    [
        ["tenants", "--json"], ["tenants"], ["compile", "halvorsen"], ["compile", "halvorsen", "--explain", "--json"],
        ["rank", "ladle-free", "--json"], ["rank", "alba-clinic", "--rejected"],
        ["explain", "acme-eu", "gpt-5.5", "--json"],
        ["catalog", "show", "--json"], ["catalog", "fields", "--json"], ["check", "--json"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_the_same_bytes_whatever_the_hash_seed_and_the_locale(words: list[str]) -> None:
    settings = [
        {"PYTHONHASHSEED": "0", "LC_ALL": "C"},
        {"PYTHONHASHSEED": "1", "LC_ALL": "C.UTF-8"},
        {"PYTHONHASHSEED": "2", "LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"},
        {"PYTHONHASHSEED": "3", "LC_ALL": "POSIX", "PYTHONIOENCODING": "latin-1", "COLUMNS": "30", "TZ": "Asia/Tokyo"},
    ]
    seen = {(ran.code, ran.out, ran.err) for ran in (run(*words, cwd=None, **setting) for setting in settings)}
    assert len(seen) == 1


def test_json_has_the_same_bytes_on_a_terminal() -> None:
    assert on_terminal("tenants", "--json", columns=40)[1] == run("tenants", "--json").out


@pytest.mark.parametrize("words", [["rank", "ladle-free", "--json"], ["rank", "alba-clinic", "--rejected"], ["--help"]])
def test_a_reader_who_leaves_early_is_no_error(words: list[str]) -> None:
    process = subprocess.Popen(
        [*COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    err = process.stderr.read().decode()
    process.stderr.close()
    assert "Traceback" not in err
    assert "BrokenPipe" not in err
    assert process.wait(30) == run(*words).code


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_told_and_not_taken_for_success() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "tenants", "--json"],
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(),
            check=False,
            text=True,
        )
    assert done.returncode == 5
    assert len(lines(done.stderr)) == 1
    assert "no space left" in done.stderr.lower()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=["int", "term", "hup"]
)
def test_a_signal_ends_it_quietly_with_its_own_code(number: signal.Signals, code: int) -> None:
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [*COMMAND, "conformance", "-"], stdin=reader, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    )
    os.close(reader)
    _wait_for_read(process.pid)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    os.close(writer)
    assert (process.returncode, out, err.strip()) == (code, b"", b"")


def _wait_for_read(pid: int) -> None:
    """Until the process waits in a read of its stdin, as the kernel tells."""
    path = Path(f"/proc/{pid}/syscall")
    while True:
        words = path.read_text().split()
        if words[:2] == ["0", "0x0"]:
            return


def test_quiet_leaves_results_and_errors() -> None:
    assert run("explain", "acme-eu", "gpt-5.5", "--quiet").err == ""
    assert run("rank", "alba-clinic", "--quiet").err.startswith("workbench: no offer is left")
    assert run("check", "--quiet").out == ""


def test_the_sample_is_read_where_there_is_no_workspace(tmp_path: Path) -> None:
    assert run("tenants", "--json", cwd=tmp_path).json["workspace"] == str(SAMPLE)
