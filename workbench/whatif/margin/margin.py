"""By how much a tenant's winner leads, and at which exact value of which field it would stop to.

A flip is told as two neighbouring values: the last with which the winner wins and the first with which it does not.
Both were decided. Offers that the filter rejects have no say in a ranking, so only the survivors are decided again.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from workbench.engine import explain
from workbench.engine.context import Context
from workbench.engine.decide import decide
from workbench.engine.pool import Pool
from workbench.engine.reference.fields import Scene, number_field, stated_number
from workbench.errors import CompileError, Finding, NoCandidate
from workbench.language.admission import Admitted
from workbench.language.vocabulary import Vocabulary
from workbench.session.evaluation import Evaluator, cost_per_run
from workbench.session.state import WorkspaceState
from workbench.whatif.margin.shape import decides_by, read_by_ranking, shape_of, steady
from workbench.whatif.summary import Summary, summary_of

LARGEST: Final = 1.7976931348623157e308
_FROM_STATE: Final = frozenset(("credits",))
"""Fields that are no offer's own, and so cannot be another for one offer alone."""


@dataclass(frozen=True, slots=True)
class Flip:
    """One value of one offer's field at which the winner stops winning."""

    field: str
    unit: str
    offer: str
    """Whose field it is: the winner's or a rival's."""
    of_winner: bool
    now: float | None
    """Its value today; None where it is unknown."""
    holds: float
    """The last value, on the way from today's, with which the winner wins."""
    flips: float
    """The next double, with which it does not."""
    then: str | None
    """Who wins then; None: nobody."""
    by_filter: bool
    """Whether the winner goes because the filter rejects it, not because a rival scores higher."""
    exact: bool
    """Whether no value nearer than this can flip it; False where the ranking's shape does not prove it."""


@dataclass(frozen=True, slots=True)
class Firm:
    """A field that cannot flip the winner."""

    field: str
    offer: str
    why: str


@dataclass(frozen=True, slots=True)
class Margin:
    """A winner and its lead."""

    tenant: str
    summary: Summary
    runner_up: str | None
    runner_cost: float | None
    """USD a run with the runner-up."""
    by: str
    """What orders the survivors: `score`, `chance`, `chain` or `order`."""
    scores: tuple[float, float | None]
    """The winner's and the runner-up's."""
    lead: float | None
    """Their difference; None without a runner-up, or where it has no meaning."""
    flips: tuple[Flip, ...]
    """The nearest change, by share of today's value, first."""
    firm: tuple[Firm, ...]


def margin(
    state: WorkspaceState,
    tenant_id: str,
    evaluator: Evaluator,
    rival: int | None = None,
    tell: Callable[[], None] = lambda: None,
) -> Margin:
    """The winner's lead over the runner-up, or over `rival`, a survivor. `tell` is called while it searches.

    Raises `CompileError` where the tenant has no policy, `NoCandidate` where nobody wins.
    """
    outcome = evaluator.outcome(state, state.tenant(tenant_id))
    compiled, decision = outcome.compiled, outcome.decision
    if compiled is None or decision is None:
        raise CompileError(f"tenant `{tenant_id}` has no policy", outcome.errors)
    if outcome.winner is None:
        finding = Finding(f"no offer is left for tenant `{tenant_id}`", "no_candidate")
        raise NoCandidate("nobody wins", [finding])
    summary, policy = summary_of(state, outcome), compiled.policy
    others = decision.order[1:]
    second = rival if rival is not None and rival in others else next(iter(others), None)
    by = decides_by(policy)
    lead = None
    if by == "score" and second is not None:
        lead = decision.scores[0] - decision.scores[decision.order.index(second)]
    trial = Trial(state.pool, state.context, policy, decision.survivor_indices, tell)
    flips, firm = _flips(state, trial, outcome.winner, second) if by != "chance" else ([], [])
    flips.sort(key=_nearness)
    second_score = None if second is None else decision.scores[decision.order.index(second)]
    return Margin(
        tenant_id,
        summary,
        None if second is None else state.catalog.offer_id(second),
        None if second is None else _cost(state, tenant_id, second),
        by,
        (decision.scores[0], second_score),
        lead if lead is None or math.isfinite(lead) else None,
        tuple(flips),
        tuple(firm),
    )


def _cost(state: WorkspaceState, tenant_id: str, index: int) -> float | None:
    return cost_per_run(state.catalog.candidates[index], state.tenant(tenant_id).workload)


def _nearness(flip: Flip) -> tuple[bool, float, str]:
    """How large a change it takes, by share of what there is now."""
    if flip.now is None or not math.isfinite(flip.now):
        return (True, 0.0, flip.field)
    return (False, abs(flip.flips - flip.now) / (abs(flip.now) or 1.0), flip.field)


@dataclass(frozen=True, slots=True)
class Trial:
    """The survivors of one policy, to be decided again with one number of one offer changed."""

    pool: Pool
    context: Context
    policy: Admitted
    survivors: tuple[int, ...]
    tell: Callable[[], None]
    """Called before each decision; what it raises ends the search."""

    def order(self, index: int, field: str, value: float) -> tuple[int, ...]:
        """The order, as catalog places, with this value of `field` for the offer at `index`."""
        self.tell()
        rows = [self.pool.candidates[k] for k in self.survivors]
        rows[self.survivors.index(index)] = with_number(self.pool.candidates[index], field, value)
        found = decide(self.policy, Pool(rows, self.pool.vocabulary), self.context)
        return tuple(self.survivors[place] for place in found.order)

    def passes(self, index: int, field: str, value: float) -> bool:
        """Whether the offer would still pass the filter."""
        row = with_number(self.pool.candidates[index], field, value)
        alone = Pool([row], self.pool.vocabulary)
        return bool(explain.mask(self.policy.slot("filter"), alone, self.context)[0])


