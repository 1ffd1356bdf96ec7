"""`workbench fleet` as a person meets it."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from math import isclose
from pathlib import Path

import pytest

from tests.cli.command import COMMAND, SAMPLE, call, environment
from workbench.whatif.fleet.arrow import load


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A thousand made-up tenants, as the command makes them."""
    path = tmp_path_factory.mktemp("fleet") / "tenants.parquet"
    ran = call("fleet", "--sample", "1000", path)
    assert ran.code == 0
    assert ran.out == f"wrote 1,000 made-up tenants to {path}\n"
    return path


def test_the_sample_is_the_same_every_time_and_in_every_form(base: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.parquet"
    call("fleet", "--sample", "1000", again)
    assert again.read_bytes() == base.read_bytes()
    first = call("fleet", base, "--json").json
    for ending, more in ((".jsonl", ()), (".csv", ("--lists", ";"))):
        path = tmp_path / f"made{ending}"
        assert call("fleet", "--sample", "1000", path).code == 0
        other = call("fleet", path, *more, "--json").json
        assert {**other, "source": ""} == {**first, "source": ""}


def test_a_supposed_floor_says_who_moves_and_what_it_costs(base: Path) -> None:
    ran = call("fleet", base, "--rule", "free-floor=0.4", "--by", "plan,region")
    assert ran.code == 1
    assert "exit code 1: " in ran.err
    assert "decisions changed" in ran.err
    document = call("fleet", base, "--rule", "free-floor=0.4", "--json").json
    free = next(row for row in document["segments"] if row["segment"] == {"plan": "free"})
    others = [row for row in document["segments"] if row["segment"] != {"plan": "free"}]
    assert document["changed"] == sum(free["movements"].values()) > 0
    assert all(not any(row["movements"].values()) for row in others)
    assert isclose(document["cost_difference"], free["cost_difference"])
    assert f"{document['changed']:,} get another model or price" in ran.out


def test_a_provider_that_is_down_strands_by_name(base: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    document = call("fleet", base, "--down", "azure", "--out", out, "--json").json
    rows = load("pyarrow.parquet").read_table(out).to_pylist()
    lost = [row["id"] for row in rows if row["movement"] == "lost"]
    assert [row["id"] for row in document["stranded_tenants"]] == lost
    assert len(lost) == document["stranded"] > 0
    assert not any(row["provider"] == "azure" for row in rows)


def test_nothing_supposed_is_exit_code_0(base: Path) -> None:
    ran = call("fleet", base)
    assert ran.code == 0
    assert ran.out.startswith("1,000 tenants, ")


def test_a_supposition_that_changes_nothing_says_so(base: Path) -> None:
    ran = call("fleet", base, "--rule", "free-floor=0.2")
    assert ran.code == 0
    assert "no decision changed" in ran.out


def test_csv_has_a_line_for_each_segment(base: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(call("fleet", base, "--by", "plan", "--csv").out)))
    assert [row["plan"] for row in rows][-1] == "all"
    assert sum(int(row["tenants"]) for row in rows[:-1]) == int(rows[-1]["tenants"]) == 1000


def test_against_another_rulebook_is_from_there_to_here(base: Path, tmp_path: Path) -> None:
    other = tmp_path / "rulebook.toml"
    text = (SAMPLE / "rulebook.toml").read_text(encoding="utf-8")
    other.write_text(
        text.replace('["cmp", "bench_intelligence", "ge", 0.2]', '["cmp", "bench_intelligence", "ge", 0.4]')
    )
    there = call("fleet", base, "--against", other, "--json").json
    here = call("fleet", base, "--rule", "free-floor=0.4", "--json").json
    assert isclose(there["cost_difference"], -here["cost_difference"])
    assert there["changed"] == here["changed"]


def test_a_workspace_says_where_its_tenants_are(workspace: Path) -> None:
    (workspace / "base.csv").write_text("customer,tier,mrr\na,free,1\nb,business,2\n", encoding="utf-8")
    with (workspace / "workbench.toml").open("a", encoding="utf-8") as file:
        file.write('\n[fleet]\nsource = "base.csv"\nid = "customer"\nignore = ["mrr"]\nmap = { plan = "tier" }\n')
    assert call("fleet", "--json", cwd=workspace).json["tenants"] == 2
    mapping = workspace / "other.toml"
    mapping.write_text('source = "base.csv"\nid = "customer"\nignor = ["mrr"]\n', encoding="utf-8")
    ran = call("fleet", "--mapping", mapping, cwd=workspace)
    assert ran.code == 1
    assert "unknown key `ignor`; did you mean `ignore`?" in ran.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "`SOURCE` is missing"),
        (("nowhere.csv",), "there is no such file"),
        (("BASE", "--by", "plann"), "tenants can't be told apart by `plann`; did you mean `plan`?"),
        (("BASE", "--rule", "free-flor=0.4"), "did you mean `free-floor`?"),
        (("BASE", "--down", "azur"), "no offer of the catalog is of provider `azur`; did you mean `azure`?"),
        (("BASE", "--set", "plan=gold"), "`plan` cannot be `gold`"),
        (("BASE", "--set", "gold"), "`gold` sets no fact"),
        (("BASE", "--map", "plan"), "`plan` maps nothing"),
        (("BASE", "--out", "x.txt"), "`x.txt` says no form"),
        (("BASE", "--resume"), "--resume is for --out FILE"),
        (("BASE", "--table", "x"), "is no database"),
        (("BASE", "--json", "--csv"), "--json and --csv exclude each other"),
        (("--sample", "5"), "`SOURCE` is missing"),
        (("--sample", "5", "x.xml"), "`x.xml` says no form"),
    ],
)
def test_what_cannot_be_is_refused_with_a_way_out(base: Path, words: tuple[str, ...], said: str) -> None:
    ran = call("fleet", *(str(base) if word == "BASE" else word for word in words))
    assert ran.code in (1, 2)
    assert ran.out == ""
    assert said in ran.err or said in json.dumps(ran.err)


