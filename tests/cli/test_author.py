"""init, check and edit."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import SAMPLE, environment, lines
from tests.cli.command import call as run


def test_init_check_tenants_rank_work_one_after_the_other(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "policies"
    made = run("init", folder, "--json")
    assert made.code == 0
    names = {str(Path(name).relative_to(folder)) for name in made.json["files"]}
    assert names == {
        "workbench.toml",
        "rulebook.toml",
        *(f"tenants/{name}.toml" for name in ("acme", "nordwind", "globex")),
    }
    checked = run("check", "--json", cwd=folder).json
    assert (checked["errors"], checked["tenants"], checked["findings"]) == (0, 3, [])
    for tenant in ("acme", "nordwind", "globex"):
        assert run("rank", tenant, "--json", cwd=folder).json["ranked"]
    comments = sum(line.startswith("#") for path in folder.rglob("*.toml") for line in lines(path.read_text()))
    assert comments >= 20


def test_every_setting_that_the_template_offers_in_a_comment_works(workspace: Path) -> None:
    path = workspace / "workbench.toml"
    path.write_text(path.read_text().replace("# envelope =", "envelope ="))
    assert run("check", cwd=workspace).code == 0
    assert "trains_on_data" in run("compile", "acme", cwd=workspace).out


def test_init_overwrites_nothing_and_names_all_that_is_in_the_way(workspace: Path) -> None:
    (workspace / "tenants" / "globex.toml").unlink()
    (workspace / "workbench.toml").unlink()
    (workspace / "rulebook.toml").write_text("mine")
    ran = run("init", workspace)
    assert ran.code == 1
    assert len(lines(ran.err)) == 3
    assert (workspace / "rulebook.toml").read_text() == "mine"
    assert not (workspace / "tenants" / "globex.toml").exists()


def test_init_over_a_workspace_is_one_line(workspace: Path) -> None:
    ran = run("init", workspace)
    assert (ran.code, ran.out) == (1, "")
    assert len(lines(ran.err)) == 1
    assert "it is a workspace already" in ran.err


def test_init_quietly_says_nothing(tmp_path: Path) -> None:
    ran = run("init", tmp_path / "new", "-q")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert (tmp_path / "new" / "workbench.toml").is_file()


def test_init_into_a_folder_with_other_files(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    assert run("init", tmp_path).code == 0
    assert (tmp_path / "README.md").read_text() == "mine"


@pytest.mark.parametrize("kind", ["file", "link to a file", "dangling link", "linked tenants"])
def test_init_refuses_what_is_no_folder_of_its_own(tmp_path: Path, kind: str) -> None:
    target, other = tmp_path / "target", tmp_path / "other"
    if kind == "file":
        target.write_text("mine")
    elif kind == "link to a file":
        other.write_text("mine")
        target.symlink_to(other)
    elif kind == "dangling link":
        target.symlink_to(other)
    else:
        target.mkdir()
        (target / "rulebook.toml").symlink_to(other)
    ran = run("init", target)
    assert ran.code == 1
    assert len(lines(ran.err)) == 1
    assert not other.exists() or other.read_text() == "mine"
    assert not (target / "workbench.toml").exists()


def test_check_tells_everything_at_once_with_file_line_and_hint(workspace: Path) -> None:
    tenants = workspace / "tenants"
    (tenants / "acme.toml").write_text('id = "acme"\n[facts]\nplan = "fre"\nregion = "global"\nno_log = false\n')
    (tenants / "broken.toml").write_text('id = "broken"\n[facts\n')
    (tenants / "lacking.toml").write_text(
        'id = "lacking"\n[facts]\nplan = "enterprise"\nregion = "eu"\nno_log = false\n'
    )
    ran = run("check", cwd=workspace)
    assert ran.code == 1
    assert ran.err == ""
    told = lines(ran.out)
    assert any(line.startswith("tenants/acme.toml:3") and "did you mean" in line and "free" in line for line in told)
    assert any(re.match(r"tenants/broken\.toml:2:\d+: ", line) for line in told)
    assert any(line.startswith("tenants/lacking.toml") and "approved_providers" in line for line in told)
    assert told[-1].startswith("3 tenants, 3 errors")
    body = run("check", "--json", cwd=workspace)
    assert body.code == 1
    errors = [finding for finding in body.json["findings"] if finding["severity"] == "error"]
    assert body.json["errors"] == len(errors) == 3
    assert {finding["source"] for finding in errors} >= {"tenants/acme.toml", "tenants/lacking.toml"}


def test_check_finds_what_cannot_be_read_in_every_file_at_once(workspace: Path) -> None:
    for name in ("workbench.toml", "rulebook.toml", "tenants/acme.toml", "tenants/globex.toml"):
        (workspace / name).write_text('id = "x\n')
    told = run("check", "-C", workspace)
    assert told.code == 1
    begun = [line.partition(":")[0] for line in lines(told.out)[:-1]]
    assert sorted(begun) == ["rulebook.toml", "tenants/acme.toml", "tenants/globex.toml", "workbench.toml"]
    assert lines(told.out)[-1] == "0 tenants, 4 errors, 0 warnings"


@pytest.mark.parametrize(
    "data",
    [b"\xff", b"a" * 300_000, b'id = "acme"\nplan = [\n', b'id = "acme"\nnope = 1\n'],
    ids=["encoding", "size", "syntax", "key"],
)
def test_every_finding_of_a_tenant_file_names_its_path_in_the_workspace(workspace: Path, data: bytes) -> None:
    (workspace / "tenants" / "acme.toml").write_bytes(data)
    for words in (["check"], ["check", "-C", "."], ["check", "-C", workspace]):
        findings = run(*words, "--json", cwd=workspace).json["findings"]
        assert {finding["source"] for finding in findings} == {"tenants/acme.toml"}


def test_a_catalog_of_ones_own_is_named_by_its_path(workspace: Path) -> None:
    (workspace / "catalogs").mkdir()
    (workspace / "catalogs" / "mine.json").write_text("{}")
    path = workspace / "workbench.toml"
    path.write_text(path.read_text().replace('"2026-11"', '"catalogs/mine.json"'))
    assert {finding["source"] for finding in run("check", "--json", cwd=workspace).json["findings"]} == {
        "catalogs/mine.json"
    }


def test_a_broken_tenant_makes_no_rule_look_idle(workspace: Path) -> None:
    (workspace / "tenants" / "globex.toml").write_text("id =\n")
    [only] = run("check", "--json", cwd=workspace).json["findings"]
    assert only["source"] == "tenants/globex.toml"
    (workspace / "tenants" / "globex.toml").unlink()
    assert {finding["code"] for finding in run("check", "--json", cwd=workspace).json["findings"]} == {"idle_rule"}


def test_a_workspace_without_tenants_is_told(workspace: Path) -> None:
    for path in (workspace / "tenants").iterdir():
        path.unlink()
    ran = run("check", cwd=workspace)
    assert ran.code == 0
    assert "there is no tenant in `tenants`" in lines(ran.out)[0]
    assert len(lines(ran.out)) == 2


def test_path_and_title_of_a_workspace_have_the_same_names_everywhere(workspace: Path) -> None:
    for command in ("check", "tenants"):
        body = run(command, "--json", cwd=workspace).json
        assert (body["workspace"], body["title"]) == (str(workspace), "my tenants")


def test_check_of_a_rulebook_with_several_faults_names_each(workspace: Path) -> None:
    path = workspace / "rulebook.toml"
    text = path.read_text().replace("bench_intelligence >= 0.2", "bench_inteligence >= 0.2")
    path.write_text(text.replace('when = "region = eu"', 'when = "regoin = eu"'))
    ran = run("check", cwd=workspace)
    assert ran.code == 1
    told = [line for line in lines(ran.out) if line.startswith("rulebook.toml:")]
    assert len(told) == 2
    assert any("bench_intelligence" in line for line in told)
    assert any("region" in line for line in told)


def test_check_of_the_sample_warns_of_nobody_and_of_one_provider() -> None:
    body = run("check", "--json").json
    assert body["errors"] == 0
    codes = {finding["source"]: finding["code"] for finding in body["findings"]}
    assert codes["tenants/alba-clinic.toml"] == "nobody"
    assert codes["tenants/brueckwald.toml"] == "one_provider"


def test_check_tells_a_policy_that_does_not_run_here(workspace: Path) -> None:
    path = workspace / "rulebook.toml"
    path.write_text(
        path.read_text().replace('select = "best first"', 'select = "best first"\ntransform = "set base_url = 1"')
    )
    ran = run("check", "--json", cwd=workspace)
    assert ran.code == 1
    assert any("base_url" in finding["reason"] for finding in ran.json["findings"])


def test_a_broken_tenant_does_not_stop_the_others(workspace: Path) -> None:
    (workspace / "tenants" / "broken.toml").write_text('id = "broken"\nplan = [\n')
    ran = run("tenants", cwd=workspace)
    assert ran.code == 1
    assert {line.split()[0] for line in lines(ran.out)} == {"tenant", "acme", "globex", "nordwind"}
    assert "broken.toml" in ran.err
    assert len(lines(ran.err)) == 1
    body = run("tenants", "--json", cwd=workspace)
    assert [Path(row["file"]).name for row in body.json["broken"]] == ["broken.toml"]
    assert run("rank", "acme", cwd=workspace).code == 0
    asked = run("rank", "broken", cwd=workspace)
    assert asked.code == 1
    assert "broken.toml:" in asked.err


def test_a_folder_that_is_no_workspace_is_said(tmp_path: Path) -> None:
    ran = run("tenants", "--workspace", tmp_path)
    assert ran.code == 1
    assert "workbench.toml" in ran.err
    assert "workbench init" in ran.err
    assert len(lines(ran.err)) == 1
    assert run("check", "--workspace", tmp_path, "--json").json["errors"] == 1


def test_a_current_folder_that_is_gone_is_said(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    code = "import os, sys; os.rmdir(os.getcwd()); from workbench.cli.main import main; sys.exit(main(['tenants']))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=gone, env=environment(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert len(lines(done.stderr)) == 1
    assert "--workspace" in done.stderr


@pytest.mark.parametrize("fault", ["missing", "empty", "folder", "truncated", "utf-16"])
def test_a_rulebook_that_cannot_be_read_is_one_line(workspace: Path, fault: str) -> None:
    path = workspace / "rulebook.toml"
    text = path.read_text()
    path.unlink()
    if fault == "empty":
        path.write_text("")
    elif fault == "folder":
        path.mkdir()
    elif fault == "truncated":
        path.write_text(text[: len(text) // 2])
    elif fault == "utf-16":
        path.write_bytes(text.encode("utf-16"))
    ran = run("rank", "acme", cwd=workspace)
    assert ran.code in ({0, 1} if fault == "truncated" else {1})
    assert "Traceback" not in ran.err
    assert ran.code == 0 or "rulebook.toml" in ran.err


# -- edit -----------------------------------------------------------------------------------------------------------


def test_edit_shows_who_moves_and_writes_nothing(workspace: Path) -> None:
    before = {path: path.read_bytes() for path in workspace.rglob("*.toml")}
    body = run("edit", "nordwind", "paid-floor", "bench_intelligence >= 0.57", "--json", cwd=workspace).json
    assert body["touched"] == ["globex", "nordwind"]
    assert [row["tenant"] for row in body["moved"]] == ["globex", "nordwind"]
    assert all(row["before"]["winner"] != row["after"]["winner"] for row in body["moved"])
    assert (body["saved"], body["files"]) == (False, [])
    assert {path: path.read_bytes() for path in workspace.rglob("*.toml")} == before
    assert "add --save" in run("edit", "nordwind", "paid-floor", "bench_intelligence >= 0.57", cwd=workspace).err


def test_edit_with_save_is_what_it_said(workspace: Path) -> None:
    words = ["edit", "nordwind", "paid-floor", "bench_intelligence >= 0.57", "--json"]
    [moved] = [row for row in run(*words, cwd=workspace).json["moved"] if row["tenant"] == "nordwind"]
    saved = run(*words, "--save", cwd=workspace).json
    assert [Path(name).name for name in saved["files"]] == ["rulebook.toml"]
    text = (workspace / "rulebook.toml").read_text()
    assert 'filter = "bench_intelligence >= 0.57"' in text
    assert "# A rule says whom it is for" in text
    rows = {row["id"]: row for row in run("tenants", "--json", cwd=workspace).json["tenants"]}
    assert rows["nordwind"]["winner"] == moved["after"]["winner"]


def test_edit_for_one_tenant_leaves_the_rule(workspace: Path) -> None:
    words = ["edit", "nordwind", "paid-floor", "bench_intelligence >= 0.57", "--scope", "tenant", "--save", "--json"]
    body = run(*words, cwd=workspace).json
    assert body["touched"] == ["nordwind"]
    assert [Path(name).name for name in body["files"]] == ["nordwind.toml"]
    clauses = run("compile", "nordwind", "--explain", "--json", cwd=workspace).json["clauses"]
    [changed] = [clause for clause in clauses if clause["origin"] == "override"]
    assert (changed["rule"], changed["replaces"]) == ("paid-floor", "bench_intelligence >= 0.5")
    reverted = run("edit", "nordwind", changed["id"], "--revert", "--save", "--json", cwd=workspace)
    assert reverted.code == 0
    again = run("compile", "nordwind", "--explain", "--json", cwd=workspace).json["clauses"]
    assert not [clause for clause in again if clause["origin"] == "override"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--add", "price_out <= 1"], "price_out <= 1"),
        (["paid-floor", "--negate"], "not (bench_intelligence >= 0.5)"),
        (["rank", "cheapest by price_in"], "cheapest by price_in"),
        (["fallback", "otherwise: stop"], "otherwise: stop"),
        (["eu-residency", "region = us", "--scope", "tenant"], "region = us"),
    ],
)
def test_each_kind_of_edit_reaches_the_policy(workspace: Path, words: list[str], found: str) -> None:
    assert run("edit", "nordwind", *words, "--save", cwd=workspace).code == 0
    clauses = run("compile", "nordwind", "--explain", "--json", cwd=workspace).json["clauses"]
    assert found in [clause["clause"] for clause in clauses if clause["enabled"]]


@pytest.mark.parametrize("action", ["--toggle", "--delete"])
def test_a_clause_switched_off_for_one_tenant_is_gone_from_its_policy(workspace: Path, action: str) -> None:
    words = ["edit", "nordwind", "eu-residency", action, "--scope", "tenant", "--save"]
    assert run(*words, cwd=workspace).code == 0
    assert "region_eu" not in run("compile", "nordwind", cwd=workspace).out
    assert "region_eu" not in run("compile", "acme", cwd=workspace).out


def test_editing_a_fact_shows_what_it_changes(workspace: Path) -> None:
    body = run("edit", "nordwind", "--fact", "region=global", "--json", cwd=workspace).json
    [moved] = body["moved"]
    assert moved["after"]["survivors"] > moved["before"]["survivors"]
    bad = run("edit", "nordwind", "--fact", "region=eeu", cwd=workspace)
    assert bad.code == 1
    assert "did you mean" in bad.err


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["nordwind", "paid-floor"], 2, "no change is asked for"),
        (["nordwind", "paid-floor", "top", "--toggle"], 2, "more than one change"),
        (["nordwind", "--toggle"], 2, "`CLAUSE` is missing"),
        (["nordwind", "--fact", "region"], 2, "there is no `=` in it"),
        (["nordwind", "nope", "top"], 2, "no clause `nope`"),
        (["nordwind", "paid-flor", "top"], 2, "did you mean `paid-floor`?"),
        (["nordwind", "nope", "--scope", "rule", "--add", "price_in < 2"], 2, "no clause `nope`"),
        (["nordwind", "--scope", "rule", "--add", "price_in < 2"], 2, "`CLAUSE` is missing"),
        (["nobody", "paid-floor", "top"], 2, "no tenant `nobody`"),
        (["nordwind", "paid-floor", "bench_intelligence >= "], 1, "column 23: expected"),
        (["nordwind", "paid-floor", "bench_inteligence >= 1"], 1, "bench_intelligence"),
    ],
)
def test_an_edit_that_makes_no_sense_is_one_line(workspace: Path, words: list[str], code: int, says: str) -> None:
    ran = run("edit", *words, cwd=workspace)
    assert ran.code == code
    assert len(lines(ran.err)) == 1
    assert says in ran.err


def test_an_edit_that_leaves_a_tenant_without_a_policy_says_why(workspace: Path) -> None:
    ran = run("edit", "nordwind", "--fact", "plan=", cwd=workspace)
    assert ran.code == 1
    [row] = [line for line in lines(ran.out) if line.startswith("nordwind")]
    assert "no policy" in row
    assert "nobody" not in ran.out
    assert "nordwind" in ran.err
    assert "plan" in ran.err
    body = run("edit", "nordwind", "--fact", "plan=", "--json", cwd=workspace)
    assert body.code == 1
    assert body.json["errors"]
    assert all("plan" in finding["reason"] for finding in body.json["errors"])


def test_tenants_tells_no_policy_from_nobody(workspace: Path) -> None:
    path = workspace / "tenants" / "nordwind.toml"
    path.write_text("".join(line for line in path.read_text().splitlines(keepends=True) if "plan" not in line))
    assert run("edit", "acme", "--add", "price_in < 0", "--save", cwd=workspace).code == 0
    out = {line.split()[0]: line for line in lines(run("tenants", cwd=workspace).out)}
    assert re.search(r"no policy .* error ", out["nordwind"])
    assert "nobody" in out["acme"]
    rows = {row["id"]: row for row in run("tenants", "--json", cwd=workspace).json["tenants"]}
    assert (rows["nordwind"]["winner"], rows["nordwind"]["mark"]) == (None, "error")
    assert all("plan" in finding["reason"] for finding in rows["nordwind"]["errors"])
    assert rows["acme"]["errors"] == []


@pytest.mark.parametrize(
    ("words", "says", "scope", "rule"),
    [
        (["paid-floor", "bench_intelligence >= 0.57"], "for the rule `paid-floor` (2 tenants)", "rule", "paid-floor"),
        (["default.rank", "cheapest by price_in"], "for the defaults of the rulebook (3 tenants)", "rule", None),
        (["paid-floor", "--toggle", "--scope", "tenant"], "for tenant `nordwind` only (an override)", "tenant", None),
        (["rank", "cheapest by price_in"], "for tenant `nordwind` only (an override)", "tenant", None),
        (["--add", "price_in < 2"], "for tenant `nordwind` only (a clause of its own)", "tenant", None),
        (["--fact", "region=global"], "for tenant `nordwind` only", "tenant", None),
    ],
)
def test_an_edit_says_whom_it_is_for(
    workspace: Path, words: list[str], says: str, scope: str, rule: str | None
) -> None:
    first = lines(run("edit", "nordwind", *words, cwd=workspace).out)[0]
    assert f", {says}: moves " in first
    body = run("edit", "nordwind", *words, "--json", cwd=workspace).json
    assert (body["scope"], body["rule"]) == (scope, rule)


def test_the_sample_is_not_written_to() -> None:
    ran = run("edit", "acme-eu", "eu-residency", "region = us", "--save")
    assert ran.code == 1
    assert "read-only" in ran.err


def test_a_copy_of_the_sample_may_be_edited(tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(SAMPLE, folder)
    ran = run("edit", "lumenor-vip", "vip-floor", "bench_intelligence >= 0.62", "--save", "--json", cwd=folder)
    assert ran.code == 0
    assert {"lumenor-vip"} <= set(ran.json["touched"])
