"""Vectors through the file format and the real command: an independent set of expectations, and our own ones back.

`vectors/*.json.gz` were made apart from this project's code, by a reading of LANGUAGE.md 1-6 and 10 in Lua 5.1, whose
numbers are doubles and whose `%.17g` is C's. They hold every operation, admission of broken terms and flows included.
"""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.cli.command import run
from tests.engine.worlds import candidates, contexts
from tests.strategies import policies, terms
from workbench.engine import conformance
from workbench.engine.context import Context
from workbench.engine.decide import decide
from workbench.engine.failplan import classify
from workbench.engine.pool import Pool
from workbench.engine.reference import holds
from workbench.engine.transform import transform
from workbench.engine.values import wire_number
from workbench.errors import AdmissionError
from workbench.language.admission import Admitted, check
from workbench.language.flow import check_flow
from workbench.language.signature import FAIL_REASONS, V1, V2, Version
from workbench.language.vocabulary import CORE

INDEPENDENT = Path(__file__).parent / "vectors"
EACH = 200
QUIET: Any = (HealthCheck.too_slow, HealthCheck.data_too_large)
REASONS = (*FAIL_REASONS, "?")
KINDS = ("encoding", "admission", "pred", "policy", "policy", "xform", "failplan")


@pytest.mark.parametrize("name", ["v1", "v2", "flow"])
@pytest.mark.parametrize("evaluator", ["reference", "columnar"])
def test_the_expectations_of_another_implementation_hold(name: str, evaluator: conformance.Chosen) -> None:
    report = conformance.run(conformance.read(INDEPENDENT / f"{name}.json.gz"), evaluator=evaluator)
    assert report.failures == ()
    assert report.passed >= 60


def _wire(value: Any) -> Any:
    """The value as a JSON file can hold it; what no file holds becomes null."""
    if isinstance(value, dict):
        return {key: _wire(entry) for key, entry in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list):
        return [_wire(entry) for entry in value]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, int) and abs(value) > 2**53:
        return float(value) if abs(value) < 2**1000 else None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _named(term: Admitted) -> dict[str, Any]:
    return {"sort": term.sort, "encoding": term.encoding, "fingerprint": term.fingerprint}


OFFERS = st.lists(candidates(CORE), min_size=1, max_size=4)
CONTEXTS = contexts()
POLICIES = policies(CORE, depth=2)
SORTS = {
    (version, kind): [terms(sort, CORE, version, 2) for sort in sorts]
    for version in (V1, V2)
    for kind, sorts in {
        "encoding": ("Scorer", "Selector"), "admission": ("Pred", "Xform"), "pred": ("Pred",), "policy": ("Policy",),
        "xform": ("Xform",), "failplan": ("FailPlan",),
    }.items()
}  # fmt: skip
"""Strategies are slow to make, so each is made once."""


@st.composite
def _vectors(draw: st.DrawFn, version: Version) -> dict[str, Any]:
    """A vector of any kind, its expectations by the reference evaluator."""
    kind = draw(st.sampled_from(KINDS))
    made: dict[str, Any] = {"name": kind, "kind": kind}
    offers = [_wire(one) for one in draw(OFFERS)]
    known = draw(CONTEXTS)
    made["ctx"] = {"request": _wire(known.request), "state": _wire(known.state), "seed": _wire(known.seed)}
    context, pool = Context.of(made["ctx"]), Pool(offers, CORE)
    term = _wire(draw(draw(st.sampled_from(SORTS[version, kind]))))
    if kind == "admission":
        term[draw(st.integers(0, len(term) - 1))] = draw(st.sampled_from(["top", ["top"], 5, None, True, []]))
        return {**made, "term": term, "expect": {"ok": _is_admitted(term, version)}}
    admitted = check(term, CORE, version=version)
    made |= {"term": term, "expect": _named(admitted)}
    if kind == "pred":
        made["cases"] = [_case(admitted, offer, pool, context, made["ctx"]) for offer in offers]
    elif kind == "policy":
        made |= {"candidates": offers, "expect": made["expect"] | _decided(admitted, pool, context)}
    elif kind == "xform":
        custom = "custom" in json.dumps(term)
        made |= {"kind": "encoding"} if custom else {"request": made["ctx"]["request"], "candidate": offers[0]}
        if not custom:
            made["expect"]["request"] = transform(context.request, admitted, offers[0], context, CORE)
    elif kind == "failplan":
        made["expect"]["classified"] = [{"kind": one, "action": classify(admitted, one)} for one in REASONS]
    return made


