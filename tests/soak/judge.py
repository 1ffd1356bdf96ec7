"""One decision, judged: what the two evaluators and the expectations of `oracle` say differently, in words.

An empty tuple is agreement. Every exception is a disagreement too, so that a shrinker can follow it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from tests.soak import oracle
from tests.soak.worlds import SYMBOLS, Case, as_context
from tests.strategies import SAMPLE
from workbench.boundary import strict_json
from workbench.engine.context import Context
from workbench.engine.decide import decide
from workbench.engine.decision import Decision
from workbench.engine.explain import mask, observe
from workbench.engine.failplan import classify, fallback_table
from workbench.engine.pool import Pool
from workbench.engine.reference import holds
from workbench.engine.transform import Custom, Request, transform
from workbench.engine.values import wire_number
from workbench.language.admission import Admitted, check
from workbench.language.encoding import encode_value
from workbench.language.signature import FAIL_REASONS, OPS

Term = list[Any]
Words = tuple[str, ...]

REASONS = (*FAIL_REASONS, "weather", "")


def _tagged(name: str) -> Custom:
    def tag(request: Request, context: Context) -> Request:
        return {**request, f"host:{name}": context.seed}

    return tag


REGISTERED = {name: _tagged(name) for name in SYMBOLS}


@dataclass(slots=True)
class Tally:
    """What a run has been through, so that an empty agreement shows."""

    decisions: int = 0
    disagreements: int = 0
    ranked: int = 0
    """Decisions that put at least two candidates in order."""
    seen: Counter[str] = field(default_factory=Counter[str])
    """Operations by `VERSION op`, reasons by `reason:WORD`, scores by `score:KIND`."""

    def note(self, policy: Admitted, decision: Decision) -> None:
        """Counts one decision that both evaluators took."""
        self.ranked += len(decision.order) > 1
        self.seen.update(f"{policy.version} {op}" for op in operations_in(policy.normal))
        self.seen.update(f"reason:{one.reason.split(':')[0]}" for one in decision.rejected)
        scores = decision.score_array
        kinds = {
            "nan": np.isnan(scores).any(),
            "infinite": np.isinf(scores).any(),
            "minus zero": (np.signbit(scores) & (scores == 0)).any(),
            "tie": len(set(decision.scores)) < len(scores),
        }
        self.seen.update(f"score:{kind}" for kind, found in kinds.items() if found)


def operations_in(term: Term) -> set[str]:
    """The operations of a term, at every level."""
    found: set[str] = set()
    waiting: list[Any] = [term]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list) and item and isinstance(item[0], str) and item[0] in OPS:
            found.add(item[0])
            waiting.extend(cast("list[Any]", item)[1:])
    return found


def disagreements(case: Case, pool: Pool | None = None, tally: Tally | None = None) -> Words:
    """What is said differently about a case; `pool` is one with columns and masks kept from other cases."""
    try:
        return _judged(case, pool or case.pool(), tally)
    except Exception as error:  # noqa: BLE001 - whatever escapes is what this looks for
        return (f"{type(error).__name__}: {error}",)


def _judged(case: Case, pool: Pool, tally: Tally | None) -> Words:
    policy = check(case.policy, SAMPLE, version=case.version)
    context = as_context(case.context)
    quick, slow = (decide(policy, pool, context, evaluator=name) for name in ("columnar", "reference"))
    said = [f"{part} differ: {a!r} against {b!r}" for part, a, b in _parts(quick, slow) if a != b]
    if quick != slow and not said:
        said.append("scores differ in their last bits")
    if tally:
        tally.note(policy, slow)
    strict_json.dumps([wire_number(score) for score in quick.scores])  # refuses what is not finite
    said += _verdicts(policy, slow, pool, context)
    if len(pool):
        said += _transforms(policy, slow.winner or 0, pool, context)
    return (*said, *_plans(policy))


def _parts(quick: Decision, slow: Decision) -> list[tuple[str, Any, Any]]:
    return [
        ("orders", quick.order, slow.order),
        ("scores", list(map(repr, quick.scores)), list(map(repr, slow.scores))),
        ("reasons", quick.rejected, slow.rejected),
        ("survivors", quick.survivor_indices, slow.survivor_indices),
    ]


def _verdicts(policy: Admitted, decision: Decision, pool: Pool, context: Context) -> Words:
    """The filter on its own, as a mask and as what a person is shown of the first and the last candidate."""
    keep = policy.slot("filter")
    said: list[str] = []
    if mask(keep, pool, context).tolist() != [decision.reason(index) is None for index in range(len(pool))]:
        said.append("the filter's mask differs from the decision")
    for index in {0, len(pool) - 1} if len(pool) else set[int]():
        shown, reason = observe(keep, index, pool, context), decision.reason(index)
        if (shown.passed, shown.reason) != (reason is None, reason):
            said.append(f"candidate {index} is shown {shown.reason}, and decided {reason}")
    return tuple(said)


def _transforms(policy: Admitted, index: int, pool: Pool, context: Context) -> Words:
    candidate = pool.candidates[index]
    request = dict(context.request)

    def passes(term: Term) -> bool:
        return holds(check(term, SAMPLE, version=policy.version, sort="Pred"), candidate, pool, context) is None

    sent = transform(request, policy, candidate, context, SAMPLE, REGISTERED)
    expected = oracle.transformed(policy.source[-2], request, context.seed, passes)
    return () if _exact(sent) == _exact(expected) else (f"the request is {sent!r}, expected {expected!r}",)


def _plans(policy: Admitted) -> Words:
    said = [
        f"on `{reason}`: {found!r}, expected {wanted!r}"
        for reason in REASONS
        if encode_value(found := classify(policy, reason))
        != encode_value(wanted := oracle.classified(policy.source[-1], reason))
    ]
    table = dict(fallback_table(policy))
    if any(encode_value(table[reason]) != encode_value(classify(policy, reason)) for reason in FAIL_REASONS):
        said.append("the table of failures differs from its rows")
    return tuple(said)


def _exact(value: Any) -> Any:
    """A form under which equal means equal on the wire: `true` is not 1, and -0 is 0."""
    if isinstance(value, dict):
        return ("record", sorted((key, _exact(item)) for key, item in cast("Request", value).items()))
    if isinstance(value, list):
        return ("array", [_exact(item) for item in cast("list[Any]", value)])
    if isinstance(value, float):
        return repr(value) if value else "0.0"
    return repr(float(value)) if type(value) is int and abs(value) <= 2**53 else repr(value)
