"""export, conformance and the catalog commands; hostile names and targets."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import ROOT, lines
from tests.cli.command import call as run

PRICES = {
    "gpt-5.5": {
        "litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 5e-6, "output_cost_per_token": 2.5e-5,
        "max_input_tokens": 400000, "max_output_tokens": 128000, "supports_function_calling": True,
    },
    "gpt-5.5-mini": {
        "litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 5e-7, "output_cost_per_token": 2.5e-6,
    },
}  # fmt: skip

NAMES = [
    "../../etc/passwd", "..", "/etc/passwd", "a/../../b", "a\\b", "CON", ".hidden", "-rf", "dot.", "x" * 300,
    "A", "a b", "a:b", "\u202eabc",
]  # fmt: skip


def test_export_writes_the_policy_and_where_it_comes_from(tmp_path: Path) -> None:
    body = run("export", "halvorsen", "--out", tmp_path, "--json").json
    fingerprint = body["policy"]["fingerprint"]
    policy_path, sidecar_path = (Path(row["path"]) for row in body["files"])
    assert policy_path.name == f"sigma-pol-{fingerprint}.json"
    assert sidecar_path.name == f"sigma-pol-{fingerprint}.halvorsen.sources.json"
    policy = json.loads(policy_path.read_text())
    compiled = run("compile", "halvorsen", "--json").json
    assert list(policy) == ["version", "fingerprint", "policy_ir"]
    assert policy == {key: compiled[key] for key in policy}
    sidecar = json.loads(sidecar_path.read_text())
    assert sidecar["identity"] == compiled["identity"]
    assert sidecar["policy_file_sha256"] == hashlib.sha256(policy_path.read_bytes()).hexdigest()
    sources = {row["rule"]: row for row in sidecar["sources"] if row["slot"] == "filter"}
    assert set(sources["enterprise-approved"]["facts"]) == {"plan", "approved_providers"}
    assert "bench_intelligence" in {field["name"] for field in sidecar["fields"]}
    assert any("facts" in words for words in sidecar["not_included"])
    assert "vip_support" not in policy_path.read_text()


def test_tenants_of_one_policy_fit_into_one_folder(tmp_path: Path, workspace: Path) -> None:
    text = (workspace / "tenants" / "acme.toml").read_text()
    (workspace / "tenants" / "bcme.toml").write_text(text.replace('id = "acme"', 'id = "bcme"'))
    for tenant in ("acme", "bcme"):
        assert run("export", tenant, "--out", tmp_path / "out", cwd=workspace).code == 0
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert len(names) == 3
    tenants = [json.loads((tmp_path / "out" / name).read_text()).get("tenant") for name in names]
    assert {tenant for tenant in tenants if tenant} == {"acme", "bcme"}


def test_an_export_that_leaves_nobody_is_written_with_a_warning(tmp_path: Path) -> None:
    ran = run("export", "alba-clinic", "--out", tmp_path)
    assert ran.code == 0
    assert len(list(tmp_path.iterdir())) == 2
    [told] = [line for line in lines(ran.err) if "warning" in line]
    assert "leaves no offer" in told
    assert "workbench rank alba-clinic" in told
    assert "leaves no offer" in run("export", "alba-clinic", "--out", "-").err
    [warning] = run("export", "alba-clinic", "--out", tmp_path, "--json").json["warnings"]
    assert warning["code"] == "nobody"


def test_an_exported_policy_decides_as_the_tenant_does(tmp_path: Path) -> None:
    [file, _] = run("export", "acme-eu", "--out", tmp_path, "--json").json["files"]
    by_file = run("rank", "acme-eu", "--policy", file["path"], "--json").json
    by_rules = run("rank", "acme-eu", "--json").json
    assert by_file["policy"] == by_rules["policy"]
    assert by_file["ranked"] == by_rules["ranked"]
    assert by_file["warnings"] == []


def test_exporting_twice_is_fine_and_other_content_needs_force(tmp_path: Path) -> None:
    [file, sidecar] = run("export", "acme-eu", "--out", tmp_path, "--json").json["files"]
    before = Path(file["path"]).stat()
    assert run("export", "acme-eu", "--out", tmp_path).code == 0
    assert Path(file["path"]).stat().st_mtime_ns == before.st_mtime_ns
    Path(file["path"]).write_text("mine")
    Path(sidecar["path"]).write_text("mine too")
    ran = run("export", "acme-eu", "--out", tmp_path)
    assert ran.code == 1
    assert len(lines(ran.err)) == 2
    assert Path(file["path"]).read_text() == "mine"
    assert run("export", "acme-eu", "--out", tmp_path, "--force").code == 0
    assert hashlib.sha256(Path(file["path"]).read_bytes()).hexdigest() == file["sha256"]


def test_export_to_stdout_is_the_file(tmp_path: Path) -> None:
    [file, _] = run("export", "acme-eu", "--out", tmp_path, "--json").json["files"]
    assert run("export", "acme-eu", "--out", "-").out == Path(file["path"]).read_text()


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe", "folder"])
@pytest.mark.parametrize("force", [False, True])
def test_export_refuses_what_is_no_plain_file(tmp_path: Path, which: int, kind: str, force: bool) -> None:
    names = [
        Path(row["path"]).name for row in run("export", "acme-eu", "--out", tmp_path / "a", "--json").json["files"]
    ]
    folder, victim = tmp_path / "b", tmp_path / "victim"
    folder.mkdir()
    target = folder / names[which]
    if kind == "pipe":
        os.mkfifo(target)
    elif kind == "folder":
        target.mkdir()
    else:
        if kind == "link":
            victim.write_text("precious")
        target.symlink_to(victim)
    ran = run("export", "acme-eu", "--out", folder, *(["--force"] if force else []))
    assert ran.code == 1
    assert len(lines(ran.err)) == 1
    assert names[which] in ran.err
    assert not victim.exists() or victim.read_text() == "precious"
    assert [path.name for path in folder.iterdir()] == [names[which]]


@pytest.mark.parametrize("target", ["/dev/null", "file"])
def test_export_into_what_is_no_folder_is_refused(tmp_path: Path, target: str) -> None:
    path = Path(target) if target.startswith("/") else tmp_path / target
    if not target.startswith("/"):
        path.write_text("mine")
    ran = run("export", "acme-eu", "--out", path)
    assert ran.code == 1
    assert len(lines(ran.err)) == 1
    assert str(path) in ran.err


def test_a_policy_with_prefer_is_exported_with_a_warning(workspace: Path) -> None:
    changed = run("edit", "acme", "select", "prefer provider = mistral, then best first", "--save", cwd=workspace)
    assert changed.code == 0
    ran = run("export", "acme", cwd=workspace)
    assert ran.code == 0
    assert "prefer" in ran.err
    body = run("export", "acme", "--json", cwd=workspace).json
    assert [warning["code"] for warning in body["warnings"]] == ["prefer"]
    assert run("export", "nordwind", "--json", cwd=workspace).json["warnings"] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_name_never_becomes_a_path(workspace: Path, name: str) -> None:
    before = {path: path.read_bytes() for path in workspace.parent.rglob("*") if path.is_file()}
    for words in (["export"], ["rank"], ["compile"]):
        ran = run(*words, "--", name, cwd=workspace)
        assert ran.code == 2
        assert len(lines(ran.err)) == 1
        assert "\u202e" not in ran.err
    path = workspace / "workbench.toml"
    original = path.read_text()
    for key in ('rulebook = "rulebook.toml"', 'tenants = "tenants"', 'catalog = "2026-11"'):
        written = f"{key.split()[0]} = {json.dumps(name + '.json' if 'catalog' in key else name)}"
        path.write_text(original.replace(key, written))
        ran = run("check", cwd=workspace)
        assert ran.code == 1, written
        assert "Traceback" not in ran.err
        assert "root:" not in ran.out
    path.write_text(original)
    assert {path: path.read_bytes() for path in workspace.parent.rglob("*") if path.is_file()} == before


def test_names_from_files_reach_the_terminal_as_signs(workspace: Path) -> None:
    hostile = "\x1b]52;c;aGk=\x07[/red]\u202e\u200b\x9b2J"
    path = workspace / "tenants" / "acme.toml"
    path.write_text(path.read_text().replace('title = "Acme, on the free plan"', f"title = {json.dumps(hostile)}"))
    (workspace / "tenants" / "b.toml").write_text(f'id = "b"\n[facts]\nplan = {json.dumps(hostile)}\n')
    for words in (["tenants"], ["tenants", "--json"], ["check"], ["check", "--json"], ["rank", hostile]):
        ran = run(*words, cwd=workspace)
        assert not {"\x1b", "\x07", "\u202e", "\u200b", "\x9b"} & set(ran.out + ran.err), words
    rows = {row["id"]: row for row in run("tenants", "--json", cwd=workspace).json["tenants"]}
    assert rows.get("acme", {"title": hostile})["title"] == hostile


# -- conformance ----------------------------------------------------------------------------------------------------


def vectors(fingerprint: str = "509137769-1918299683") -> dict[str, Any]:
    term = ["policy", ["and"], ["neg", ["normalize", ["field", "price_in"]]], ["argmax"], ["id"],
            ["always", {"action": "next_candidate"}]]  # fmt: skip
    term[1] = ["or", ["top"], ["is", "no_log"]]
    return {
        "version": "sigma-pol/v2",
        "vectors": [
            {"name": "one", "kind": "policy", "term": term, "candidates": [], "expect": {"fingerprint": fingerprint}}
        ],
    }


@pytest.mark.parametrize("evaluator", ["reference", "columnar", "both"])
def test_conformance_counts_and_says_what_differs(tmp_path: Path, evaluator: str) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(vectors()))
    bad.write_text(json.dumps(vectors("1-1")))
    ran = run("conformance", good, "--evaluator", evaluator)
    assert (ran.code, ran.out) == (0, "1 passed, 0 failed\n")
    both = run("conformance", good, bad, "--evaluator", evaluator)
    assert both.code == 1
    assert lines(both.out)[-1] == "1 passed, 1 failed"
    assert "one: fingerprint: expected 1-1, got 509137769-1918299683" in both.out
    body = run("conformance", good, bad, "--json")
    assert (body.code, body.json["passed"], body.json["failed"]) == (1, 1, 1)
    assert body.json["failures"][0]["vector"] == "one"
    assert run("conformance", "-", stdin=json.dumps(vectors())).out == "1 passed, 0 failed\n"


@pytest.mark.parametrize("text", ["", "[]", '{"version":"sigma-pol/v2"}', "\xff", '{"a":1,"a":2}'])
def test_a_file_that_is_no_vectors_is_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "odd.json"
    path.write_bytes(text.encode("latin-1"))
    for words in (["conformance", str(path)], ["conformance", "-"]):
        ran = run(*words, stdin=text.encode("latin-1"))
        assert ran.code == 1
        assert len(lines(ran.err)) == 1
    assert run("conformance", tmp_path / "absent").code == 1
    assert run("conformance", tmp_path).code == 1


# -- catalog --------------------------------------------------------------------------------------------------------


def test_catalog_show_has_the_offers_in_catalog_order() -> None:
    body = run("catalog", "show", "--json").json
    assert body["total"] == len(body["offers"]) == body["catalog"]["offers"] >= 300
    assert len({row["provider"] for row in body["offers"]}) >= 15
    assert sum(row["region"] == "eu" for row in body["offers"]) >= 60
    names = [row["offer"] for row in body["offers"]]
    some = run("catalog", "show", "--json", "--filter", "region = eu and price_out <= 2").json["offers"]
    assert 0 < len(some) < len(names)
    assert all(row["region"] == "eu" and row["price_out"] <= 2 for row in some)
    places = [names.index(row["offer"]) for row in some]
    assert places == sorted(places)
    mistral = run("catalog", "show", "--json", "--provider", "mistral", "--limit", "2").json
    assert {row["provider"] for row in mistral["offers"]} == {"mistral"}
    assert len(mistral["offers"]) == 2 <= mistral["total"]


def test_unknown_prices_are_a_question_mark_and_never_nothing() -> None:
    rows = [row for row in run("catalog", "show", "--json").json["offers"] if row["price_in"] is None]
    for row in rows[:1]:
        table = run("catalog", "show", "--limit", "0", "--provider", row["provider"]).out
        [line] = [line for line in lines(table) if line.split()[0] == row["offer"]]
        assert " ? " in line


def test_a_filter_that_does_not_read_has_its_column() -> None:
    ran = run("catalog", "show", "--filter", "region = eu and price_outt <= 2")
    assert ran.code == 1
    assert len(lines(ran.err)) == 1
    assert "price_out" in ran.err


def test_facts_have_source_and_date() -> None:
    facts = {fact["name"]: fact for fact in run("catalog", "facts", "openai/gpt-5.5@eu", "--json").json["facts"]}
    assert facts["region"]["value"] == "eu"
    assert facts["price_in"]["unit"] == "USD per million tokens"
    assert facts["price_in"]["source"]
    assert facts["price_in"]["date"]
    assert "price_in" in run("catalog", "facts", "openai/gpt-5.5@eu").out


def test_fields_say_sort_unit_and_meaning() -> None:
    body = run("catalog", "fields", "--json").json
    fields = {field["name"]: field for field in body["fields"]}
    assert list(fields)[:2] == ["price_in", "price_out"]
    assert fields["price_in"]["default"] is None
    assert (fields["dpa"]["sort"], fields["dpa"]["default"]) == ("Bool", False)
    assert fields["region_eu"]["category"] == "region"
    assert "eu" in next(row for row in body["categories"] if row["name"] == "region")["values"]
    assert "bench_intelligence" in run("catalog", "fields").out


def test_lint_counts_warnings_and_the_day_decides_what_is_old() -> None:
    soon, late = (run("catalog", "lint", "--json", "--today", day).json for day in ("2026-11-22", "2028-01-01"))
    assert soon["errors"] == late["errors"] == 0
    assert len(late["findings"]) >= len(soon["findings"]) > 0
    assert lines(run("catalog", "lint", "--today", "2026-11-22").out)[-1].endswith(f"{soon['warnings']} warnings")


def test_import_makes_a_catalog_that_a_workspace_may_name(workspace: Path) -> None:
    source = workspace / "prices.json"
    source.write_text(json.dumps(PRICES))
    words = ["catalog", "import", "--litellm", source, "--date", "2026-11-12", "--since", "2020-01-01"]
    made = run(*words, "--out", workspace / "mine.json", "--json")
    assert made.code == 0, made.err
    assert made.json["catalog"]["date"] == "2026-11-12"
    shown = run("catalog", "show", "--catalog", workspace / "mine.json", "--json").json
    assert shown["catalog"] == made.json["catalog"]
    assert {row["provider"] for row in shown["offers"]} == {"openai"}
    assert {row["price_out"] for row in shown["offers"] if row["model_family"] == "gpt-5.5"} >= {25.0}
    path = workspace / "workbench.toml"
    path.write_text(path.read_text().replace('catalog = "2026-11"', 'catalog = "mine.json"'))
    assert run("tenants", "--json", cwd=workspace).json["catalog"]["name"] == "mine"
    again = run(*words, "--name", "mine", "--out", "-")
    assert again.out == (workspace / "mine.json").read_text()
    assert run(*words, "--out", workspace / "mine.json", "--json").json["state"] == "unchanged"
    other = run(*words, "--name", "other", "--out", workspace / "mine.json")
    assert other.code == 1
    assert "--force" in other.err
    assert run(*words, "--name", "other", "--out", workspace / "mine.json", "--force").code == 0


def test_import_without_a_source_or_with_a_wrong_one_is_one_line(tmp_path: Path) -> None:
    assert run("catalog", "import", "--out", tmp_path / "x.json").code == 1
    assert run("catalog", "import", "--modelsdev", tmp_path / "absent", "--out", tmp_path / "x.json").code == 1
    assert run("catalog", "import", "--litellm", tmp_path, "--date", "soon", "--out", "-").code == 2
    assert not (tmp_path / "x.json").exists()


def test_only_two_modules_write_to_the_streams() -> None:
    import ast

    allowed = {"output.py", "diagnostics.py"}
    for path in (ROOT / "workbench" / "cli").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            name = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            writes = name in {"print", "click.echo", "click.secho"} or name.startswith(("sys.stdout.", "sys.stderr."))
            assert not writes or path.name in allowed or name.endswith(".isatty"), f"{path.name}: {name}"
