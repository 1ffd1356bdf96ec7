"""What a difference decides: files, folders, catalogs, and revisions of a real repository."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.scale import scaled
from workbench.catalog import packaged_catalogs
from workbench.errors import CatalogError, RulebookError, UsageError, WorkbenchError, WorkspaceError
from workbench.session.evaluation import Evaluator
from workbench.session.workspace import Workspace, open_workspace, sample_root
from workbench.whatif.differ.decisions import Diff, TenantDiff, diff, offer_keys
from workbench.whatif.differ.revisions import read_revision
from workbench.whatif.differ.sources import put, read_sides


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the sample workspace."""
    root = tmp_path / "policies"
    shutil.copytree(sample_root(), root)
    return root


def git(folder: Path, *words: str) -> None:
    """Run git there, without what this machine's user has set up."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *words], cwd=folder, env={**clean, **quiet}, check=True, capture_output=True)


@pytest.fixture
def repository(folder: Path) -> Path:
    """The copy in a repository, one folder below its root, committed once."""
    git(folder.parent, "init", "-q", "-b", "main")
    git(folder.parent, "add", "-A")
    git(folder.parent, "commit", "-q", "-m", "one")
    return folder


def change(path: Path, old: str, new: str) -> None:
    """Replace the one place in a file."""
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def floor(folder: Path, value: str) -> None:
    """Another free floor."""
    change(folder / "rulebook.toml", '"ge", 0.2]', f'"ge", {value}]')


def held(first: str | Path, second: str | Path | None, here: Workspace) -> Diff:
    return diff(*read_sides(str(first), None if second is None else str(second), here))


def of(found: Diff, tenant: str) -> TenantDiff:
    return next(one for one in found.tenants if one.tenant == tenant)


def test_a_revision_against_the_workspace_of_now(repository: Path) -> None:
    here = open_workspace(repository)
    assert not held("HEAD", None, here).changed
    floor(repository, "0.4")
    found = held("HEAD", None, open_workspace(repository))
    assert [one.tenant for one in found.changed] == ["ladle-free"]
    one = found.changed[0]
    assert one.direction == "dearer"
    assert one.monthly is not None
    assert round(one.monthly, 6) == 1.92
    assert set(one.changes) == {"winner", "cost", "order", "survivors", "legality"}
    assert len(one.legality.forbidden) == 144
    assert not one.legality.allowed
    assert [(c.clause_id, c.before, c.after, c.tenants) for c in found.clauses] == [
        ("free-floor", "bench_intelligence >= 0.2", "bench_intelligence >= 0.4", ("ladle-free",))
    ]
    git(repository, "commit", "-q", "-am", "two")
    later = held("HEAD~1", "HEAD", open_workspace(repository))
    assert [one.tenant for one in later.changed] == ["ladle-free"]
    assert [side.kind for side in (later.before, later.after)] == ["revision", "revision"]
    assert not held("HEAD:policies", "HEAD", open_workspace(repository)).changed


def test_each_tenant_is_told_as_two_evaluations_would(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    change(other / "rulebook.toml", '>= 0.6"', '>= 0.62"')
    change(other / "rulebook.toml", '"ge", 0.5]', '"ge", 0.55]')
    found = held(folder, other, open_workspace(folder))
    sides = [open_workspace(root).state for root in (folder, other)]
    outcomes = [Evaluator().evaluate(state).outcomes for state in sides]
    for one in found.tenants:
        was, now = (each[one.tenant].decision for each in outcomes)
        assert was is not None
        assert now is not None
        assert one.decision_changed == (was.order != now.order or was.survivor_indices != now.survivor_indices)
        keys = offer_keys(sides[0].catalog)
        lost = set(was.survivor_indices) - set(now.survivor_indices)
        assert one.legality.forbidden == tuple(sorted(keys[index] for index in lost))


def test_a_rulebook_file_is_tried_with_the_tenants_here(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "candidate.toml"
    shutil.copy(folder / "rulebook.toml", other)
    assert not held(other, None, open_workspace(folder)).changed
    change(other, '"ge", 0.2]', '"ge", 0.4]')
    found = held(folder / "rulebook.toml", other, open_workspace(folder))
    assert [one.tenant for one in found.changed] == ["ladle-free"]


def test_a_rulebook_that_asks_for_more_breaks_tenants_by_name(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "candidate.toml"
    shutil.copy(folder / "rulebook.toml", other)
    change(other, 'values = ["free", "trial",', 'values = ["free",')
    found = held(folder, other, open_workspace(folder))
    assert of(found, "quillfern-trial").status == "unreadable"
    assert of(found, "acme-eu").status == "same"


def test_two_catalogs_are_told_by_offer_and_not_by_place(folder: Path) -> None:
    found = held("2026-08", "2026-11", open_workspace(folder))
    assert found.changed
    sides = (found.before.state, found.after.state)
    for one in found.changed:
        gone = set(offer_keys(sides[0].catalog)) - set(offer_keys(sides[1].catalog))
        assert set(one.legality.gone) <= gone
        assert not set(one.legality.forbidden) & gone
    assert not held("2026-11", "2026-11", open_workspace(folder)).changed
    assert not held("2026-11", str(packaged_catalogs()["2026-11"]), open_workspace(folder)).changed


def test_another_fingerprint_with_the_same_decisions_is_said(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    change(other / "rulebook.toml", '>= 0.6"', '>= 0.601"')
    found = held(folder, other, open_workspace(folder))
    assert not found.changed
    assert {one.tenant for one in found.only_fingerprint} == {"brueckwald", "halvorsen", "lumenor-vip"}


def test_what_is_done_on_failure_is_a_decision_too(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    change(other / "rulebook.toml", "on rate_limit: retry 2 after 200 ms, 600 ms, then next;", "on rate_limit: next;")
    found = held(folder, other, open_workspace(folder))
    assert {one.tenant for one in found.changed} == {"alba-clinic", "brueckwald", "corvane-bank"}
    assert all(one.changes == ("fallback",) for one in found.changed)


def test_tenants_come_and_go_and_break(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    (other / "tenants" / "halvorsen.toml").unlink()
    text = (other / "tenants" / "acme-eu.toml").read_text()
    (other / "tenants" / "acme-two.toml").write_text(text.replace('"acme-eu"', '"acme-two"'))
    change(other / "tenants" / "ladle-free.toml", 'plan = "free"', 'plan = "gold"')
    found = held(folder, other, open_workspace(folder))
    assert {one.tenant: one.status for one in found.changed} == {
        "halvorsen": "removed", "acme-two": "added", "ladle-free": "unreadable",
    }  # fmt: skip
    assert "gold" in str(found.after.broken[0].findings[0])
    assert not Path(found.after.broken[0].findings[0].place.source or "/").is_absolute()


def test_a_tenant_without_a_policy_on_both_sides_is_never_called_unchanged(folder: Path) -> None:
    change(folder / "tenants" / "acme-eu.toml", 'plan = "business"\n', "")
    found = held(folder, folder, open_workspace(folder))
    assert [(one.tenant, one.status) for one in found.changed] == [("acme-eu", "unreadable")]


def test_a_side_that_can_not_be_read_is_named_with_its_findings(repository: Path, tmp_path: Path) -> None:
    change(repository / "rulebook.toml", 'when = "plan = free"\nfilter', 'when = "plam = free"\nfilter')
    git(repository, "commit", "-q", "-am", "broken")
    git(repository, "revert", "-n", "HEAD")
    with pytest.raises(RulebookError) as caught:
        held("HEAD", None, open_workspace(repository))
    assert "`HEAD` can't be read" in caught.value.title
    assert all((finding.place.source or "").startswith("HEAD") for finding in caught.value.findings)
    bad = tmp_path / "bad.json"
    bad.write_text("{")
    with pytest.raises(CatalogError):
        held(bad, None, open_workspace(repository))


@pytest.mark.parametrize("word", ["nonsense", "--upload-pack=x", "-x", "HEAD~99", "HEAD:nowhere", "a\nb", "\x00", ""])
def test_a_word_that_names_nothing_is_refused(repository: Path, word: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        held(word, None, open_workspace(repository))
    assert isinstance(caught.value, UsageError | WorkspaceError)
    assert caught.value.findings


def test_where_there_is_no_repository_it_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(folder.parent.parent))
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    with pytest.raises(UsageError) as caught:
        held("HEAD", None, open_workspace(folder))
    assert "in no git repository" in str(caught.value)


def test_a_link_in_a_revision_is_not_followed(repository: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.toml"
    secret.write_text((repository / "tenants" / "acme-eu.toml").read_text())
    linked = repository / "tenants" / "acme-eu.toml"
    linked.unlink()
    linked.symlink_to(secret)
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "a link")
    found = held("HEAD~1", "HEAD", open_workspace(repository))
    assert of(found, "acme-eu").status == "unreadable"
    assert "links are not followed" in str(found.after.broken[0].findings[0])
    assert read_revision(repository, "HEAD").links == ("tenants/acme-eu.toml",)


def test_nothing_that_a_repository_says_is_run(repository: Path, tmp_path: Path) -> None:
    trap = tmp_path / "trap.sh"
    ran = tmp_path / "ran"
    trap.write_text(f"#!/bin/sh\ntouch {ran}\ncat\n")
    trap.chmod(0o755)
    (repository / ".gitattributes").write_text("*.toml filter=trap diff=trap export-ignore\n")
    for name in ("filter.trap.smudge", "filter.trap.clean", "diff.trap.textconv", "core.pager", "core.fsmonitor"):
        git(repository, "config", name, str(trap))
    found = held("HEAD", None, open_workspace(repository))
    assert not found.changed
    assert not ran.exists()


def test_the_index_and_the_files_stay_as_they_are(repository: Path) -> None:
    def seen() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in sorted(repository.parent.rglob("*")) if path.is_file()}

    before = seen()
    held("HEAD", None, open_workspace(repository))
    assert seen() == before


@pytest.mark.parametrize("name", ["../out.toml", "a/../../b.toml", "/etc/x.toml", "a//b.toml", "a\\b.toml"])
def test_no_name_in_a_revision_leads_out_of_its_folder(tmp_path: Path, name: str) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    with pytest.raises(WorkspaceError):
        put(inside, name, b"")
    assert list(tmp_path.rglob("*.toml")) == []


def test_many_tenants_are_diffed(folder: Path, tmp_path: Path) -> None:
    text = (folder / "tenants" / "ladle-free.toml").read_text()
    for number in range(scaled(30, 1_000)):
        name = f"many-{number:04}"
        (folder / "tenants" / f"{name}.toml").write_text(text.replace('"ladle-free"', f'"{name}"'))
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    floor(other, "0.4")
    found = held(folder, other, open_workspace(folder))
    assert len(found.changed) == scaled(30, 1_000) + 1
    assert len(found.clauses) == 1