def _is_admitted(term: Any, version: Version) -> bool:
    try:
        check(term, CORE, version=version)
    except AdmissionError:
        return False
    return True


def _case(admitted: Admitted, offer: Any, pool: Pool, context: Context, ctx: Any) -> dict[str, Any]:
    reason = holds(admitted, offer, pool, context)
    told = {} if reason is None else {"expect_reason": reason}
    return {"candidate": offer, "ctx": ctx, "expect_ok": reason is None, **told}


def _decided(admitted: Admitted, pool: Pool, context: Context) -> dict[str, Any]:
    decision = decide(admitted, pool, context, evaluator="reference")
    ids = [one.get("provider_id") for one in pool.candidates]
    return {
        "ordered": [ids[index] for index in decision.order],
        "ordered_index": list(decision.order),
        "scores": [wire_number(score) for score in decision.scores],
        "rejected": [{"provider": ids[one.index], "reason": one.reason} for one in decision.rejected],
    }


@st.composite
def _flows(draw: st.DrawFn) -> dict[str, Any]:
    """A flow of a few model calls, sound or with a node that nothing uses."""
    nodes: dict[str, Any] = {"in": {"kind": "input"}}
    systems = st.sampled_from(["", "s", 'a "\n\t\\'])
    for name in draw(st.permutations(["a", "é", "n0", "x y"])):
        nodes[name] = {
            "kind": "llm", "system": draw(systems), "policy": _wire(draw(POLICIES)),
            "inputs": draw(st.lists(st.sampled_from(list(nodes)), min_size=1, max_size=3)),
            **draw(st.sampled_from([{}, {"template": ""}, {"template": "$1, $2"}])),
        }  # fmt: skip
    nodes["out"] = {"kind": "output", "inputs": [list(nodes)[-1]]}
    vector: dict[str, Any] = {"name": "flow", "kind": "flow", "flow": ["flow", nodes]}
    try:
        flow = check_flow(vector["flow"], CORE)
    except AdmissionError:
        return {**vector, "expect": {"ok": False}}
    return {**vector, "expect": {"ok": True, "encoding": flow.encoding, "fingerprint": flow.fingerprint}}


def _collected(strategy: st.SearchStrategy[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """The same `count` vectors each time."""
    made: list[dict[str, Any]] = []

    @settings(
        max_examples=count, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=QUIET,
    )  # fmt: skip
    @given(strategy)
    def gather(vector: dict[str, Any]) -> None:
        made.append(vector)

    gather()
    return made


def test_vectors_of_our_own_come_back_through_the_command(tmp_path: Path) -> None:
    made = {V1: _collected(_vectors(V1), EACH), V2: _collected(_vectors(V2), EACH)}
    files: list[Path] = []
    for version, vectors in (*made.items(), ("sigma-flow/v1", _collected(_flows(), EACH // 4))):
        path = tmp_path / f"{version.replace('/', '-')}.json.gz"
        document = {"version": version, "vectors": vectors}
        path.write_bytes(gzip.compress(json.dumps(document).encode(), mtime=0))
        files.append(path)
    total = sum(len(json.loads(gzip.decompress(path.read_bytes()))["vectors"]) for path in files)
    assert total >= 2 * EACH
    ran = run("conformance", *files, "--evaluator", "both")
    assert (ran.err, ran.out, ran.code) == ("", f"{total} passed, 0 failed\n", 0)


def test_an_unreadable_file_is_one_failure_and_hides_no_other(tmp_path: Path) -> None:
    (tmp_path / "odd.json").write_text('{"version": 5}')
    ran = run("conformance", tmp_path / "odd.json", tmp_path / "absent.json", INDEPENDENT / "flow.json.gz")
    assert ran.code == 1
    assert ran.out == "60 passed, 2 failed\n"
    assert [line.partition(": ")[0] for line in ran.err.splitlines()] == [
        str(tmp_path / "odd.json"),
        str(tmp_path / "absent.json"),
    ]
    body = run("conformance", tmp_path / "odd.json", "--json").json
    assert (body["passed"], body["failed"], body["failures"][0]["what"]) == (0, 1, "file")
