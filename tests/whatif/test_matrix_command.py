"""`matrix`, `drill` and `frontier` as commands: the same content as JSON, CSV and text, and words for what is wrong."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from tests.cli.command import call
from workbench.session.workspace import sample_root


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def test_cells_of_the_document_are_what_explain_answers() -> None:
    made = call("matrix", "--json").json
    names = [column["name"] for column in made["columns"]]
    assert len(names) == made["catalog"]["offers"]
    for tenant in ("acme-eu", "brueckwald", "lumenor-vip"):
        cells = next(row["cells"] for row in made["tenants"] if row["id"] == tenant)
        for at in range(0, len(names), 211):
            (answer,) = call("explain", tenant, names[at], "--json").json["offers"]
            assert cells[at] == (answer["place"] or answer["rules"][0]["rule"])


def test_csv_and_markdown_hold_the_same_cells() -> None:
    options = ("matrix", "--by", "provider", "--sort", "winner", "--differences")
    table = rows(call(*options, "--csv").out)
    made = call(*options, "--json").json
    assert table[0] == ["tenant", "alike", *(column["name"] for column in made["columns"])]
    assert [row[0] for row in table[1:]] == [row["id"] for row in made["tenants"]]
    assert [[str(cell) for cell in row["cells"]] for row in made["tenants"]] == [row[2:] for row in table[1:]]
    assert call(*options, "--markdown").out.count("**1**") == sum(row.count("1") for row in table[1:])


def test_a_page_is_written_once_and_replaced_only_on_purpose(tmp_path: Path) -> None:
    page = tmp_path / "matrix.html"
    assert call("matrix", "--by", "region", "--html", page).code == 0
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert "eu-residency" in text
    assert "unchanged" in call("matrix", "--by", "region", "--html", page).out
    refused = call("matrix", "--by", "provider", "--html", page)
    assert refused.code == 1
    assert "--force" in refused.err
    assert call("matrix", "--by", "provider", "--html", page, "--force").code == 0
    assert call("matrix", "--by", "region", "--html", "-").out == text


def test_the_text_marks_winners_and_says_what_is_left_out() -> None:
    shown = call("matrix", "--by", "provider", "--limit", "3").out
    assert shown.count("◆1") == 7 - sum(row["cells"].index(1) >= 3 for row in _winning())
    assert "… and 24 more columns" in shown
    assert "nothing matches" in call("matrix", "--tenant", "nobody at all").out


def _winning() -> list[dict[str, list[object]]]:
    return [row for row in call("matrix", "--by", "provider", "--json").json["tenants"] if 1 in row["cells"]]


WRONG = """
matrix --csv --markdown
matrix --force
matrix --sort plann
matrix --by x
drill
drill acme-eu --all
drill --all --by region
drill --radar --steps
drill acme-eu --down azur
drill acme-eu --fault openai=x
drill acme-e
drill --all --among zzz
drill acme-eu --latency -1
drill acme-eu --steps --csv
frontier acme-eu --x pric
frontier nobody
frontier acme-eu --height 1
"""


@pytest.mark.parametrize("line", WRONG.strip().splitlines())
def test_what_is_wrong_is_told_in_a_line_with_exit_code_2(line: str) -> None:
    words = line.split()
    ran = call(*words)
    assert ran.code == 2, ran
    assert ran.out == ""
    assert ran.err.count("\n") == 1
    assert "Traceback" not in ran.err
    assert call(*words, "--json").error["exit_code"] == 2


def test_a_clause_that_does_not_read_names_the_column() -> None:
    ran = call("drill", "--radar", "--where", "region = ")
    assert ran.code == 1
    assert "column" in ran.err


def test_a_drill_says_how_it_ended_in_every_form() -> None:
    words = ("drill", "acme-eu", "--down", "azure", "--fault", "openai=server_error", "--latency", "200")
    made = call(*words, "--json").json
    assert (made["end"], made["stranded"], made["assumed_latency_ms"]) == ("answered", False, 200.0)
    table = rows(call(*words, "--csv").out)
    assert [row[table[0].index("kind")] for row in table[1:]] == [step["kind"] for step in made["steps"]]
    assert made["offer"] in call(*words).out
    drawn = call(*words, "--steps").out
    assert drawn.count("●") == made["calls"]
    assert "an assumption" in drawn


def test_all_tenants_and_the_radar_agree_on_who_is_stranded() -> None:
    everyone = call("drill", "--all", "--down", "amazon-bedrock", "--json")
    radar = call("drill", "--radar", "--json").json
    loss = next(loss for loss in radar["losses"] if loss["name"] == "amazon-bedrock")
    assert everyone.code == 1
    assert everyone.json["stranded"] == sorted([*loss["stranded"], *radar["nobody"]])
    one = call("drill", "--all", "--among", "plan=vip", "--json").json
    assert [row["tenant"] for row in one["tenants"]] == ["lumenor-vip"]


def test_who_is_stranded_when_the_cheapest_eu_provider_goes_down() -> None:
    made = call("drill", "--radar", "--where", "region = eu", "--sort", "price", "--json").json
    assert made["cheapest"] == made["losses"][0]["name"]
    text = call("drill", "--radar", "--where", "region = eu", "--sort", "price").out
    assert f"the cheapest provider with region = eu is {made['cheapest']} (" in text


def test_a_frontier_has_its_line_and_names_what_is_not_plotted() -> None:
    made = call("frontier", "acme-eu", "--json").json
    assert made["winner"] in made["line"]
    assert len(made["points"]) + len(made["not_plotted"]) == made["survivors"] + made["rejected"]
    table = rows(call("frontier", "acme-eu", "--csv").out)
    assert len(table) == 1 + made["survivors"] + made["rejected"]
    on = table[0].index("on_line")
    assert {row[0] for row in table[1:] if row[on] == "yes"} == set(made["line"])
    assert "◆" in call("frontier", "acme-eu", "--x", "context", "--y", "price_out", "--linear").out


def test_a_broken_tenant_is_told_and_stops_nobody(tmp_path: Path) -> None:
    assert call("init", tmp_path / "w").code == 0
    (tmp_path / "w" / "tenants" / "bad.toml").write_text("facts = 1")
    for words in (("matrix",), ("drill", "--all"), ("drill", "--radar")):
        ran = call(*words, cwd=tmp_path / "w")
        assert ran.code == 1
        assert "bad.toml" in ran.err
        assert ran.out


def test_the_sample_is_where_these_figures_come_from() -> None:
    assert len(list((sample_root() / "tenants").glob("*.toml"))) == len(call("matrix", "--json").json["tenants"])
