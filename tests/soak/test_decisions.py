"""Two evaluators, one meaning, over decisions in bulk (RELIABILITY R2, R6, R10), and the cases that once differed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from tests.scale import SOAK, scaled
from tests.soak.decisions import CASES, digest, run
from tests.soak.judge import disagreements
from tests.soak.shrinking import read, shrunk, written
from tests.soak.worlds import Case, as_context
from tests.strategies import SAMPLE
from workbench.engine.columnar import scorers
from workbench.engine.decide import decide
from workbench.engine.values import wire_number
from workbench.language.admission import check
from workbench.language.signature import V1, V2, operations

DECISIONS = scaled(4_000, 200_000)
REASONS = (
    "bot", "or", "not", "is", "cmp", "scope", "tier", "min_tier", "model_family", "provider_id", "served_by",
    "missing_capability", "min_context", "tee_required", "no_log", "min_quality", "min_tok_s",
)  # fmt: skip
SCORES = ("nan", "infinite", "minus zero", "tie")


@pytest.mark.timeout(0 if SOAK else 120)
def test_the_evaluators_agree_and_everything_was_met() -> None:
    tally, found = run(DECISIONS, seed=3)
    assert [(said, written(case, said)) for case, said in found] == []
    assert tally.decisions == DECISIONS
    assert tally.ranked > DECISIONS / 4
    wanted = {f"{version} {op}" for version in (V1, V2) for op in operations(version)}
    wanted |= {f"reason:{reason}" for reason in REASONS} | {f"score:{kind}" for kind in SCORES}
    assert wanted - set(tally.seen) == set()


STORED = sorted(CASES.glob("*.json"))


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_a_stored_case(path: Any) -> None:
    text = path.read_text(encoding="utf-8")
    case = read(text)
    assert disagreements(case) == ()
    expected = json.loads(text).get("expect")
    if expected is not None:
        decision = decide(check(case.policy, SAMPLE, version=case.version), case.pool(), as_context(case.context))
        assert {
            "order": list(decision.order),
            "scores": [repr(wire_number(score)) for score in decision.scores],
            "rejected": [[one.index, one.reason] for one in decision.rejected],
        } == expected


def test_there_are_stored_cases() -> None:
    assert len(STORED) >= 5


def test_an_evaluator_that_is_wrong_is_found_and_the_case_made_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(scorers.SCORERS, "neg", lambda term, rows, view: -scorers.scores(term[1], rows, view) + 1.25)
    tally, found = run(600, seed=11)
    assert tally.disagreements >= 5
    case, said = found[0]
    assert said
    small = shrunk(case, lambda smaller: bool(disagreements(smaller)))
    assert len(small.candidates) == 1
    assert small.policy[-5:-3] == [["top"], ["neg", ["zero"]]]
    assert len(small.policy[-3]) == 1
    again = read(written(small, disagreements(small)))
    assert repr(again) == repr(replace(small, context=again.context))
    assert disagreements(again)
    monkeypatch.undo()
    assert disagreements(again) == ()


def test_a_case_comes_back_from_its_file() -> None:
    facts = {
        "price_in": float("inf"),
        "price_out": float("-inf"),
        "tok_s": -0.0,
        "context": 10**400,
        "latency_ms": 2**53,
    }
    plan = ["always", {"action": "abort"}]
    case = Case(V2, ["policy", ["top"], ["lit", 1e308], ["argmax"], ["id"], plan], (facts,), {"seed": 2**65})
    assert repr(read(written(case, ()))) == repr(case)
    nothing = Case(V2, case.policy, ({"price_in": float("nan")},), {})
    assert repr(read(written(nothing, ()))) == repr(nothing)


KNOWN_DIGEST = "f19999d8f717928ffeddc7ab90ba131ce488f627351c68b482b459b0c59e3cb2"
"""Of 500 decisions: what every interpreter, machine and hash seed must come to. A change of the stream changes it."""


@pytest.mark.timeout(0 if SOAK else 120)
def test_the_same_bytes_under_every_hash_seed() -> None:
    assert digest(500, seed=10) == KNOWN_DIGEST
    count = scaled(500, 5_000)
    expected = digest(count, seed=10)
    command = [sys.executable, "-m", "tests.soak.decisions", "--digest", "--count", str(count), "--seed", "10"]
    for hash_seed in range(scaled(3, 21)):
        environment = {**os.environ, "PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == expected, hash_seed
