"""A repository that somebody else made: it can't run a program here, fill the memory, or end in a traceback."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from workbench.errors import WorkspaceError
from workbench.session.workspace import open_workspace, sample_root
from workbench.whatif.differ import revisions
from workbench.whatif.differ.revisions import read_revision
from workbench.whatif.differ.sources import read_sides


def git(folder: Path, *words: str, given: bytes = b"") -> str:
    """Run git there, without what this machine's user has set up."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *who, *words], cwd=folder, env={**clean, **quiet}, check=True, capture_output=True, input=given
    )
    return done.stdout.decode().strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The sample in a repository of its own."""
    root = tmp_path / "policies"
    shutil.copytree(sample_root(), root)
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "one")
    return root


def without(repository: Path, name: str) -> None:
    """Take the object of a file away."""
    found = git(repository, "rev-parse", f"HEAD:{name}")
    (repository / ".git" / "objects" / found[:2] / found[2:]).unlink()


def test_an_object_that_is_not_there_is_said_in_words(repository: Path) -> None:
    without(repository, "workbench.toml")
    with pytest.raises(WorkspaceError) as caught:
        read_sides("HEAD", None, open_workspace(repository))
    assert "`workbench.toml` is not there" in caught.value.findings[0].reason


def test_a_missing_object_with_a_name_that_is_no_utf8(repository: Path) -> None:
    name = os.fsdecode(b"tenants/b\xff.toml")
    (repository / name).write_text("id = 'b'\n")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "two")
    without(repository, name)
    with pytest.raises(WorkspaceError) as caught:
        read_revision(repository, "HEAD")
    assert "is not there" in caught.value.findings[0].reason


def test_an_older_git_runs_nothing_that_the_repository_names(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary, tools, real = tmp_path / "ran", tmp_path / "tools", shutil.which("git")
    tools.mkdir()
    (tools / "git").write_text(f'#!/bin/sh\nunset GIT_NO_LAZY_FETCH\nexec {real} "$@"\n')
    (tools / "git").chmod(0o755)
    without(repository, "rulebook.toml")
    for name, value in (
        ("core.repositoryformatversion", "1"), ("extensions.partialClone", "origin"),
        ("remote.origin.promisor", "true"), ("remote.origin.url", f"ext::touch {canary}"),
        ("protocol.ext.allow", "always"), ("protocol.allow", "always"),
    ):  # fmt: skip
        git(repository, "config", name, value)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(WorkspaceError):
        read_revision(repository, "HEAD")
    assert not canary.exists()
    subprocess.run(["git", "cat-file", "-p", "HEAD:rulebook.toml"], cwd=repository, capture_output=True, check=False)
    assert canary.exists()  # so that what was kept from running could have run


def test_a_tree_that_names_more_files_than_there_is_room_for_is_not_listed(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revisions, "MAX_LISTING", 1_000_000)
    inside = git(repository, "hash-object", "-w", "--stdin", given=b"x = 1\n")
    made = f"100644 blob {inside}\ta.toml\n"
    for _ in range(8):
        tree = git(repository, "mktree", given=made.encode())
        made = "".join(f"040000 tree {tree}\td{place}\n" for place in range(10))
    git(
        repository,
        "tag",
        "bomb",
        git(repository, "commit-tree", "-m", "b", git(repository, "mktree", given=made.encode())),
    )
    with pytest.raises(WorkspaceError) as caught:
        read_revision(repository, "bomb")
    assert "more files" in caught.value.findings[0].reason
