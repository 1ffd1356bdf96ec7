"""What differs between two catalogs: offers matched across a new region, facts compared, unknown is no value."""

from __future__ import annotations

import csv
import io
import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import call
from workbench.catalog import load_catalog, packaged_catalogs
from workbench.catalog.changes import Changes, changes

PACKAGED = json.loads(packaged_catalogs()["2026-11"].read_text(encoding="utf-8"))
NAME = "acme\x1b[31m-model"


def document() -> dict[str, Any]:
    """The packaged catalog with five offers."""
    made = deepcopy(PACKAGED)
    made["offers"] = made["offers"][:5]
    return made


def written(path: Path, made: dict[str, Any]) -> Path:
    path.write_text(json.dumps(made), encoding="utf-8")
    return path


def compared(folder: Path, old: dict[str, Any], new: dict[str, Any]) -> Changes:
    paths = (written(folder / "old.json", old), written(folder / "new.json", new))
    return changes(*map(load_catalog, paths))


def test_a_catalog_and_itself(tmp_path: Path) -> None:
    found = compared(tmp_path, document(), document())
    assert found.same
    assert (len(found.pairs), found.redated, dict(found.by_fact)) == (5, 0, {})


def test_offers_come_and_go_and_order_does_not_count(tmp_path: Path) -> None:
    new = document()
    gone = new["offers"].pop(1)
    new["offers"].reverse()
    new["offers"].append({**gone, "served_model_id": "other"})
    found = compared(tmp_path, document(), new)
    assert [found.new.offer_id(k) for k in found.added] == [f"{gone['provider']}/other"]
    assert [found.old.offers[k].served_model_id for k in found.removed] == [gone["served_model_id"]]
    assert not found.changed


def test_a_fact_has_both_values_with_source_and_day(tmp_path: Path) -> None:
    new = document()
    new["offers"][0] |= {"price_in": 123.0, "date": "2026-11-01"}
    (change,) = compared(tmp_path, document(), new).changed
    (fact,) = change.facts
    assert fact.before is not None
    assert fact.after is not None
    assert (fact.name, fact.after.value, fact.after.date) == ("price_in", 123.0, "2026-11-01")
    assert fact.before.value == PACKAGED["offers"][0]["price_in"]
    assert fact.before.source


def test_known_and_unknown_are_different_and_a_new_day_alone_is_not(tmp_path: Path) -> None:
    old, new = document(), document()
    old["offers"][0] |= {"price_in": 0.0}
    new["offers"][0].pop("price_in")
    new["offers"][1]["date"] = "2026-11-03"
    found = compared(tmp_path, old, new)
    assert dict(found.by_fact) == {"price_in": 1}
    (fact,) = found.changed[0].facts
    assert (fact.before and fact.before.value, fact.after and fact.after.value) == (0.0, None)
    assert found.redated > 1


def test_the_only_offer_of_a_model_that_changes_its_region_is_the_same_offer(tmp_path: Path) -> None:
    old, new = document(), document()
    old["offers"][0]["region"], new["offers"][0]["region"] = "us", "eu"
    found = compared(tmp_path, old, new)
    assert not found.added
    assert not found.removed
    assert "region" in {fact.name for fact in found.changed[0].facts}


def test_the_command_says_it_in_three_shapes_and_by_its_exit_code(tmp_path: Path) -> None:
    new = document()
    new["offers"][0]["price_out"] = 77.0
    new["offers"].append({**new["offers"][1], "served_model_id": "=cmd|x"})
    paths = (written(tmp_path / "old.json", document()), written(tmp_path / "new.json", new))
    told = call("catalog", "diff", *paths, "--json")
    assert told.code == 1
    assert told.json["by_fact"] == {"price_out": 1}
    assert [offer["served_model_id"] for offer in told.json["added"]] == ["=cmd|x"]
    rows = list(csv.DictReader(io.StringIO(call("catalog", "diff", *paths, "--csv").out)))
    assert [(row["change"], row["fact"], row["after"]) for row in rows] == [
        ("added", "", ""),
        ("changed", "price_out", "77"),
    ]
    text = call("catalog", "diff", *paths)
    assert (text.code, "price_out" in text.out, "77" in text.out) == (1, True, True)
    assert call("catalog", "diff", paths[0], paths[0]).code == 0
    only = call("catalog", "diff", *paths, "--fact", "price_in", "--json")
    assert only.json["changed"] == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["2026-08", "2026-12"], "there is no catalog `2026-12`; did you mean"),
        (["2026-08", "2026-11", "--fact", "price-in"], "did you mean `price_in`"),
        (["2026-08"], "`NEW` is missing"),
        (["2026-08", "2026-11", "--json", "--csv"], "exclude"),
    ],
)
def test_wrong_words_are_told(words: list[str], told: str) -> None:
    ran = call("catalog", "diff", *words)
    assert ran.code == 2
    assert told in ran.err


def test_hostile_names_do_not_reach_the_terminal(tmp_path: Path) -> None:
    new = document()
    new["offers"][0]["served_model_id"] = NAME
    paths = (written(tmp_path / "old.json", document()), written(tmp_path / "new.json", new))
    for form in ([], ["--csv"], ["--json"]):
        assert "\x1b" not in call("catalog", "diff", *paths, *form).out
