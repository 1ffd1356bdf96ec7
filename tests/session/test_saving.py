"""Saving: comments kept, nothing lost, and what another program did is never overwritten in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.errors import FileRefused, RulebookError, WorkbenchError
from workbench.session.edits import AddClause, DeleteClause, DuplicateClause, EditClause, MoveClause, ToggleClause
from workbench.session.saving import disk_changes
from workbench.session.session import Session
from workbench.session.tenant_edits import EditFact, EditSlot
from workbench.session.workspace import open_workspace, sample_root

EU, VIP = "acme-eu", "lumenor-vip"


def comments(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line.lstrip().startswith("#")]


def test_everything_that_can_be_edited_is_read_back_as_it_was(session: Session, folder: Path) -> None:
    noted = comments(folder / "rulebook.toml")
    for edit in (
        EditClause(tenant_id=VIP, clause_id="vip-floor", text="bench_intelligence >= 0.62"),
        ToggleClause(tenant_id=EU, clause_id="eu-processors"),
        DuplicateClause(tenant_id=EU, clause_id="eu-residency"),
        MoveClause(tenant_id=EU, clause_id="eu-residency", offset=1),
        EditClause(tenant_id=EU, clause_id="default.rank", text="cheapest by price_out"),
        AddClause(EU, "price_out <= 10"),
        ToggleClause(tenant_id=EU, clause_id="no-training", scope="tenant"),
        EditClause(tenant_id=EU, clause_id="standard-floor", scope="tenant", text="bench_intelligence >= 0.4"),
        EditSlot(EU, "select", "top 3"),
        EditFact(EU, "vip_support", True),
        EditFact("halvorsen", "approved_providers", ("openai", "mistral")),
        DeleteClause(tenant_id=EU, clause_id="long-documents", scope="tenant"),
    ):
        session.commit(edit)
    assert session.dirty
    paths = session.changed_files
    report = session.save()
    assert report.written == paths
    assert not report.conflicts
    assert not session.dirty
    again = open_workspace(folder)
    assert again.state.rulebook.sha256 == session.state.rulebook.sha256
    assert again.state.tenants == session.state.tenants
    assert not again.broken
    assert comments(folder / "rulebook.toml") == noted
    assert {p.name for p in folder.iterdir()} == {p.name for p in sample_root().iterdir()}


def test_an_edit_and_its_undo_leave_nothing_to_save(session: Session) -> None:
    session.commit(EditClause(tenant_id=VIP, clause_id="vip-floor", text="bench_intelligence >= 0.62"))
    assert session.dirty
    session.undo()
    assert not session.dirty
    assert session.changed_files == ()


def test_the_sample_is_never_written_to_and_a_copy_goes_on(tmp_path: Path) -> None:
    session = Session(open_workspace(sample_root()))
    session.commit(EditClause(tenant_id=VIP, clause_id="vip-floor", text="bench_intelligence >= 0.62"))
    with pytest.raises(FileRefused):
        session.save()
    session.save_to(tmp_path / "mine")
    assert session.workspace.root == tmp_path / "mine"
    assert not session.dirty
    assert open_workspace(tmp_path / "mine").state.rulebook.sha256 == session.state.rulebook.sha256
    with pytest.raises(FileRefused):
        session.save_to(tmp_path / "mine")


def test_a_change_by_another_program_is_seen_and_its_version_is_kept(session: Session, folder: Path) -> None:
    assert disk_changes(session.workspace) == ()
    path = folder / "rulebook.toml"
    theirs = path.read_text().replace("bench_intelligence >= 0.6", "bench_intelligence >= 0.61")
    path.write_text(theirs)
    assert disk_changes(session.workspace) == (path,)
    session.commit(EditClause(tenant_id=VIP, clause_id="vip-floor", text="bench_intelligence >= 0.62"))
    report = session.save()
    assert [conflict.read_text() for conflict in report.conflicts] == [theirs]
    assert "0.62" in path.read_text()


def test_reload_takes_what_stands_on_disk(session: Session, folder: Path) -> None:
    path = folder / "rulebook.toml"
    path.write_text(path.read_text().replace('"bench_intelligence >= 0.6"', '"bench_intelligence >= 0.62"'))
    before = session.shown.outcomes[VIP].winner
    session.reload()
    assert session.shown.outcomes[VIP].winner != before
    assert session.movements[VIP].moved
    assert disk_changes(session.workspace) == ()


BROKEN = {
    "empty": "",
    "truncated": 'id = "saas"\n[[rule]]\nid = "vip-fl',
    "unknown key": 'id = "saas"\nrules = 3\n',
    "not utf-8": b"\xff\xfe\x00",
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_rulebook_never_replaces_a_good_one(session: Session, folder: Path, content: str | bytes) -> None:
    path = folder / "rulebook.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    before = session.shown
    with pytest.raises(WorkbenchError) as caught:
        session.reload()
    assert "rulebook.toml" in str(caught.value)
    assert session.shown is before


@pytest.mark.parametrize("kind", ["missing", "folder"])
def test_a_rulebook_that_is_no_file_never_replaces_a_good_one(session: Session, folder: Path, kind: str) -> None:
    path = folder / "rulebook.toml"
    path.unlink()
    if kind == "folder":
        path.mkdir()
    before = session.shown
    with pytest.raises(WorkbenchError):
        session.reload()
    assert session.shown is before
    assert path in disk_changes(session.workspace)


def test_a_broken_tenant_shows_its_place_and_stops_nobody(folder: Path) -> None:
    path = folder / "tenants" / "acme-eu.toml"
    path.write_text(path.read_text().replace('region = "eu"', 'regoin = "eu"'))
    (folder / "tenants" / "zz.toml").write_text("plan = [")
    workspace = open_workspace(folder)
    assert len(workspace.state.tenants) == 7
    by_name = {broken.path.name: broken for broken in workspace.broken}
    acme = by_name["acme-eu.toml"].findings[0]
    assert acme.place.source == "tenants/acme-eu.toml"
    assert acme.place.line is not None
    assert acme.hint is not None
    assert "region" in acme.hint
    assert by_name["zz.toml"].findings[0].place.line == 1


def test_two_tenants_of_one_id_are_an_error(folder: Path) -> None:
    text = (folder / "tenants" / "acme-eu.toml").read_text()
    (folder / "tenants" / "second.toml").write_text(text)
    workspace = open_workspace(folder)
    assert [broken.path.name for broken in workspace.broken] == ["second.toml"]
    assert "acme-eu" in workspace.broken[0].findings[0].reason


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('catalogue = "2026-11"', "unknown key"),
        ('catalog = "2026-99"', "no catalog"),
        ("catalog = 5", "must be a string"),
        ('catalog = "2026-11"\nrulebook = "../../etc/passwd"', ""),
        ('catalog = "2026-11"\n[workload]\ntoken_in = 5', "unknown key"),
    ],
)
def test_workbench_toml_is_refused_with_its_place(folder: Path, line: str, reason: str) -> None:
    (folder / "workbench.toml").write_text(line + "\n")
    with pytest.raises(WorkbenchError) as caught:
        open_workspace(folder)
    assert reason in str(caught.value)


def test_a_rulebook_error_names_file_and_line(folder: Path) -> None:
    path = folder / "rulebook.toml"
    path.write_text(path.read_text().replace('["eq", "region", "eu"]', '"regoin = eu"'))
    with pytest.raises(RulebookError) as caught:
        open_workspace(folder)
    finding = caught.value.findings[0]
    assert finding.place.source == "rulebook.toml"
    line = path.read_text().splitlines()[(finding.place.line or 0) - 1]
    assert "regoin" in line


def test_a_json_filter_stays_json_through_off_and_on(session: Session, folder: Path) -> None:
    path = folder / "rulebook.toml"
    before = path.read_text()
    toggle = ToggleClause(tenant_id=EU, clause_id="standard-floor")
    session.commit(toggle)
    session.save()
    assert '{text = ["cmp", "bench_intelligence", "ge", 0.5], enabled = false}' in path.read_text()
    session.commit(toggle)
    session.save()
    assert path.read_text() == before


def test_one_of_several_filters_goes_and_the_others_keep_their_lines(session: Session, folder: Path) -> None:
    path = folder / "rulebook.toml"
    text = path.read_text()
    start = text.index("[defaults]")
    end = text.index("rank = ", start)
    filters = """[defaults]
filters = [
  "meets_req", # what the request asks for
  # nobody who is down
  "not disabled and not breaker_open",
  "price_in < 1000 and price_out < 1000", # a known price
]
"""
    path.write_text(text[:start] + filters + text[end:])
    session.reload()
    session.commit(DeleteClause(tenant_id=EU, clause_id="default.2"))
    session.save()
    after = path.read_text()
    assert "breaker_open" not in after
    assert '"meets_req", # what the request asks for' in after
    assert '"price_in < 1000 and price_out < 1000", # a known price' in after