def test_nothing_is_overwritten_unasked(base: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    assert call("fleet", base, "--out", out).code == 0
    before = out.read_bytes()
    ran = call("fleet", base, "--out", out)
    assert ran.code == 2
    assert "--force replaces it" in ran.err
    assert call("fleet", base, "--out", out, "--force").code == 0
    assert out.read_bytes() == before


def test_without_the_extra_it_says_what_to_install() -> None:
    hidden = "import sys; sys.modules['pyarrow'] = None; from workbench.cli.main import main"
    program = f"{hidden}; sys.exit(main(['fleet', 'a.csv']))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment(), check=False
    )
    assert done.returncode == 2
    assert done.stderr == "workbench: `pyarrow` is not installed; pip install 'policy-workbench[fleet]'\n"


ENDLESS = (
    "WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n) "
    "SELECT 't' || k AS id, 'free' AS plan, 'us' AS region, 'public' AS data_class, 1 AS dpa_signed, "
    "0 AS vip_support, 0 AS no_log FROM n"
)


def test_an_interrupt_keeps_what_was_done_and_names_it(tmp_path: Path) -> None:
    """A source without an end, stopped from outside once it is seen to run."""
    path = tmp_path / "base.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (x)")
    seen, given = pty.openpty()
    words = [*COMMAND, "fleet", str(path), "--query", ENDLESS, "--out", str(tmp_path / "out.parquet")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=given, env=environment(TERM="xterm")) as process:
        os.close(given)
        told = b""
        while b"tenants, " not in told:
            told += os.read(seen, 4096)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate()
        told += _rest(seen)
    assert process.returncode == 130
    assert out.decode().startswith("stopped: the first ")
    assert b"--resume goes on" in told
    parts = sorted((tmp_path / "out.parquet.parts").glob("part-*.parquet"))
    assert load("pyarrow.parquet").read_table(parts).num_rows > 0
    assert not (tmp_path / "out.parquet").exists()


def _rest(seen: int) -> bytes:
    told = b""
    while True:
        try:
            piece = os.read(seen, 4096)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        told += piece
    os.close(seen)
    return told
