"""The what-if commands on the sample: what they print, word for word, and what they refuse.

`golden/` holds the outputs; `python -m tests.whatif.test_commands` writes them anew where a change of words is meant.
"""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from pathlib import Path

import pytest

from tests.cli.command import SAMPLE, call, run

GOLDEN = Path(__file__).parent / "golden"

COMMANDS: dict[str, list[str]] = {
    "whatif-free-floor": ["whatif", "--rule", "free-floor=0.4"],
    "whatif-dpa": ["whatif", "quillfern-trial", "--set", "dpa_signed=true"],
    "whatif-lacking": ["whatif", "acme-eu", "--set", "plan=enterprise"],
    "whatif-matters": ["whatif", "acme-eu", "--all"],
    "compare": ["compare", "acme-eu", "corvane-bank"],
    "compare-edit": ["compare", "ladle-free", "--rule", "free-floor=0.4"],
    "near": ["near", "brueckwald", "openai/gpt-5.6-sol@global"],
    "near-nobody": ["near", "alba-clinic", "azure/gpt-5.6-luna@eu"],
    "near-winner": ["near", "corvane-bank", "--winner"],
    "rule-cost": ["rule-cost"],
    "rule-cost-tenant": ["rule-cost", "halvorsen"],
    "diff-catalogs": ["diff", "2026-08", "2026-11"],
    "diff-same": ["diff", "2026-11", "2026-11"],
}
CHANGED = {"diff-catalogs"}
"""Those that leave with 1, since a decision changed."""


def printed(name: str) -> str:
    ran = call("-C", SAMPLE, *COMMANDS[name], "--quiet")
    assert ran.code == int(name in CHANGED), ran.err
    assert ran.err == ""
    return ran.out


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_prints_what_it_is_known_to(name: str) -> None:
    assert printed(name) == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", COMMANDS)
def test_csv_is_a_table_and_json_a_document(name: str) -> None:
    words = ["-C", str(SAMPLE), *COMMANDS[name]]
    rows = list(csv.reader(io.StringIO(call(*words, "--csv").out)))
    assert len(rows) > 1 or name == "near-winner"
    assert len({len(row) for row in rows}) == 1
    assert json.loads(call(*words, "--json").out)["schema"] == 1


def test_before_after_and_changes_are_where_they_are_promised() -> None:
    document = call("-C", SAMPLE, "whatif", "ladle-free", "--set", "plan=vip", "--json").json
    assert document["before"]["winner"] == "coreweave/openai/gpt-oss-120b"
    assert document["after"]["winner"] == "amazon-bedrock/global.xai.grok-4.6"
    kinds = [one["kind"] for one in document["changes"]]
    assert kinds[0] == "fact"
    assert {"clause", "winner", "cost_per_run", "cost_per_month", "survivors", "fingerprint"} <= set(kinds)
    assert {one["rule"] for one in document["closed"]["by"]} == {"standard-floor", "vip-floor"}


def test_what_the_free_floor_costs_a_month_is_in_one_answer() -> None:
    document = call("-C", SAMPLE, "whatif", "--rule", "free-floor=0.4", "--json").json
    assert [one["tenant"] for one in document["tenants"]] == ["ladle-free"]
    assert round(document["cost_per_month_change"], 6) == 1.92
    assert document["winners_changed"] == 1


def without_runs(root: Path, *tenants: str) -> Path:
    """The sample without `runs_per_month`: of these tenants, or of everyone."""
    shutil.copytree(SAMPLE, root)
    for file in root.rglob("*.toml"):
        if not tenants or file.stem in tenants:
            kept = [line for line in file.read_text().splitlines(True) if "runs_per_month" not in line]
            file.write_text("".join(kept))
    return root


def test_a_month_that_is_known_of_nobody_is_unknown_and_never_nothing(tmp_path: Path) -> None:
    root = without_runs(tmp_path / "space")
    asked = ("-C", root, "whatif", "--rule", "free-floor=0.4")
    assert "together ? $ a month" in call(*asked).out
    assert "not in the sum: ladle-free" in call(*asked).out
    document = call(*asked, "--json").json
    assert document["cost_per_month_change"] is None
    assert document["cost_per_month_unknown"] == ["ladle-free"]
    totals = call("-C", root, "rule-cost", "--json").json["clauses"]
    assert any(total["moved"] for total in totals)
    for total in totals:
        assert total["cost_per_month"] == (None if total["moved"] else 0.0)
        assert total["not_in_the_sum"] == total["moved"]
    table = call("-C", root, "rule-cost").out
    assert re.search(r"\+0\.00\b", table) is None
    assert "?" in table


