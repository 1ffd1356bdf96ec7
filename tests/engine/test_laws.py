"""Laws of a decision: pool order, finite JSON, envelopes, purity (RELIABILITY R6, R9, R10)."""

from __future__ import annotations

import os
import subprocess
import sys
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.worlds import contexts, pools
from tests.scale import scaled
from tests.strategies import SAMPLE, policies, preds, scorers
from workbench.boundary import strict_json
from workbench.engine.context import Context
from workbench.engine.decide import decide
from workbench.engine.pool import Pool
from workbench.engine.values import wire_number
from workbench.errors import AdmissionError
from workbench.language.admission import check, compose

EXAMPLES = scaled(200, 5_000)
POLICIES, PREDICATES, SCORERS = policies(depth=3), preds(depth=2), scorers(depth=3)
POOLS, CONTEXTS = pools(), contexts()
BOUNDED = settings(deadline=None, max_examples=EXAMPLES)


@BOUNDED
@given(POLICIES, POOLS, CONTEXTS)
def test_a_decision_is_json_without_a_number_that_is_not_finite(term: list[Any], pool: Pool, context: Context) -> None:
    decision = decide(check(term, SAMPLE), pool, context)
    scores = strict_json.loads(strict_json.dumps([wire_number(score) for score in decision.scores]))
    assert isinstance(scores, list)
    assert len(scores) == len(decision.order)


@BOUNDED
@given(POLICIES, POOLS, CONTEXTS)
def test_the_parts_of_a_decision_are_one_population(term: list[Any], pool: Pool, context: Context) -> None:
    decision = decide(check(term, SAMPLE), pool, context)
    rejected = [one.index for one in decision.rejected]
    assert sorted([*decision.survivor_indices, *rejected]) == list(range(len(pool)))
    assert len(set(decision.order)) == len(decision.order)
    assert set(decision.order) <= set(decision.survivor_indices)


@BOUNDED
@given(PREDICATES, SCORERS, POOLS, CONTEXTS, st.randoms(use_true_random=False))
def test_pool_order_matters_to_ties_alone(
    keep: list[Any], scorer: list[Any], pool: Pool, context: Context, random: Random
) -> None:
    places = list(range(len(pool)))
    random.shuffle(places)
    shuffled = Pool([pool.candidates[place] for place in places], SAMPLE)
    policy = check(["policy", keep, scorer, ["argmax"], ["id"], ["always", {"action": "abort"}]], SAMPLE)
    before, after = decide(policy, pool, context), decide(policy, shuffled, context)
    found = [places[index] for index in after.order]
    assert sorted(found) == sorted(before.order)
    assert list(map(wire_number, after.scores)) == list(map(wire_number, before.scores))
    score_before = dict(zip(before.order, map(wire_number, before.scores), strict=True))
    assert [score_before[index] for index in found] == list(map(wire_number, after.scores))
    assert {(places[one.index], one.reason) for one in after.rejected} == {
        (one.index, one.reason) for one in before.rejected
    }


@BOUNDED
@given(POLICIES, PREDICATES, POOLS, CONTEXTS)
def test_an_envelope_narrows_only(term: list[Any], envelope_term: list[Any], pool: Pool, context: Context) -> None:
    policy, envelope = check(term, SAMPLE), check(envelope_term, SAMPLE, sort="Pred")
    try:
        composed = compose(policy, envelope, SAMPLE)
    except AdmissionError:
        return  # too deep once wrapped: rejected, not widened
    alone = check(["policy", envelope_term, *term[2:]], SAMPLE)
    kept = set(decide(composed, pool, context).survivor_indices)
    assert kept == set(decide(policy, pool, context).survivor_indices) & set(
        decide(alone, pool, context).survivor_indices
    )


@BOUNDED
@given(POLICIES, POOLS, CONTEXTS)
def test_deciding_twice_gives_the_same_and_changes_nothing(term: list[Any], pool: Pool, context: Context) -> None:
    policy = check(term, SAMPLE)
    before = repr((policy.normal, pool.candidates, context))
    first = decide(policy, pool, context)
    assert decide(policy, pool, context) == first
    assert repr((policy.normal, pool.candidates, context)) == before


@BOUNDED
@given(POLICIES, POOLS, CONTEXTS)
def test_who_must_not_be_logged_reaches_nobody_who_may_log(term: list[Any], pool: Pool, context: Context) -> None:
    keep = ["and", ["or", ["is", "no_log"], ["is", "has_tee"]], term[1]]
    decision = decide(check(["policy", keep, *term[2:]], SAMPLE), pool, context)
    for index in decision.order:
        offer = pool.candidates[index]
        assert offer.get("no_log") is True or offer.get("has_tee") is True


DIGEST = """
import hashlib, random
from tests.strategies import SAMPLE
from workbench.engine.context import Context
from workbench.engine.decide import decide
from workbench.engine.pool import Pool
from workbench.language.admission import check
rng = random.Random(7)
pool = Pool([{"provider_id": f"p{rng.randrange(9)}", "model_family": f"m{rng.randrange(9)}", "tok_s": rng.randrange(90),
    "price_in": rng.random() * 9, "no_log": rng.random() < 0.5} for _ in range(300)], SAMPLE)
digest = hashlib.sha256()
for seed in range(50):
    clauses = rng.sample([["is", "no_log"], ["not", ["provider_eq", "p3"]], ["cmp", "price_in", "le", rng.random() * 9],
        ["or", ["family_eq", "m1"], ["cmp", "tok_s", "ge", rng.randrange(90)]]], 3)
    speed, price = ["normalize", ["field", "tok_s"]], ["normalize", ["field", "price_in"]]
    score = ["add", ["scale", rng.random(), speed], ["neg", price]]
    term = ["policy", ["and", *clauses], score, ["sample", 2], ["id"], ["always", {"action": "abort"}]]
    decision = decide(check(term, SAMPLE), pool, Context(seed=seed))
    digest.update(repr((decision.order, decision.scores, decision.rejected)).encode())
print(digest.hexdigest())
"""


KNOWN_DIGEST = "ce6ee00eb410e34092e192bf749951c954cff0e703f1c529170bc3183b1fd523"
"""What every interpreter, machine and hash seed must come to."""


@pytest.mark.parametrize("hash_seed", ["0", "1", "20"])
def test_the_same_bytes_under_every_hash_seed(hash_seed: str) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", DIGEST], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == KNOWN_DIGEST
