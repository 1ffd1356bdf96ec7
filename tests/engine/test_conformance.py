"""The replay of golden vectors: what passes, what fails, and that a broken vector is a failure and no exception."""

from __future__ import annotations

import copy
import gzip
import json
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.engine import conformance
from workbench.engine.conformance import files
from workbench.errors import DocumentError, FileRefused
from workbench.language.flow import check_flow
from workbench.language.vocabulary import CORE, Field

TOO_DEAR = "cmp:price_in:le"
PLAN = ["always", {"action": "next_candidate"}]
CANDIDATES = [
    {"provider_id": "a", "model_family": "x", "score_me": 1},
    {"provider_id": "b", "model_family": "x", "score_me": 2, "price_in": 9},
    {"provider_id": "c", "model_family": "y", "price_in": 1},
]
DOCUMENT: dict[str, Any] = {
    "version": "sigma-pol/v2",
    "extensions": {"score_me": {"sort": "Num", "default": "-inf"}, "odd": {"sort": "Bool", "default": True}},
    "vectors": [
        {"name": "no", "kind": "admission", "term": ["and"], "expect": {"ok": False}},
        {"name": "yes", "kind": "admission", "term": ["top"], "expect": {"ok": True}},
        {
            "name": "enc", "kind": "encoding", "term": ["and", ["is", "odd"], ["top"]],
            "expect": {"sort": "Pred", "encoding": 'sigma-pol/v2:(is "odd")'},
        },
        {
            "name": "pred", "kind": "pred", "term": ["cmp", "price_in", "le", 5], "expect": {},
            "cases": [
                {"candidate": CANDIDATES[1], "ctx": {"request": []}, "expect_ok": False, "expect_reason": TOO_DEAR},
                {"candidate": CANDIDATES[2], "ctx": {}, "expect_ok": True},
            ],
        },
        {
            "name": "policy", "kind": "policy",
            "term": ["policy", ["not", ["cmp", "price_in", "eq", 9]], ["field", "score_me"], ["argmax"], ["id"], PLAN],
            "candidates": CANDIDATES, "ctx": {"request": {"requirements": []}},
            "expect": {
                "ordered": ["a", "c"], "ordered_index": [0, 2], "scores": [1.0000000000000002, "-inf"],
                "rejected": [{"provider": "b", "reason": "not", "model": "x"}],
            },
        },
        {
            "name": "xform", "kind": "xform", "term": ["set_param", "a", 1], "request": [], "candidate": CANDIDATES[0],
            "ctx": {"request": []}, "expect": {"request": {"a": 1}},
        },
        {
            "name": "plan", "kind": "failplan", "term": PLAN,
            "expect": {"classified": [{"kind": "timeout", "action": {"action": "next_candidate"}}]},
        },
    ],
}  # fmt: skip


@pytest.mark.parametrize("evaluator", ["reference", "columnar", "both"])
def test_good_vectors_pass(evaluator: conformance.Chosen) -> None:
    report = conformance.run(DOCUMENT, evaluator=evaluator)
    assert (report.passed, report.failed, report.failures) == (7, 0, ())


@pytest.mark.parametrize(
    ("place", "path", "value", "what"),
    [
        (0, ("expect", "ok"), True, "ok"),
        (1, ("expect", "ok"), False, "ok"),
        (1, ("expect",), {}, "ok"),
        (2, ("expect", "encoding"), "x", "encoding"),
        (2, ("expect", "fingerprint"), "1-1", "fingerprint"),
        (2, ("expect", "sort"), "Scorer", "sort"),
        (2, ("term",), ["nope"], "error"),
        (2, ("kind",), "sonnet", "kind"),
        (3, ("cases", 0, "expect_reason"), "scope", "case 1 reason"),
        (3, ("cases", 1, "expect_ok"), False, "case 2"),
        (4, ("expect", "ordered"), ["c", "a"], "ordered"),
        (4, ("expect", "ordered"), ["a"], "ordered"),
        (4, ("expect", "ordered_index"), [0, 1], "ordered_index"),
        (4, ("expect", "scores"), [1.000000001, "-inf"], "scores"),
        (4, ("expect", "scores"), [1, "inf"], "scores"),
        (4, ("expect", "rejected"), [], "rejected"),
        (4, ("expect", "rejected", 0, "model"), "y", "rejected"),
        (4, ("expect", "rejected", 0, "reason"), "is:odd", "rejected"),
        (5, ("expect", "request"), {"a": 2}, "request"),
        (5, ("expect", "request"), {"a": True}, "request"),
        (6, ("expect", "classified", 0, "action", "attempts"), 2, "action on timeout"),
    ],
)
def test_a_wrong_expectation_fails(place: int, path: tuple[Any, ...], value: Any, what: str) -> None:
    document = copy.deepcopy(DOCUMENT)
    spot = document["vectors"][place]
    for step in path[:-1]:
        spot = spot[step]
    spot[path[-1]] = value
    report = conformance.run(document)
    assert (report.passed, report.failed) == (6, 1)
    assert {failure.what for failure in report.failures} == {what}
    assert report.failures[0].vector == DOCUMENT["vectors"][place]["name"]