def with_number(candidate: Any, field: str, value: float) -> dict[str, Any]:
    """The wire candidate with another value for one number."""
    if field == "context":
        return {**candidate, "capabilities": {**candidate.get("capabilities", {}), "context": value}}
    return {**candidate, field: value}


def _flips(state: WorkspaceState, trial: Trial, winner: int, second: int | None) -> tuple[list[Flip], list[Firm]]:
    flips: list[Flip] = []
    firm: list[Firm] = []
    for index in (winner,) if second is None else (winner, second):
        label = state.catalog.offer_id(index)
        for field in read_by_ranking(trial.policy):
            if field in _FROM_STATE:
                firm.append(Firm(field, label, "it is the provider's, not the offer's"))
                continue
            found = [f for up in (True, False) if (f := _flip(state, trial, winner, index, field, up=up)) is not None]
            flips += found
            if not found:
                firm.append(Firm(field, label, _why_firm(trial.policy, field, index == winner)))
    return flips, firm


def _why_firm(policy: Admitted, field: str, of_winner: bool) -> str:
    shape = shape_of(policy, field)
    if shape.direction == 0 and not shape.bounds:
        return "the ranking does not weigh it"
    whose = "the winner's" if of_winner else "the runner-up's"
    if not _proven(policy, field, of_winner):
        return f"no value tried of {whose} {field} alone changes who wins; the ranking's shape does not prove it"
    return f"no value of {whose} {field} alone changes who wins"


def _proven(policy: Admitted, field: str, of_winner: bool) -> bool:
    """Whether the ranking's shape proves that nothing nearer than what was found flips the winner."""
    return shape_of(policy, field).direction is not None and (of_winner or steady(policy, field))


def _flip(state: WorkspaceState, trial: Trial, winner: int, index: int, field: str, *, up: bool) -> Flip | None:
    """The nearest value above (or below) today's with which the winner stops winning."""
    scene = Scene(state.vocabulary, trial.policy.version, trial.context)
    candidate = trial.pool.candidates[index]
    now = number_field(field, candidate, scene)
    if not math.isfinite(now):
        now = LARGEST if now > 0 else 0.0
    shape = shape_of(trial.policy, field)

    def wins(value: float) -> bool:
        return trial.order(index, field, value)[:1] == (winner,)

    low, high = domain(state.vocabulary, trial.pool, field)
    end = high if up else low
    rest = [number_field(field, trial.pool.candidates[each], scene) for each in trial.survivors if each != index]
    edges = [edge for edge in (min(rest, default=0.0), max(rest, default=0.0)) if math.isfinite(edge)]
    points = waypoints(now, end, (*shape.bounds, *edges))
    found = first_loss(wins, points)
    if found is None:
        return None
    holds, flips = found
    order = trial.order(index, field, flips)
    stated = stated_number(field, candidate, scene)
    known = state.vocabulary.fields.get(field)
    return Flip(
        field,
        "" if known is None else known.unit,
        state.catalog.offer_id(index),
        index == winner,
        stated,
        holds,
        flips,
        state.catalog.offer_id(order[0]) if order else None,
        index == winner and not trial.passes(index, field, flips),
        _proven(trial.policy, field, index == winner),
    )


def domain(vocabulary: Vocabulary, pool: Pool, field: str) -> tuple[float, float]:
    """The values that a field may have: 0 to 1 for a benchmark that nowhere exceeds 1, else 0 to the largest double."""
    if field.startswith("bench_") and not field.endswith("_rank"):
        column = pool.columns.numbers(field)
        if field in vocabulary.fields and not (column > 1.0).any():
            return 0.0, 1.0
    return 0.0, LARGEST


def waypoints(now: float, end: float, bounds: Sequence[float]) -> tuple[float, ...]:
    """From today's value to the end: every bound on the way with its two neighbours, in the order they are met."""
    low, high = min(now, end), max(now, end)
    near = {*bounds, *(math.nextafter(bound, way) for bound in bounds for way in (-math.inf, math.inf))}
    inside = sorted(point for point in near if low < point < high)
    return (now, *(inside if end > now else reversed(inside)), end)


def first_loss(wins: Callable[[float], bool], points: Sequence[float]) -> tuple[float, float] | None:
    """The last value that wins and the next double that does not, on the way through `points`; None where all win."""
    if not wins(points[0]):
        return None
    for left, right in pairwise(points):
        if left != right and not wins(right):
            return halved(wins, left, right)
    return None


def halved(wins: Callable[[float], bool], holds: float, flips: float) -> tuple[float, float]:
    """Neighbouring doubles between which `wins` changes, by halving the doubles between, not the distance."""
    a, b = _rank(holds), _rank(flips)
    while abs(a - b) > 1:
        middle = (a + b) // 2
        if wins(_unrank(middle)):
            a = middle
        else:
            b = middle
    return _unrank(a), _unrank(b)


def _rank(value: float) -> int:
    """The place of a double among all doubles, 0 being 0."""
    (bits,) = struct.unpack("<q", struct.pack("<d", value + 0.0))
    return bits if bits >= 0 else -(bits & 0x7FFFFFFFFFFFFFFF)


def _unrank(place: int) -> float:
    value: float = struct.unpack("<d", struct.pack("<q", abs(place)))[0]
    return value if place >= 0 else -value
