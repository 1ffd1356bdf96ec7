"""A record is enough to decide again, reads back as it was, and a quiet one cannot hold text."""

from __future__ import annotations

import dataclasses
import json
import types
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.traces.worlds import LOGGING, QUIET, case, kept, sample
from workbench.engine.decide import decide
from workbench.engine.fallback import Finished
from workbench.engine.verdicts import observe
from workbench.errors import DocumentError
from workbench.gateway.classify import DETAILS as GATEWAY_DETAILS
from workbench.language.signature import FAIL_REASONS
from workbench.traces.document import document
from workbench.traces.parts.catalogs import KeptCatalog, packed, unpacked
from workbench.traces.parts.verdicts import Verdicts
from workbench.traces.parts.words import KINDS, Digest, Ending, Fingerprint, Identifier, Whose, detail_of
from workbench.traces.reading import from_document
from workbench.traces.record import Exchange, QuietTrace, Trace, Usage, finish, settle
from workbench.traces.wire import from_row, to_row

FAILED: list[dict[str, Any]] = [
    {
        "kind": "rate_limit",
        "http_status": 429,
        "retry_after_ms": 2000.0,
        "message": "slow \x1b[2J down",
        "facts": {"detail": "embedded:insufficient_secret", "bytes_in": 312},
    },
    {"kind": "server_error", "http_status": 503, "facts": {"detail": "overloaded"}},
    {},
]
ASKED: list[Any] = [
    ["tools"], ["vision", "seed", 3], 8000, 1e300, "gpt-5.5", "no such model", "partner", "no_log", "tee_required",
    True, None, 0.5,
]  # fmt: skip
NAMES = ["needs", "min_context", "model_family", "tier", "privacy", "min_tok_s", "min_quality"]
OTHERS: dict[str, list[Any]] = {
    "images": [[], ["x"], None],
    "tools": [[], [{}]],
    "response_format": [{"type": "json_object"}, {"type": "text"}, None],
    "scope": [None, "team", 3, True],
}
REQUESTS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"requirements": st.dictionaries(st.sampled_from(NAMES), st.sampled_from(ASKED))},
    optional={name: st.sampled_from(values) for name, values in OTHERS.items()},
)
STATES: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "ema": st.just({"openai|gpt-5.5": {"latency_ms": 100.0, "price_in": float("inf")}, "nobody|x": {"tok_s": 3}}),
        "breakers": st.sampled_from([{"openai": True}, {"openai": "yes", "groq": True}]),
        "disabled": st.just({"mistral": {"kind": "disabled", "why": "free text"}, "unheard of": {}}),
        "credits": st.just({"openai": 3.0, "azure": "many"}),
        "free_credit_threshold_usd": st.just(2.0),
    },
)


@settings(max_examples=25)
@given(REQUESTS, STATES, st.none() | st.integers(0, 2**31), st.sampled_from([LOGGING, QUIET, "ladle-free"]))
def test_a_record_is_enough_to_decide_again(
    request_: dict[str, Any], state: dict[str, Any], seed: int | None, tenant: str
) -> None:
    made = case(tenant, request_, state=state, seed=seed)
    record = made.record()
    assert decide(made.compiled.policy, sample().pool, record.context) == made.decision
    assert record.material.verdicts.decision == made.decision
    read = from_document(json.loads(json.dumps(document(settle(record)), allow_nan=False)), kept())
    assert read == settle(record)


@pytest.mark.parametrize("tenant", [LOGGING, QUIET])
def test_a_record_reads_back_from_row_and_document(tenant: str) -> None:
    made = case(tenant)
    record = finish(
        made.record(3),
        made.call(FAILED),
        usage=Usage(12.0, 30.0, None, 0.004, "reported", 210.0, 55.5),
        exchange=Exchange({"messages": ["hello"]}, "hi"),
        total_latency_ms=333.0,
    )
    assert from_row(to_row(record.trace)) == record.trace
    text = json.dumps(document(record), allow_nan=False)
    read = from_document(json.loads(text), kept())
    assert read == record
    assert json.dumps(document(read)) == text


def test_the_same_arguments_give_the_same_bytes() -> None:
    finished = case().call(FAILED)
    first, second = (document(case().record(1, finished)) for _ in range(2))
    assert json.dumps(first) == json.dumps(second)


def test_rejected_names_every_rule_with_what_was_seen_and_needed() -> None:
    made = case()
    found = {row["index"]: row for row in document(made.record())["rejected"]}
    clauses = [clause for clause in made.compiled.clauses if clause.term is not None]
    assert len(found) == len(made.decision.rejected) > 100
    for index, reason in ((r.index, r.reason) for r in made.decision.rejected):
        seen = [(c, observe(c.term, index, sample().pool, made.context)) for c in clauses if c.term is not None]
        wanted = [(c.id, c.rule_id, v.observed, v.needed) for c, v in seen if not v.passed]
        row = found[index]
        assert [(r["id"], r["rule"], r["observed"], r["needed"]) for r in row["rules"]] == wanted
        assert row["reason"] == reason
        assert wanted


