"""Laws of terms, envelopes and pools in bulk (RELIABILITY R3, R6, R9). The same laws shrink well in tests/language."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from random import Random
from typing import Any, cast

import pytest

from tests.mutation import mutated, sound
from tests.scale import SOAK, scaled
from tests.soak.worlds import as_context, rounds
from tests.strategies import SAMPLE, rearrange
from workbench.engine.decide import decide
from workbench.engine.pool import Pool
from workbench.engine.values import wire_number
from workbench.errors import AdmissionError
from workbench.language.admission import Admitted, check, compose
from workbench.language.signature import V1, V2, Version

Term = list[Any]

pytestmark = pytest.mark.timeout(0 if SOAK else 120)

REARRANGED = scaled(3_000, 50_000)
FORMS = scaled(3_000, 50_000)
ENVELOPES = scaled(2_000, 20_000)
SHUFFLED = scaled(1_000, 20_000)

SORTS: tuple[tuple[Version, str], ...] = (
    (V2, "Pred"), (V2, "Scorer"), (V2, "Xform"), (V2, "FailPlan"), (V2, "Policy"),
    (V1, "Pred"), (V1, "Scorer"), (V1, "Evidence"), (V1, "Policy"),
)  # fmt: skip


def _terms(seed: int) -> Iterator[tuple[Random, Version, Term]]:
    """Terms without end."""
    random = Random(seed)
    while True:
        version, sort = random.choice(SORTS)
        yield random, version, sound(random, sort, version, random.randint(1, 6))


def test_order_and_nesting_never_reach_the_encoding() -> None:
    moved = 0
    for random, version, term in _terms(31):
        other = rearrange(term, random)
        if other == term:
            continue
        moved += 1
        first, second = (check(one, SAMPLE, version=version) for one in (term, other))
        assert first.encoding == second.encoding, (term, other)
        again = check(first.normal, SAMPLE, version=version)
        assert (again.normal, again.encoding) == (first.normal, first.encoding), term
        if moved == REARRANGED:
            break


def _exact(value: Any) -> Any:
    """A value under which two normal forms are equal only if a policy cannot tell them apart."""
    if isinstance(value, dict):
        record = cast("dict[str, Any]", value)
        return ("record", *((key, _exact(record[key])) for key in sorted(record))) if record else ("array",)
    if isinstance(value, list):
        return ("array", *map(_exact, cast("list[Any]", value)))
    return (type(value).__name__, value) if isinstance(value, bool | str) else ("number", float(value) + 0.0)


def _near(random: Random, version: Version, term: Term) -> Iterator[Admitted]:
    """The term and those of its neighbours, one place away, that are admitted."""
    yield check(term, SAMPLE, version=version)
    for _ in range(3):
        try:
            yield check(mutated(random, term), SAMPLE, version=version)
        except AdmissionError:
            continue


def test_distinct_normal_forms_have_distinct_encodings() -> None:
    forms: dict[str, Any] = {}
    encodings: dict[Any, str] = {}
    for random, version, term in _terms(32):
        for admitted in _near(random, version, term):
            form = (admitted.version, _exact(admitted.normal))
            assert forms.setdefault(admitted.encoding, form) == form, admitted.source
            assert encodings.setdefault(form, admitted.encoding) == admitted.encoding, admitted.source
        if len(forms) >= FORMS:
            break
    assert len(forms) == len(encodings)  # every two of them were compared: over a million pairs


def test_an_envelope_narrows_only() -> None:
    narrowed = 0
    decided = islice((case for one in rounds(33) for case in one.cases() if case.version == V2), ENVELOPES)
    random = Random(34)
    for case in decided:
        policy, pool, context = check(case.policy, SAMPLE), case.pool(), as_context(case.context)
        around = sound(random, "Pred", V2, 3)
        composed = compose(policy, check(around, SAMPLE, sort="Pred"), SAMPLE)
        alone = check(["policy", around, *case.policy[2:]], SAMPLE)
        inside, own, outer = (set(decide(one, pool, context).survivor_indices) for one in (composed, policy, alone))
        assert inside == own & outer, case
        narrowed += inside < own and bool(inside)
    assert narrowed > ENVELOPES / 50


def test_the_order_of_the_pool_reaches_ties_alone() -> None:
    random = Random(36)
    for case in islice((case for one in rounds(35) for case in one.cases()), SHUFFLED):
        term = case.policy[:]
        term[-3] = ["argmax"]
        policy, context = check(term, SAMPLE, version=case.version), as_context(case.context)
        places = random.sample(range(len(case.candidates)), len(case.candidates))
        before = decide(policy, case.pool(), context)
        after = decide(policy, Pool([case.candidates[place] for place in places], SAMPLE), context)
        scores = [list(map(wire_number, decision.scores)) for decision in (before, after)]
        assert scores[0] == scores[1], case
        found = [places[index] for index in after.order]
        assert dict(zip(found, scores[1], strict=True)) == dict(zip(before.order, scores[0], strict=True)), case
        assert {(places[one.index], one.reason) for one in after.rejected} == {
            (one.index, one.reason) for one in before.rejected
        }, case