TOP = {"sort": "Pred"}
BROKEN: list[Any] = [
    None, 5, [], {}, {"kind": []}, {"kind": "sonnet"}, {"kind": "admission"}, {"kind": "flow"},
    {"kind": "pred"}, {"kind": "policy", "term": ["top"]}, {"kind": "encoding", "term": ["top"]},
    {"kind": "encoding", "term": ["top"], "expect": {"ok": True}},
    {"kind": "pred", "term": ["top"], "expect": TOP, "cases": [{}]},
    {"kind": "pred", "term": ["top"], "expect": TOP, "cases": [5]},
    {"kind": "policy", "term": ["top"], "expect": TOP},
    {"kind": "xform", "term": ["custom", "x"], "expect": {"request": []}},
    {"kind": "failplan", "term": PLAN, "expect": {"classified": [[]]}},
    {"kind": "flow", "flow": ["flow", {}], "expect": {"ok": True}},
]  # fmt: skip


@pytest.mark.parametrize("vector", BROKEN)
def test_a_broken_vector_is_a_failure(vector: Any) -> None:
    report = conformance.run({"version": "sigma-pol/v2", "vectors": [vector]})
    assert (report.passed, report.failed) == (0, 1)
    assert all(failure.what for failure in report.failures)


def _keys(value: object) -> list[Any]:
    if type(value) is dict:
        return list(cast("dict[str, Any]", value))
    return list(range(len(cast("list[Any]", value)))) if type(value) is list else []


def _break_somewhere(spot: Any, data: st.DataObject, values: st.SearchStrategy[Any]) -> None:
    while keys := _keys(spot):
        key = data.draw(st.sampled_from(keys))
        if data.draw(st.booleans()):
            spot[key] = data.draw(values)
            return
        spot = spot[key]


@given(st.data())
@settings(deadline=None)
def test_any_shape_is_judged(data: st.DataObject) -> None:
    values: st.SearchStrategy[Any] = st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4), st.just(["top"])),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
    )
    vector = copy.deepcopy(data.draw(st.sampled_from(DOCUMENT["vectors"])))
    for _ in range(data.draw(st.integers(1, 3))):
        _break_somewhere(vector, data, values)
    report = conformance.run({**DOCUMENT, "vectors": [vector]})
    assert report.passed + report.failed == 1


NAN = ["add", ["field", "price_in"], ["neg", ["field", "price_in"]]]


@pytest.mark.parametrize("spelling", ["nan", "-nan", "NaN", None, float("nan")])
def test_a_score_that_is_no_number(spelling: Any) -> None:
    vector: dict[str, Any] = {
        "kind": "policy", "term": ["policy", ["top"], NAN, ["argmax"], ["id"], PLAN], "candidates": [{}],
        "expect": {"scores": [spelling], "ordered_index": [0], "rejected": {}},
    }  # fmt: skip
    document: dict[str, Any] = {"version": "sigma-pol/v2", "vectors": [vector]}
    assert conformance.run(document).failures == ()
    vector["expect"] = {"scores": [0]}
    assert conformance.run(document).failed == 1


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"version": "sigma-pol/v9", "vectors": []},
        {"version": "sigma-pol/v2", "vectors": {}},
        {"version": "sigma-pol/v2", "vectors": [], "extensions": {"x": {"sort": "Text"}}},
        {"version": "sigma-pol/v2", "vectors": [], "extensions": {"price_in": {"sort": "Num"}}},
    ],
)
def test_what_is_no_vector_file(document: dict[str, Any]) -> None:
    with pytest.raises(DocumentError):
        conformance.run(document)


def test_v1_is_read_as_v1() -> None:
    vector = {
        "name": "v1", "kind": "policy", "candidates": [{"provider_id": "a", "quality_hint": 0.25}], "ctx": {},
        "term": ["policy", ["ev_zero"], ["top"], ["quality"], ["argmax"], ["id"], PLAN],
        "expect": {"ordered": ["a"], "scores": [0.25], "sort": "Policy"},
    }  # fmt: skip
    evidence = {"name": "ev", "kind": "evidence", "term": ["ev_add", ["ev_zero"]], "expect": {"sort": "Evidence"}}
    report = conformance.run({"version": "sigma-pol/v1", "vectors": [vector, evidence]})
    assert report.failures == ()
    assert conformance.run({"version": "sigma-pol/v2", "vectors": [evidence]}).failed == 1