def test_parts_of_a_score_add_up_to_it() -> None:
    for row in document(case().record())["ranked"]:
        assert abs(sum(part["adds"] for part in row["parts"]) - row["score"]) < 1e-12


def test_steps_name_the_offers_that_the_machine_walked() -> None:
    made = case()
    steps = made.record(0, made.call(FAILED)).trace.steps
    called = [step for step in document(made.record(0, made.call(FAILED)))["decision_path"] if "attempt" in step]
    assert next(step["index"] for step in called) == made.decision.order[0]
    assert {step["index"] for step in called} <= set(made.decision.order)
    assert len(steps) >= 2
    for step in called:
        assert kept().candidates[step["index"]]["provider_id"] == step["provider_id"]


def test_a_message_is_one_clean_line_and_only_where_text_is_kept() -> None:
    full, quiet = (case(tenant).record(0, case(tenant).call(FAILED)) for tenant in (LOGGING, QUIET))
    assert "slow ␛[2J down" in json.dumps(document(full), ensure_ascii=False)
    shown = json.dumps(document(quiet)) + to_row(quiet.trace).decode()
    assert "slow" not in shown
    assert "insufficient_secret" not in shown
    assert '"embedded"' in shown


def leaves(kind: Any) -> set[Any]:
    """Every type that a value of this type can have somewhere inside."""
    if get_origin(kind) in {Union, types.UnionType, tuple}:
        return {leaf for part in get_args(kind) if part is not Ellipsis for leaf in leaves(part)}
    if get_origin(kind) is Literal:
        return {Literal}
    if dataclasses.is_dataclass(kind):
        return {leaf for part in get_type_hints(kind).values() for leaf in leaves(part)}
    return {kind}


def test_every_detail_of_the_gateway_has_its_closed_word() -> None:
    assert {detail_of(word) for word in GATEWAY_DETAILS} == set(GATEWAY_DETAILS)
    assert set(KINDS) == set(FAIL_REASONS)
    assert detail_of("embedded:my secret") == "embedded"
    assert detail_of("MyException") == "other"


CLOSED = {int, float, bool, types.NoneType, Literal, Digest, Identifier, Whose, Fingerprint, Ending}


def test_a_quiet_trace_has_no_field_for_text() -> None:
    assert leaves(QuietTrace) <= CLOSED
    assert {str, Any} <= leaves(Trace), "the look at types would not see a text field"


@pytest.mark.parametrize("kind", [Digest, Identifier, Whose, Fingerprint, Ending])
def test_shaped_text_refuses_any_other(kind: type[str]) -> None:
    for text in ("my prompt", "", "a" * 65, "ok\n", "rate_limit: my prompt", "é"):
        with pytest.raises(DocumentError):
            kind(text)


def test_a_request_that_asks_for_no_log_is_quiet_whoever_asks() -> None:
    assert isinstance(case(LOGGING).record().trace, Trace)
    assert isinstance(case(LOGGING, {"requirements": {"privacy": "no_log"}}).record().trace, QuietTrace)


def test_once_quiet_always_quiet_and_a_flip_hushes() -> None:
    said = Exchange("prompt", "answer")
    quiet, full = case(QUIET), case(LOGGING)
    assert isinstance(finish(quiet.record(), quiet.call(FAILED), exchange=said).trace, QuietTrace)
    assert isinstance(finish(full.record(), full.call(FAILED), exchange=said, no_log=True).trace, QuietTrace)
    ended = finish(full.record(), full.call(FAILED), exchange=said).trace
    assert isinstance(ended, Trace)
    assert ended.exchange == said


@pytest.mark.parametrize(
    ("change", "value"),
    [("policy_sha256", "0" * 64), ("population_sha256", "0" * 64), ("schema", 2), ("ranked", None), ("seed", "x")],
)
def test_a_document_that_was_changed_is_refused(change: str, value: Any) -> None:
    wire = {**document(case().record()), change: value}
    if change == "seed":
        wire.pop("state")
    with pytest.raises(DocumentError):
        from_document(wire, kept())


@given(st.binary(max_size=200) | st.just(b"{}"))
def test_no_bytes_break_the_readers(data: bytes) -> None:
    for read in (from_row, Verdicts.read, unpacked, KeptCatalog.read):
        with pytest.raises(DocumentError):
            read(data)


def test_any_change_of_a_row_is_refused_or_a_record() -> None:
    row = to_row(case().record(0, Finished("ok", 0, ())).trace)
    for at in range(len(row)):
        try:
            back = from_row(row[:at] + b"\x37" + row[at + 1 :])
        except DocumentError:
            continue
        assert isinstance(back, Trace)


def test_a_catalog_reads_back_from_its_content() -> None:
    read = KeptCatalog.read(unpacked(packed(kept().content)))
    assert read.content == kept().content
    assert read.vocabulary == kept().vocabulary
    made = case()
    assert decide(made.compiled.policy, read.pool, made.context) == made.decision
