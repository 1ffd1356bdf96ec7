"""Files of a git revision, read by `git` as a child process: no shell, no checkout, nothing of the repository is run.

Objects are listed and read raw, so no filter, hook or attribute of the repository has a say, and a link is not followed
but left out. A word can never become an option. Refuses more than `MAX_FILES` files or `MAX_BYTES` bytes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from workbench.boundary.sanitiser import one_line
from workbench.errors import Finding, Place, UsageError, WorkspaceError

MAX_FILES: Final = 20_000
MAX_BYTES: Final = 128 * 1024 * 1024
MAX_LISTING: Final = 64 * 1024 * 1024
"""Bytes of the list of names: a few small objects can name more files than any machine holds."""
MAX_SECONDS: Final = 60
_SUFFIXES: Final = (".toml", ".json")
_REGULAR: Final = (b"100644", b"100755")
_FIXED: Final = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",  # a git that does not know the line above would run what the repository names
    "GIT_NO_REPLACE_OBJECTS": "1",
    "LC_ALL": "C",
}
_OPTIONS: Final = ("--no-pager", "--literal-pathspecs", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")


@dataclass(frozen=True, slots=True)
class Revision:
    """The files of one folder at one revision."""

    commit: str
    """The full name of the commit, or of the tree where no commit was named."""
    files: Mapping[str, bytes]
    """Contents by path below the folder: regular `.toml` and `.json` files."""
    links: tuple[str, ...]
    """Links and submodules below it, which are not followed."""


@dataclass(frozen=True, slots=True)
class _Entry:
    object_id: bytes
    path: str
    size: int


def read_revision(folder: Path, text: str) -> Revision:
    """The files of `REV` (the part of it that is this folder) or of `REV:PATH` (a path from the repository's root).

    Raises `UsageError` where the folder is in no repository or the revision is unknown, `WorkspaceError` where it can't
    be read.
    """
    tree = text if ":" in text else f"{text}:./"
    if "\x00" in text or "\n" in text:
        raise _unknown(text, "a revision has no line breaks")
    top = _git(folder, "rev-parse", "--show-toplevel")
    if top.returncode:
        raise _no_repository(folder, text, top.stderr)
    tree_id = _resolved(folder, tree)
    commit = _resolved(folder, f"{text.partition(':')[0]}^{{commit}}") or tree_id
    if tree_id is None or commit is None:
        raise _unknown(text, _missing(folder, text))
    entries, links = _listing(folder, tree_id, text)
    return Revision(commit, _contents(folder, entries, text), links)


def recent_commits(folder: Path, most: int) -> list[tuple[str, str]]:
    """The last commits that touch the folder: a short name, and day and subject. Empty where there is no repository."""
    if shutil.which("git") is None:
        return []
    words = ("log", f"--max-count={most}", "--no-show-signature", "--format=%h%x09%cs  %s", "--end-of-options", "HEAD")
    try:
        done = _git(folder, *words, "--", ".")
    except WorkspaceError:
        return []
    if done.returncode:
        return []
    lines = (line.partition("\t") for line in done.stdout.decode("utf-8", "replace").splitlines())
    return [(name, one_line(about, limit=100)) for name, _, about in lines if name]


def _resolved(folder: Path, name: str) -> str | None:
    """The object that a name stands for; None where there is none."""
    done = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", name)
    found = done.stdout.decode("ascii", "replace").strip()
    return found if done.returncode == 0 and found.isalnum() else None


def _missing(folder: Path, text: str) -> str:
    revision, _, path = text.partition(":")
    if _resolved(folder, f"{revision}^{{commit}}") is None:
        return "git knows no revision of that name here; `git log --oneline` lists commits"
    where = f"the folder `{path}`" if path else "this folder"
    return f"the revision is there, but {where} is not in it"


def _listing(folder: Path, tree_id: str, text: str) -> tuple[list[_Entry], tuple[str, ...]]:
    done = _git(folder, "ls-tree", "-r", "-l", "-z", "--full-tree", tree_id, most=MAX_LISTING)
    if len(done.stdout) > MAX_LISTING:
        raise _unreadable(text, b"it names more files than a workspace may hold")
    if done.returncode:
        raise _unreadable(text, done.stderr)
    entries: list[_Entry] = []
    links: list[str] = []
    for line in done.stdout.split(b"\0"):
        if not line:
            continue
        head, _, raw = line.partition(b"\t")
        mode, _, object_id, size = head.split()
        path = raw.decode("utf-8", "surrogateescape")
        if mode not in _REGULAR:
            links.append(path)
        elif path.endswith(_SUFFIXES):
            if not size.isdigit():
                raise _unreadable(text, b"`" + raw + b"` is not there")
            entries.append(_Entry(object_id, path, int(size)))
    if len(entries) > MAX_FILES or sum(entry.size for entry in entries) > MAX_BYTES:
        raise _unreadable(text, b"it holds more files, or more bytes, than a workspace may")
    return entries, tuple(links)


def _contents(folder: Path, entries: Sequence[_Entry], text: str) -> dict[str, bytes]:
    if not entries:
        return {}
    asked = b"".join(entry.object_id + b"\n" for entry in entries)
    done = _git(folder, "cat-file", "--batch", given=asked)
    if done.returncode:
        raise _unreadable(text, done.stderr)
    found: dict[str, bytes] = {}
    at = 0
    for entry in entries:
        end = done.stdout.find(b"\n", at)
        head = done.stdout[at:end].split()
        if end < 0 or len(head) != 3 or head[1] != b"blob":
            raise _unreadable(text, f"`{entry.path}` is not there".encode("utf-8", "surrogateescape"))
        size = int(head[2])
        found[entry.path] = done.stdout[end + 1 : end + 1 + size]
        at = end + 1 + size + 1
    return found


def _git(folder: Path, *words: str, given: bytes = b"", most: int | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run `git` in a folder; with `most`, end it once it has said more. Raises `UsageError` where there is no git.

    Raises `WorkspaceError` where it takes too long.
    """
    program = shutil.which("git")
    if program is None:
        finding = Finding("`git` is not installed", "no_git", hint="install it, or name a folder instead of a revision")
        raise UsageError("git can't be asked", [finding])
    command = [program, *_OPTIONS, "-C", str(folder), *words]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        if most is not None:
            return _bounded(command, {**kept, **_FIXED}, most)
        return subprocess.run(  # noqa: S603 - no shell; the program is git, and a revision follows --end-of-options
            command, input=given, capture_output=True, env={**kept, **_FIXED}, timeout=MAX_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise _unreadable(words[0], f"git took more than {MAX_SECONDS} seconds".encode()) from None
    except (OSError, ValueError) as error:
        raise _unreadable(words[0], str(error).encode("utf-8", "replace")) from None


def _bounded(command: list[str], environment: dict[str, str], most: int) -> subprocess.CompletedProcess[bytes]:
    """Run it and read no more than one byte above `most`."""
    late = threading.Event()
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(  # noqa: S603 - as above
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, env=environment
        ) as running,
    ):
        timer = threading.Timer(MAX_SECONDS, lambda: (late.set(), running.kill()))
        timer.start()
        try:
            assert running.stdout is not None  # noqa: S101 - it was asked for
            found = running.stdout.read(most + 1)
            if len(found) > most:
                running.kill()
            code = running.wait()
        finally:
            timer.cancel()
        if late.is_set():
            raise subprocess.TimeoutExpired(command, MAX_SECONDS)
        said.seek(0)
        return subprocess.CompletedProcess(command, code, found, said.read(65_536))


def _said(stderr: bytes) -> str:
    first = stderr.decode("utf-8", "replace").strip().partition("\n")[0]
    return one_line(first.removeprefix("fatal: "), limit=200) or "git says nothing more"


def _no_repository(folder: Path, text: str, stderr: bytes) -> UsageError:
    said = _said(stderr)
    if "dubious ownership" in said:
        hint = "the repository belongs to another user; `git config --global --add safe.directory FOLDER` trusts it"
    else:
        hint = "name a folder, a rulebook file or a catalog, or run it inside a repository"
    reason = f"`{one_line(text, limit=80)}` is no file and no catalog, and `{folder}` is in no git repository"
    return UsageError("nothing to diff", [Finding(reason, "no_repository", Place(), hint)])


def _unknown(text: str, why: str) -> UsageError:
    reason = f"`{one_line(text, limit=80)}` is no file, no folder, no catalog and no git revision"
    return UsageError("nothing to diff", [Finding(reason, "unknown_revision", Place(), why)])


def _unreadable(text: str, why: bytes) -> WorkspaceError:
    finding = Finding(_said(why), "git", Place(one_line(text, limit=80)))
    return WorkspaceError(f"revision `{one_line(text, limit=80)}` can't be read", [finding])
