"""The list, a shortened id, one trace in full, deletion and replay: the same on SQLite and PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.traces.worlds import NOON, kept, sample
from tests.tracing.filled import FAILED_OVER, SECOND, begun, called, decided, fill
from workbench.errors import DocumentError, TraceError, UsageError
from workbench.session.tracing.asking import moment_ms, outcome_word, query_filter
from workbench.session.tracing.pruning import back_up, pruning
from workbench.session.tracing.rows import answered, find_all, marks, page, row_json, short_id
from workbench.session.tracing.verdict import verdict, verdicts
from workbench.session.tracing.whole import exported, whole
from workbench.traces.databases.sqlite import SqliteDatabase
from workbench.traces.listing import Filter, TraceRow
from workbench.traces.parts.catalogs import KeptCatalog
from workbench.traces.store import TraceStore

LATER = NOON + 3_600_000


def ids(store: TraceStore, wanted: Filter) -> list[str]:
    return [row.trace_id for row in page(store, wanted, now_ms=LATER, limit=100).rows]


def test_a_row_says_who_won_who_answered_and_how_often_was_tried(store: TraceStore) -> None:
    fill(store)
    rows = {row.trace_id: row for row in page(store, Filter(), now_ms=LATER, limit=100).rows}
    over, begun_row = rows["ta02over"], rows["tb05begun"]
    assert over.winner is not None
    assert answered(over) not in {None, over.winner}
    assert (over.attempts, marks(over)) == (2, ("◇ emulated",))
    assert (begun_row.outcome, begun_row.attempts, marks(begun_row)) == ("interrupted", 1, ("! interrupted",))
    assert begun_row.provider == over.winner.partition("/")[0]
    assert (answered(rows["ta04decided"]), answered(rows["ta03quiet"])) == (None, None)
    assert marks(rows["ta03quiet"]) == ("· no_log",)
    shape = row_json(over)
    assert (shape["winner"], shape["answered"], shape["emulated"]) == (over.winner, over.offer, True)


def test_pages_meet_without_gap_or_overlap(store: TraceStore) -> None:
    for number in range(7):
        decided(store, f"t{number}")
    seen: list[str] = []
    before: int | None = None
    while True:
        found = page(store, Filter(), now_ms=LATER, limit=3, before=before)
        seen += [row.trace_id for row in found.rows]
        before = found.next
        if before is None:
            break
    assert seen == [f"t{number}" for number in range(6, -1, -1)]


def test_a_page_of_interrupted_traces_is_full_whatever_lies_between(store: TraceStore) -> None:
    for number in range(6):
        begun(store, f"told{number}", time_ms=NOON)
        begun(store, f"tnew{number}", time_ms=LATER)
    found = page(store, Filter(outcome="interrupted"), now_ms=LATER, limit=4)
    assert [row.trace_id for row in found.rows] == ["told5", "told4", "told3", "told2"]
    rest = page(store, Filter(outcome="interrupted"), now_ms=LATER, limit=4, before=found.next)
    assert [row.trace_id for row in rest.rows] == ["told1", "told0"]
    assert rest.next is None


ASKED = {
    "": ["tb05begun", "ta04decided", "ta03quiet", "ta02over", "ta01ok"],
    "tenant:corvane-bank": ["ta03quiet"],
    "outcome:failed": ["tb05begun", "ta03quiet"],
    "outcome:server_error": ["ta03quiet"],
    "outcome:exhausted": ["ta03quiet"],
    "outcome:ok": ["ta02over", "ta01ok"],
    "NEEDLE": ["ta02over"],
    "never": [],
    "since:2026-11-02T12:00:03": ["tb05begun", "ta04decided"],
    "until:2026-11-02T12:00:01Z": ["ta01ok"],
    "since:1h needle": ["ta02over"],
    "provider:nobody": [],
    "100%_!": [],
}


def test_words_find_what_they_mean(store: TraceStore) -> None:
    fill(store)
    assert {words: ids(store, query_filter(words, LATER)) for words in ASKED} == ASKED


@pytest.mark.parametrize("text", ["soon", "7y", "2026-13-01", "99999999d ago", "", "-1h"])
def test_a_time_that_is_none_is_refused_with_the_way_out(text: str) -> None:
    with pytest.raises(UsageError, match="2026-11-22"):
        moment_ms(text, NOON, "--since")


def test_times_before_1970_and_long_ages_are_the_beginning() -> None:
    assert moment_ms("0001-01-01T00:00+23:59", NOON, "--since") == 0
    assert moment_ms("999999w", NOON, "--since") == 0
    assert moment_ms("2026-11-02T12:00", NOON, "--since") == NOON
    assert moment_ms("2026-11-02T13:00+01:00", NOON, "--since") == NOON


def test_an_outcome_that_no_trace_has_gets_a_suggestion() -> None:
    assert outcome_word("In flight", "--outcome") == "in flight"
    assert outcome_word("rate limit", "--outcome") == "rate_limit"
    with pytest.raises(UsageError, match="did you mean `interrupted`"):
        outcome_word("interupted", "--outcome")


def one(store: TraceStore, text: str, *, now_ms: int) -> TraceRow:
    """The one trace that is meant."""
    (found,) = find_all(store, text, now_ms=now_ms)
    return found


def test_an_id_may_be_shortened_and_an_ambiguous_one_names_its_candidates(store: TraceStore) -> None:
    fill(store)
    decided(store, "ta0")
    assert one(store, "tb", now_ms=LATER).trace_id == "tb05begun"
    assert one(store, "TA0", now_ms=LATER).trace_id == "ta0", "a whole id is itself, whatever goes on from it"
    with pytest.raises(TraceError) as caught:
        one(store, "ta", now_ms=LATER)
    assert {finding.code for finding in caught.value.findings} == {"ambiguous_trace", "candidate_trace"}
    assert "ta03quiet" in str(caught.value)
    for number in range(12):
        decided(store, f"many{number:02}")
    with pytest.raises(TraceError, match="more than 10 ids"):
        one(store, "many", now_ms=LATER)
    for text in ("nobody", "", "x; DROP TABLE traces", "%", "\x00", "ta_", "t" * 10_000):
        with pytest.raises(TraceError, match="no trace's id begins"):
            one(store, text, now_ms=LATER)


def test_the_id_of_a_flow_means_its_nodes_and_a_nodes_short_id_that_node(store: TraceStore) -> None:
    fill(store)
    nodes = [f"tf0123456789abcdef.n{number}" for number in range(1, 12)]
    for node in (*nodes[1:], nodes[0]):
        decided(store, node)
    for text in ("tf0123456789abcdef", "tf0123", "tf0123456789abcdef.n"):
        assert [row.trace_id for row in find_all(store, text, now_ms=LATER)] == nodes
    for node in nodes:
        assert [row.trace_id for row in find_all(store, short_id(node), now_ms=LATER)] == [node]
        assert [row.trace_id for row in find_all(store, node, now_ms=LATER)] == [node]
    assert len({short_id(node) for node in nodes}) == len(nodes)
    with pytest.raises(TraceError, match="no trace's id begins"):
        find_all(store, "tf0123.n12", now_ms=LATER)
    decided(store, "tf0123xyz")
    for text in ("tf0123", "t", "ta"):
        with pytest.raises(TraceError, match="ids"):
            find_all(store, text, now_ms=LATER)
    decided(store, "tf0123xyz.n3")
    with pytest.raises(TraceError, match=r"`tf0123\.n3` begins 2 ids"):
        find_all(store, "tf0123.n3", now_ms=LATER)


def test_one_trace_in_full_is_a_ladder_with_times_and_words(store: TraceStore) -> None:
    fill(store)
    found = whole(store, one(store, "ta02", now_ms=LATER))
    first, second = found.rungs
    assert (first.sign, first.at_ms, first.took_ms, first.message) == ("x", 0.0, 40.0, "slow down")
    assert first.words.startswith("rate_limit (429)")
    assert "it asks to wait 1000 ms" in first.words
    assert (second.sign, second.at_ms, second.words) == ("+", 40.0, "answered")
    facts = dict(found.facts)
    assert facts["cost"] == "0.001200 $ (computed: catalog prices, the provider's token counts)"
    assert facts["tokens"] == "120 in, 20 of them cached, 30 out"
    assert found.lacks == ()
    rule = found.document["rejected"][0]["rules"][0]
    assert {"rule", "clause", "observed", "needed"} <= set(rule)


def test_a_quiet_trace_says_what_it_does_not_hold(store: TraceStore) -> None:
    fill(store)
    quiet = whole(store, one(store, "ta03", now_ms=LATER))
    assert "keeps no text" in quiet.lacks[0]
    assert "exchange" not in quiet.document
    assert all(rung.message is None for rung in quiet.rungs)
    assert whole(store, one(store, "ta04", now_ms=LATER)).lacks == ("No call followed this decision.",)


def test_an_interrupted_call_shows_what_is_known_of_it(store: TraceStore) -> None:
    fill(store)
    found = whole(store, one(store, "tb05", now_ms=LATER))
    (rung,) = found.rungs
    assert (rung.sign, rung.took_ms) == ("?", None)
    assert "may have been paid" in rung.words
    assert found.document["outcome"] == "interrupted"
    assert any("gone without an outcome" in sentence for sentence in found.lacks)


def test_replay_is_the_same_over_its_own_catalog_and_names_what_another_changes(store: TraceStore) -> None:
    fill(store)
    for again in verdicts(store, Filter(), now_ms=LATER):
        assert again.verdict is not None
        assert again.verdict.same
        assert not again.verdict.other
    row = one(store, "ta02", now_ms=LATER)
    catalog = sample().catalog
    winner = catalog.find(row.winner or "")
    dear = tuple(
        {**candidate, "price_in": 900.0} if index == winner else candidate
        for index, candidate in enumerate(catalog.candidates)
    )
    other = KeptCatalog.of(replace(catalog, name="dearer", candidates=dear))
    found = verdict(store, row, other)
    assert found.other
    assert not found.same
    chosen = next(field for field in found.fields if field.field == "chosen")
    assert (chosen.before, chosen.words.startswith(f"{row.winner} -> ")) == (row.winner, True)
    assert {"chosen", "order", "scores"} <= set(found.changed)
    assert "dearer" in found.sentence
    assert "this program decides otherwise" not in found.sentence
    assert verdict(store, row, kept()).other is False


def test_a_record_that_was_changed_is_found_and_stops_nobody_else(store: TraceStore) -> None:
    fill(store)
    with store.database.write() as execute:
        execute("UPDATE contents SET data = :data WHERE kind = 'verdicts' AND sha256 = (SELECT s.verdicts FROM sets s "
                "JOIN traces t ON t.contents = s.id WHERE t.trace_id = 'ta03quiet')",
                {"data": b"junk"})  # fmt: skip
    with pytest.raises(DocumentError):
        verdict(store, one(store, "ta03", now_ms=LATER))
    found = list(verdicts(store, Filter(), now_ms=LATER))
    assert [again.row.trace_id for again in found if again.error is not None] == ["ta03quiet"]
    assert sum(again.verdict is not None for again in found) == 4
    told = [one for one in exported(store, Filter(), now_ms=LATER) if one.document is None]
    assert "ta03quiet" in told[0].findings[0].reason


def test_pruning_counts_what_it_deletes_and_leaves_a_call_in_flight(store: TraceStore) -> None:
    fill(store)
    begun(store, "tc06now", time_ms=LATER)
    plan = pruning(store, Filter(), now_ms=LATER, keep=3)
    assert (plan.count, plan.total) == (3, 6)
    assert plan.run() == 3
    assert ids(store, Filter()) == ["tc06now", "tb05begun", "ta04decided"]
    assert pruning(store, Filter(), now_ms=LATER, keep=10).count == 0
    everything = pruning(store, Filter(), now_ms=LATER, keep=0)
    assert (everything.count, everything.run()) == (2, 2)
    assert ids(store, Filter()) == ["tc06now"]


def test_a_backup_is_a_store_and_overwrites_nothing(store: TraceStore, tmp_path: Path) -> None:
    fill(store)
    target = tmp_path / "kept.db"
    if not isinstance(store.database, SqliteDatabase):
        with pytest.raises(TraceError, match="pg_dump"):
            back_up(store, target)
        return
    back_up(store, target)
    assert target.stat().st_mode & 0o777 == 0o600
    with pytest.raises(TraceError, match="none was deleted"):
        back_up(store, target)


def test_the_pulse_tells_every_change(store: TraceStore) -> None:
    seen = [store.pulse()]
    called(store, "t1", FAILED_OVER)
    seen.append(store.pulse())
    begun(store, "t2", time_ms=LATER)
    seen.append(store.pulse())
    store.prune(Filter(trace_id="t1"), now_ms=NOON + SECOND)
    seen.append(store.pulse())
    assert len(set(seen)) == 4
    assert store.pulse() == seen[-1]