def test_a_sum_names_who_is_not_in_it(tmp_path: Path) -> None:
    root = without_runs(tmp_path / "space", "acme-eu")
    asked = ("-C", root, "whatif", "--rule", "standard-floor=0.9", "--rule", "free-floor=0.4")
    document = call(*asked, "--json").json
    silent = document["cost_per_month_unknown"]
    assert "acme-eu" in silent
    assert document["cost_per_month_change"] is not None
    (line,) = (line for line in call(*asked).out.splitlines() if line.startswith("not in the sum: "))
    assert all(tenant in line for tenant in silent[:5])
    rules = call("-C", root, "rule-cost", "--json").json["clauses"]
    partly = [each for each in rules if "acme-eu" in each["not_in_the_sum"] and each["cost_per_month"] is not None]
    table = call("-C", root, "rule-cost").out.splitlines()
    for each in partly:
        assert any(line.startswith(each["clause_id"]) and line.count("acme-eu") >= 2 for line in table)
    assert partly


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["whatif"], 2, "nothing is supposed"),
        (["whatif", "--set", "plan=vip"], 2, "`TENANT` is missing"),
        (["whatif", "--all"], 2, "`TENANT` is missing"),
        (["whatif", "acme-eu", "--all", "--set", "plan=vip"], 2, "--all tries every fact"),
        (["whatif", "acme-eu", "--set", "plan=gold"], 2, "cannot be `gold`"),
        (["whatif", "acme-eu", "--set", "plann=vip", "--rule", "nope=1"], 2, "no clause `nope`"),
        (["whatif", "acme-eu", "--rule", "vip-floor=bench_inteligence >= 1"], 1, "bench_intelligence"),
        (["whatif", "nobody", "--set", "plan=vip"], 2, "no tenant `nobody`"),
        (["whatif", "acme-eu", "--set", "plan=vip", "--csv", "--json"], 2, "exclude each other"),
        (["compare", "acme-eu"], 2, "can't be compared"),
        (["compare", "acme-eu", "acme-eu"], 2, "named twice"),
        (["compare", "acme-eu", "halvorsen", "--set", "plan=vip"], 2, "a change is of one tenant"),
        (["near", "acme-eu"], 2, "`OFFER` is missing"),
        (["near", "acme-eu", "no-such-offer"], 2, "no offer"),
        (["near", "alba-clinic", "--winner"], 3, "no offer is left"),
        (["near", "acme-eu", "azure/gpt-5.5@global", "--winner"], 2, "not behind the winner"),
        (["rule-cost", "nobody"], 2, "no tenant `nobody`"),
        (["diff", "nonsense"], 2, "in no git repository"),
        (["diff", "missing.toml"], 2, "no file `missing.toml`"),
        (["diff", "2026-08", "--tenant", "nobody"], 2, "neither side has a tenant"),
        (["diff"], 2, "`BEFORE` is missing"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(words: list[str], code: int, said: str, tmp_path: Path) -> None:
    ran = call("-C", SAMPLE, *words, cwd=tmp_path)
    assert ran.code == code
    assert said in ran.err
    assert "Traceback" not in ran.err


def test_an_error_is_a_document_too(tmp_path: Path) -> None:
    for words in (["diff", "nonsense"], ["whatif", "acme-eu", "--set", "plan=gold"]):
        told = call("-C", SAMPLE, *words, "--json", cwd=tmp_path)
        assert told.code == 2
        assert told.error["findings"]


def test_a_broken_tenant_is_told_and_stops_no_answer_about_the_others(tmp_path: Path) -> None:
    root = tmp_path / "policies"
    shutil.copytree(SAMPLE, root)
    path = root / "tenants" / "halvorsen.toml"
    path.write_text(path.read_text().replace('plan = "enterprise"', 'plan = "gold"'))
    for words in (["whatif", "--rule", "free-floor=0.4"], ["rule-cost"]):
        ran = call("-C", root, *words)
        assert ran.code == 1
        assert "gold" in ran.err
        assert "free-floor" in ran.out
        assert call("-C", root, *words, "--json").json["broken"][0]["file"] == "halvorsen.toml"
    assert call("-C", root, "whatif", "halvorsen", "--set", "plan=vip").code == 1
    ran = call("-C", root, "diff", SAMPLE, root)
    assert ran.code == 1
    assert "cannot be told" in ran.out


def test_the_command_itself_leaves_with_the_code_and_cuts_nothing_into_a_pipe() -> None:
    ran = run("-C", SAMPLE, "diff", "2026-08", "2026-11", COLUMNS="80")
    assert ran.code == 1
    assert ran.out == (GOLDEN / "diff-catalogs.txt").read_text(encoding="utf-8")


if __name__ == "__main__":
    for each in COMMANDS:
        (GOLDEN / f"{each}.txt").write_text(printed(each), encoding="utf-8")
