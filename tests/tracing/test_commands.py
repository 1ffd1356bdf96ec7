"""`traces` and `replay` as a person runs them: every state a store can be in, exit codes, and nothing raw on screen."""

from __future__ import annotations

import json
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.command import Ran, call, run
from tests.traces.later import LATER as NEWER
from tests.traces.worlds import NOON
from tests.tracing.filled import called, decided, fill
from workbench.boundary import files
from workbench.session.workspace import sample_root
from workbench.traces.databases.sqlite import open_sqlite
from workbench.traces.opening import open_store

HOSTILE = "\x1b]52;c;UFdORUQ=\x07[red]\u202eevil\x9b2J\x00"


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A store with one trace of each kind."""
    path = tmp_path / "state" / "traces.db"
    with closing(open_store(path)) as store:
        fill(store)
    return path


def traces(path: Path, *words: str) -> Ran:
    return call("traces", *words, "--traces", str(path))


def replay(path: Path, *words: str) -> Ran:
    return call("replay", *words, "--traces", str(path))


def test_list_shows_newest_first_and_reads_on(filled: Path) -> None:
    ran = traces(filled, "list", "--limit", "2", "--json")
    assert [row["trace_id"] for row in ran.json["traces"]] == ["tb05begun", "ta04decided"]
    rest = traces(filled, "list", "--cursor", str(ran.json["next"]), "--json").json
    assert [row["trace_id"] for row in rest["traces"]] == ["ta03quiet", "ta02over", "ta01ok"]
    assert rest["next"] is None
    text = traces(filled, "list").out
    assert "! interrupted" in text
    assert "◇ emulated" in text
    assert "the winner" in text


@pytest.mark.parametrize("words", [("list",), ("list", "--json"), ("show", "t"), ("export",), ("prune", "--keep", "1")])
def test_no_store_yet_is_said_and_none_is_made(tmp_path: Path, words: tuple[str, ...]) -> None:
    path = tmp_path / "state" / "traces.db"
    ran = traces(path, *words)
    if words[0] == "list":
        assert ran.code == 0
        assert ran.json["store"]["standing"] == "none" if "--json" in words else "nothing has been traced" in ran.err
    else:
        assert (ran.code, "nothing has been traced yet" in ran.err) == (1, True)
    assert not path.parent.exists()
    assert replay(path, "--all").code == 1


def test_an_empty_store_is_another_thing(tmp_path: Path) -> None:
    path = tmp_path / "traces.db"
    open_store(path).close()
    assert "there is no trace in" in traces(path, "list").err
    ran = replay(path, "--all")
    assert (ran.code, "nothing was decided again" in ran.err) == (1, True)
    assert traces(path, "export").out == ""


def test_a_damaged_store_is_set_aside_and_said(tmp_path: Path) -> None:
    path = tmp_path / "traces.db"
    files.write_atomic(path, b"this is no database at all, whatever its name says" * 100)
    ran = traces(path, "list")
    assert ran.code == 0
    assert "damaged" in ran.err
    assert len(list(tmp_path.glob("traces.db.corrupt-*"))) == 1
    again = traces(path, "list", "--json").json
    assert again["store"]["standing"] == "open"


def test_a_store_of_a_newer_program_is_read_and_not_written(filled: Path) -> None:
    open_sqlite(filled, migrations=NEWER)[0].close()
    ran = traces(filled, "list", "--json").json
    assert (ran["store"]["standing"], len(ran["traces"])) == ("read only", 5)
    assert "newer program" in ran["store"]["warnings"][0]["reason"]
    assert "newer program" in traces(filled, "list").err
    assert replay(filled, "ta01").code == 0
    refused = traces(filled, "prune", "--keep", "0", "--yes")
    assert (refused.code, "read only" in refused.err) == (1, True)


def test_a_place_that_is_none_is_refused(tmp_path: Path) -> None:
    for place in ("notes.txt", "mysql://u:hunter2@h/d", str(tmp_path)):
        ran = call("traces", "list", "--traces", place)
        assert ran.code == 2
        assert "hunter2" not in ran.err
    (tmp_path / "folder.db").mkdir()
    assert traces(tmp_path / "folder.db", "list").code == 1


def test_show_says_who_kept_whom_out_and_takes_a_short_id(filled: Path) -> None:
    text = traces(filled, "show", "ta02", "--rejected").out
    for part in ("rate_limit (429)", "slow down", "needed", "eu-residency", "0.001200 $"):
        assert part in text
    assert traces(filled, "show", "ta02", "--json").json["trace"]["trace_id"] == "ta02over"
    exchanged = traces(filled, "show", "ta02", "--exchange")
    assert "needle" in exchanged.out
    quiet = traces(filled, "show", "ta03", "--exchange")
    assert "keeps no text" in " ".join(quiet.out.split())
    assert "not in this trace" in quiet.err
    ambiguous = traces(filled, "show", "ta")
    assert (ambiguous.code, "ta04decided" in ambiguous.err) == (1, True)


def test_show_of_a_flow_shows_every_node(filled: Path) -> None:
    with closing(open_store(filled)) as store:
        decided(store, "tf0123456789.n2")
        called(store, "tf0123456789.n1", text="needle")
    ran = traces(filled, "show", "tf0123456789", "--exchange")
    assert ran.out.startswith("tf0123456789: a flow of 2 calls\n")
    first, second = ran.out.index("tf0123456789.n1: "), ran.out.index("tf0123456789.n2: ")
    assert ran.out.index("tf01234567.n1 ") < first < ran.out.index("needle") < second
    shown = traces(filled, "show", "tf0123", "--json").json
    assert shown["flow"] == "tf0123456789"
    assert [node["trace"]["trace_id"] for node in shown["nodes"]] == ["tf0123456789.n1", "tf0123456789.n2"]
    assert {tuple(node) for node in shown["nodes"]} == {("trace", "steps", "lacks")}
    alone = traces(filled, "show", "tf01234567.n1", "--json").json
    assert alone["trace"]["trace_id"] == "tf0123456789.n1"
    assert "tf01234567.n2" in traces(filled, "list").out


def test_replay_and_export_of_a_flow_take_its_nodes_in_their_order(filled: Path) -> None:
    with closing(open_store(filled)) as store:
        decided(store, "tf0123456789.n2")
        called(store, "tf0123456789.n1")
    ran = replay(filled, "tf0123456789", "--json")
    assert (ran.code, ran.json["flow"], ran.json["same"]) == (0, "tf0123456789", True)
    assert [node["trace_id"] for node in ran.json["nodes"]] == ["tf0123456789.n1", "tf0123456789.n2"]
    text = replay(filled, "tf0123")
    assert text.out.startswith("tf0123456789: a flow of 2 calls, 2 the same, 0 differ\n")
    assert text.out.index("tf0123456789.n1: ") < text.out.index("tf0123456789.n2: ")
    assert replay(filled, "tf0123", "--catalog", "2026-08").code == 1
    assert replay(filled, "tf0123456789.n2", "--json").json["trace_id"] == "tf0123456789.n2"
    lines = [json.loads(line) for line in traces(filled, "export", "tf0123456789", "ta01").out.splitlines()]
    assert [line["trace_id"] for line in lines] == ["ta01ok", "tf0123456789.n1", "tf0123456789.n2"]


def test_export_is_lines_of_whole_records(filled: Path, tmp_path: Path) -> None:
    lines = [json.loads(line) for line in traces(filled, "export").out.splitlines()]
    assert [line["trace_id"] for line in lines] == ["ta01ok", "ta02over", "ta03quiet", "ta04decided", "tb05begun"]
    assert lines[-1]["outcome"] == "interrupted"
    assert "needle" in json.dumps(lines), "the text of a tenant who lets it be kept is there"
    assert "never written" not in json.dumps(lines)
    target = tmp_path / "out.jsonl"
    assert traces(filled, "export", "ta02", "tb", "--out", str(target)).code == 0
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert len(target.read_text().splitlines()) == 2
    refused = traces(filled, "export", "--out", str(target))
    assert (refused.code, "--force" in refused.err) == (1, True)
    assert traces(filled, "export", "--out", str(target), "--force", "--outcome", "ok").code == 0
    assert len(target.read_text().splitlines()) == 2


def test_prune_says_the_count_and_asks(filled: Path, tmp_path: Path) -> None:
    nothing = traces(filled, "prune")
    assert (nothing.code, "nothing says which" in nothing.err) == (2, True)
    unsaid = traces(filled, "prune", "--tenant", "acme-eu")
    assert (unsaid.code, "4 traces of 5" in unsaid.err, "--yes" in unsaid.err) == (2, True, True)
    kept = tmp_path / "kept.db"
    ran = traces(filled, "prune", "--tenant", "acme-eu", "--yes", "--backup", str(kept), "--json").json
    assert (ran["deleted"], ran["left"], ran["backup"]) == (4, 1, str(kept))
    assert len(traces(kept, "list", "--json").json["traces"]) == 5
    again = traces(filled, "prune", "--tenant", "acme-eu", "--yes", "--backup", str(kept), "--json").json
    assert (again["deleted"], again["backup"]) == (0, None), "nothing to delete, so nothing to copy"
    both = traces(filled, "prune", "--older-than", "1d", "--until", "2026-11-01")
    assert both.code == 2


def test_prune_by_age_and_by_number(filled: Path) -> None:
    with closing(open_store(filled)) as store:
        called(store, "told", time_ms=NOON - 400 * 86_400_000)
    assert traces(filled, "prune", "--older-than", "2026-01-01", "--yes", "--json").json["deleted"] == 1
    assert traces(filled, "prune", "--keep", "2", "--yes", "--json").json["left"] == 2


def test_replay_tells_the_same_and_a_change_by_its_exit_code(filled: Path) -> None:
    same = replay(filled, "ta02", "--json")
    assert (same.code, same.json["same"], same.json["differences"]) == (0, True, [])
    assert all(field["same"] for field in same.json["fields"])
    other = replay(filled, "ta02", "--catalog", "2026-08", "--json")
    assert (other.code, other.json["same"], other.json["catalog"]["name"]) == (1, False, "2026-08")
    assert {field["field"] for field in other.json["fields"] if not field["same"]} >= {"order", "population"}
    text = replay(filled, "ta02", "--catalog", "2026-08")
    assert "over 2026-08" in text.out
    assert "and " in text.out.splitlines()[-1], "more than fits is counted"
    present = call("replay", "ta02", "--catalog", "workspace", "--traces", str(filled), "-C", str(sample_root()))
    assert present.code == 0


def test_replay_of_all_is_for_ci(filled: Path) -> None:
    ran = replay(filled, "--all", "--json")
    assert (ran.code, ran.json["replayed"], ran.json["same"], ran.json["changed"]) == (0, 5, 5, [])
    some = replay(filled, "--all", "--tenant", "corvane-bank", "--catalog", "2026-08", "--json")
    assert (some.code, some.json["replayed"], len(some.json["changed"])) == (1, 1, 1)
    with closing(sqlite3.connect(filled)) as raw:
        raw.execute("UPDATE records SET data = x'00' WHERE sequence = 1")
        raw.commit()
    damaged = replay(filled, "--all")
    assert (damaged.code, "ta01ok" in damaged.err, "1 can't be read" in damaged.out) == (1, True, True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "name one trace"),
        (("t", "--all"), "name one trace"),
        (("ta01", "--tenant", "x"), "--all"),
        (("--all", "--outcome", "fine"), "no trace ends in `fine`"),
        (("--all", "--since", "soon"), "`soon` is no time"),
        (("ta01", "--catalog", "2026-99"), "there is no catalog"),
    ],
)
def test_wrong_words_are_told(filled: Path, words: tuple[str, ...], told: str) -> None:
    ran = replay(filled, *words)
    assert ran.code == 2
    assert told in ran.err


def test_a_broken_workspace_keeps_nobody_from_the_traces(filled: Path, tmp_path: Path) -> None:
    root = tmp_path / "broken"
    root.mkdir()
    (root / "workbench.toml").write_text("this is not TOML")
    assert call("traces", "list", "--traces", str(filled), "-C", str(root)).code == 0
    assert call("traces", "list", "-C", str(root)).code == 1


def test_hostile_text_in_every_stored_field_stays_text(tmp_path: Path) -> None:
    path = tmp_path / "traces.db"
    with closing(open_store(path)) as store:
        ways = [{"kind": "server_error", "http_status": 500, "message": HOSTILE, "facts": {"detail": HOSTILE}}]
        called(store, "thostile", ways, text=HOSTILE)
    with closing(sqlite3.connect(path)) as raw:
        for column in ("tenant", "winner", "offer", "provider", "model", "region", "outcome"):
            raw.execute(f"UPDATE traces SET {column} = ?", (HOSTILE,))  # noqa: S608
        raw.commit()
    seen = [
        traces(path, "list"), traces(path, "list", "--json"), traces(path, "show", "th", "--exchange", "--rejected"),
        traces(path, "show", "th", "--json"), traces(path, "export"), replay(path, "th"), replay(path, "--all"),
        replay(path, "th", "--json"), traces(path, "prune", "--text", HOSTILE), traces(path, "show", HOSTILE),
    ]  # fmt: skip
    shown = "".join(ran.out + ran.err for ran in seen)
    assert "evil" in shown
    for character in ("\x1b", "\x07", "\x9b", "\u202e", "\x00"):
        assert character not in shown


def test_the_variable_names_the_store(filled: Path) -> None:
    ran = run("traces", "list", "--json", WORKBENCH_TRACES=str(filled))
    assert (ran.code, len(ran.json["traces"])) == (0, 5)
    refused = run("traces", "list", WORKBENCH_TRACES="x.txt")
    assert (refused.code, "WORKBENCH_TRACES" in refused.err) == (2, True)


def test_a_shared_database_is_a_store_like_any_other(database: str, tmp_path: Path) -> None:
    with closing(open_store(database)) as store:
        fill(store)
    place = database.replace("wb@", "wb:hunter2@")
    listed = call("traces", "list", "--traces", place, "--json")
    assert (len(listed.json["traces"]), "wb:***@" in listed.json["store"]["place"]) == (5, True)
    assert call("replay", "--all", "--traces", place).code == 0
    copied = call("traces", "prune", "--keep", "1", "--yes", "--backup", str(tmp_path / "x.db"), "--traces", place)
    assert (copied.code, "pg_dump" in copied.err) == (1, True)
    pruned = call("traces", "prune", "--keep", "1", "--yes", "--traces", place)
    assert "4 traces deleted, 1 left" in pruned.out
    gone = call("traces", "list", "--traces", place.replace("/traces", "/nowhere"))
    assert gone.code == 1
    assert "hunter2" not in "".join(ran.out + ran.err for ran in (listed, copied, pruned, gone))