FLOW = {
    "in": {"kind": "input"},
    "ask": {"kind": "llm", "inputs": ["in"], "system": "be brief", "policy": DOCUMENT["vectors"][4]["term"]},
    "out": {"kind": "output", "inputs": ["ask"]},
}


def test_flows_are_admitted_and_named() -> None:
    extensions = DOCUMENT["extensions"]
    named = check_flow(["flow", FLOW], CORE.extend([Field("score_me", "Num", 0.0)]))
    good = {"ok": True, "encoding": named.encoding, "fingerprint": named.fingerprint}
    cut = {name: node for name, node in FLOW.items() if name != "in"}
    vectors = [
        {"name": "good", "kind": "flow", "flow": ["flow", FLOW], "expect": good},
        {"name": "bad", "kind": "flow", "flow": ["flow", cut], "expect": {"ok": False}},
        {"name": "wrong", "kind": "flow", "flow": ["flow", FLOW], "expect": {**good, "encoding": "x"}},
        {"name": "not", "kind": "flow", "flow": ["flow", cut], "expect": good},
        {"name": "but", "kind": "flow", "flow": ["flow", FLOW], "expect": {"ok": False}},
    ]
    report = conformance.run({"version": "sigma-flow/v1", "vectors": vectors, "extensions": extensions})
    assert (report.passed, report.failed) == (2, 3)
    assert [(one.vector, one.what) for one in report.failures] == [("wrong", "encoding"), ("not", "ok"), ("but", "ok")]


def test_files_plain_and_packed(tmp_path: Path) -> None:
    data = json.dumps(DOCUMENT).encode()
    (tmp_path / "v.json").write_bytes(data)
    (tmp_path / "v.json.gz").write_bytes(gzip.compress(data, mtime=0))
    for name in ("v.json", "v.json.gz"):
        assert conformance.run(conformance.read(tmp_path / name)).failed == 0


@pytest.mark.parametrize(
    "data",
    [b"", b"not gzip", gzip.compress(b"{}", mtime=0)[:-4], gzip.compress(b"[]", mtime=0)],
    ids=["empty", "no gzip", "cut", "no document"],
)
def test_packed_files_that_are_none(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "v.json.gz"
    path.write_bytes(data)
    with pytest.raises(DocumentError):
        conformance.read(path)


def test_a_packed_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_BYTES", 1000)
    path = tmp_path / "v.json.gz"
    path.write_bytes(gzip.compress(b" " * 1001, mtime=0))
    with pytest.raises(DocumentError, match="too large"):
        conformance.read(path)
    with pytest.raises(FileRefused):
        conformance.read(tmp_path / "absent.json")


def test_what_a_vector_holds_on_purpose_does_not_hide_the_others(tmp_path: Path) -> None:
    deep = "[" * 50_000 + "]" * 50_000
    strange = [
        deep, deep.replace("[", '["not",'), "null", '["family_eq","\\ud800"]', '["cmp","price_in","le",1e999]',
        '["cmp","price_in","le",NaN]', '["top",' + "9" * 400 + "]", '["provider_eq","a\tb"]',
    ]  # fmt: skip
    vectors = [f'{{"kind":"admission","term":{term},"expect":{{"ok":false}}}}' for term in strange]
    vectors[-1] = vectors[-1].replace("false", "true")
    text = f'{{"version":"sigma-pol/v2","vectors":[{",".join(vectors)}]}}'
    path = tmp_path / "v.json"
    path.write_text(text, encoding="utf-8")
    report = conformance.run(conformance.read(path))
    assert (report.passed, report.failures) == (len(strange), ())


def test_a_packed_file_is_known_by_its_bytes_and_read_to_its_end(tmp_path: Path) -> None:
    data = json.dumps(DOCUMENT).encode()
    path = tmp_path / "vectors"
    path.write_bytes(gzip.compress(data[:100], mtime=0) + gzip.compress(data[100:], mtime=0))
    assert conformance.run(conformance.read(path)).passed == 7


def test_flows_are_judged_by_whether_they_are_admitted() -> None:
    through: Any = ["flow", {"in": {"kind": "input"}, "out": {"kind": "output", "inputs": ["in"]}}]
    encoding = "sigma-flow/v1:((input n0) (output n1 inputs=[n0]))"
    good: dict[str, Any] = {"kind": "flow", "flow": through, "expect": {"ok": True, "encoding": encoding}}
    bad: dict[str, Any] = {"kind": "flow", "flow": ["flow", {}], "expect": {"ok": False}}
    unsaid: dict[str, Any] = {**good, "expect": {"encoding": encoding}}
    assert conformance.run({"version": "sigma-flow/v1", "vectors": [good, bad, unsaid]}).failures == ()
    wrong: list[Any] = [{**good, "expect": {"ok": False}}, {**bad, "expect": {"ok": True}}]
    assert conformance.run({"version": "sigma-flow/v1", "vectors": wrong}).failed == 2
