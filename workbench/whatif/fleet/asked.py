"""A question over a loaded base: two worlds held against each other, group by group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isnan
from typing import Final

import numpy as np
from numpy.typing import NDArray

from workbench.boundary.sanitiser import one_line
from workbench.rulebook.schema import WORKLOAD_FIELDS
from workbench.whatif.fleet.arrow import pa
from workbench.whatif.fleet.deciding.judge import Verdict
from workbench.whatif.fleet.deciding.rows import (
    CHEAPER,
    DEARER,
    GAINED,
    LOST,
    MOVED,
    MOVEMENTS,
    SAME,
    judge_of,
    offer_places,
    prices,
    segments_of,
)
from workbench.whatif.fleet.loaded import WRONG, Base
from workbench.whatif.fleet.plan import FleetPlan
from workbench.whatif.fleet.side import Side
from workbench.whatif.fleet.totals import NAMED, Group, Invalid, Named, Sums, Totals

Ints = NDArray[np.int64]
_TOKENS: Final = WORKLOAD_FIELDS[:2]
_RUNS: Final = WORKLOAD_FIELDS[2]
_SCANNED: Final = 65_536
"""Tenants that are looked at together when some are to be named."""


def ask(base: Base, after: Side, before: Side | None = None, by: tuple[str, ...] | None = None) -> Totals:
    """What everyone of a base gets under `after`, measured against `before`."""
    plan = replace(base.plan, after=after, before=before, by=base.plan.by if by is None else by)
    return _Asked(base, plan).totals()


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """The tenants of one segment that have one policy."""

    policy: str
    """Its fingerprint; empty where there is none."""
    before: str
    after: str
    movement: str
    survivors: int
    providers: int
    sums: Sums


def policies(
    base: Base, segment: tuple[str, ...], after: Side, before: Side | None = None, by: tuple[str, ...] | None = None
) -> list[PolicyRow]:
    """The distinct policies of a segment and what each wins, those of most tenants first."""
    plan = replace(base.plan, after=after, before=before, by=base.plan.by if by is None else by)
    return _Asked(base, plan).policies(segment)


class _Asked:
    """One question over a base."""

    def __init__(self, base: Base, plan: FleetPlan) -> None:
        self.base, self.plan = base, plan
        always = {WRONG, *_TOKENS, _RUNS, "title", "note"} | _unfit_columns(base, plan)
        self.groups = base.groups(frozenset(name for name in base.columns if name in always or name in plan.reads))
        self.bad = self.groups.bad
        self.facts = self.groups.facts
        known = self.groups.segments.get(plan.by)
        if known is None:
            known = self.groups.segments[plan.by] = segments_of(plan, self.facts)
        self.segments, self.segment = known
        self.after = self._verdicts(plan.after)
        self.before = None if plan.before is None else self._verdicts(plan.before)
        self.places: list[int] = [] if plan.before is None else offer_places(plan.before, plan.after).tolist()
        self.cost = self._costs(plan.after, self.after)
        self.cost_before = self.cost if plan.before is None else self._costs(plan.before, self.before or [])

    def _verdicts(self, side: Side) -> list[Verdict]:
        judge = judge_of(side, self.plan.workload)
        return [judge.verdict(facts, key) for facts, key in zip(self.facts, self.groups.keys, strict=True)]

    def _costs(self, side: Side, verdicts: Sequence[Verdict]) -> list[float]:
        """USD per run of each group, NaN where unknown or nobody."""
        price_in, price_out = prices(side)
        winner = self._winners(verdicts)
        work = self.plan.workload
        tokens = [
            np.array(
                [_number(side.facts.get(name, facts.get(name)), default) for facts in self.facts], dtype=np.float64
            )
            for name, default in zip(_TOKENS, (work.tokens_in, work.tokens_out), strict=True)
        ]
        found: list[float] = ((tokens[0] * price_in[winner] + tokens[1] * price_out[winner]) / 1e6).tolist()
        return found

    def _winners(self, verdicts: Sequence[Verdict]) -> Ints:
        found = np.array([verdict.winner for verdict in verdicts], dtype=np.int64)
        found[self.bad] = -1
        return found

    def totals(self) -> Totals:
        """The answer."""
        totals = Totals.of(self.plan)
        totals.broken(self.base.broken)
        totals.rows += len(self.base)
        winners = self._winners(self.after).tolist()
        was = winners if self.before is None or self.plan.before is None else self._winners(self.before).tolist()
        keys: list[Group] = []
        for place, verdict in enumerate(self.after):
            keys.append(self._key(place, winners[place], was[place]))
            sums = self._sums(place, verdict, winners[place], was[place])
            totals.groups.setdefault(keys[-1], Sums()).add(sums)
            totals.invalid += sums.tenants if keys[-1].failed else 0
            totals.assumed_no_log += sums.tenants if verdict.assumed_no_log else 0
            if verdict.policy is not None:
                totals.policies.add(verdict.policy)
        self._name(totals, keys)
        return totals

    def policies(self, segment: tuple[str, ...]) -> list[PolicyRow]:
        """The policies of one segment."""
        winners = self._winners(self.after).tolist()
        was = winners if self.before is None else self._winners(self.before).tolist()
        found: dict[tuple[str, Group], PolicyRow] = {}
        for place, verdict in enumerate(self.after):
            key = self._key(place, winners[place], was[place])
            if key.segment != segment:
                continue
            name = verdict.fingerprint or ""
            row = PolicyRow(
                name, key.before, key.after, MOVEMENTS[key.movement] if self.plan.before is not None else "",
                verdict.survivors, verdict.providers, Sums(),
            )  # fmt: skip
            known = found.setdefault((name, key), row)
            known.sums.add(self._sums(place, verdict, winners[place], was[place]))
        return sorted(found.values(), key=lambda row: (-row.sums.tenants, row.policy, row.after, row.before))

    def _key(self, place: int, winner: int, was: int) -> Group:
        plan = self.plan
        failed = bool(self.after[place].reasons) or bool(self.bad[place])
        before = "" if plan.before is None or was < 0 else plan.before.catalog.offer_ids[was]
        after = "" if winner < 0 else plan.after.catalog.offer_ids[winner]
        return Group(self.segments[int(self.segment[place])], self._movement(place, winner, was), before, after, failed)

    def _movement(self, place: int, winner: int, was: int) -> int:
        if self.plan.before is None:
            return SAME
        old, new = self.cost_before[place], self.cost[place]
        equal = old == new or (isnan(old) and isnan(new))
        if self.places[was] == winner and equal:
            return SAME
        if winner < 0:
            return LOST
        if was < 0:
            return GAINED
        if isnan(old) or isnan(new) or old == new:
            return MOVED
        return DEARER if new > old else CHEAPER

    def _sums(self, place: int, verdict: Verdict, winner: int, was: int) -> Sums:
        groups = self.groups
        tenants, runs = int(groups.tenants[place]), float(groups.runs[place])
        after, before = self._month(self.cost[place], runs), 0.0
        unknown = winner >= 0 and isnan(self.cost[place])
        if self.plan.before is not None:
            before = self._month(self.cost_before[place], runs)
            unknown |= was >= 0 and isnan(self.cost_before[place])
        anybody = winner >= 0 or (self.plan.before is not None and was >= 0)
        not_known = tenants if unknown else int(groups.unknown[place]) if anybody else 0
        single = tenants if verdict.providers == 1 and not self.bad[place] else 0
        return Sums(tenants, single, after, before, not_known)

    @staticmethod
    def _month(cost: float, runs: float) -> float:
        return 0.0 if isnan(cost) else cost * runs

    def _name(self, totals: Totals, keys: Sequence[Group]) -> None:
        compares = self.plan.before is not None
        lost = [key.movement == LOST if compares else not key.after and not key.failed for key in keys]
        moved = [compares and key.movement not in (SAME, LOST) for key in keys]
        totals.stranded += self._named(lost, keys)
        totals.moved += self._named(moved, keys)
        judge = judge_of(self.plan.after, self.plan.workload)
        for row in self.rows_of([key.failed for key in keys], NAMED - len(totals.errors)):
            group = int(self.groups.codes[row])
            tenant_id = self.base.ids[row].as_py() or ""
            reasons: tuple[str, ...] = ()
            if row in self.base.wrong:
                reasons = (self.base.wrong[row],)
            if not reasons or self.after[group].unreadable:
                reasons += judge.reasons(self.facts[group], self.after[group], tenant_id)
            totals.errors.append(Invalid(self.base.number(row), one_line(tenant_id, limit=200), reasons))

    def rows_of(self, which: Sequence[bool], most: int) -> list[int]:
        """The first rows of the groups that are chosen."""
        found: list[int] = []
        chosen = np.array(which, dtype=np.bool_)
        for start in range(0, len(self.base), _SCANNED):
            if len(found) >= most or not chosen.any():
                break
            places = np.flatnonzero(chosen[self.groups.codes[start : start + _SCANNED]])[: most - len(found)] + start
            found += places.tolist()
        return found

    def _named(self, which: Sequence[bool], keys: Sequence[Group]) -> list[Named]:
        rows = self.rows_of(which, NAMED)
        ids: list[str | None] = self.base.ids.take(pa.array(rows, pa.int64())).to_pylist()
        found: list[Named] = []
        for row, tenant_id in zip(rows, ids, strict=True):
            key = keys[int(self.groups.codes[row])]
            movement = MOVEMENTS[key.movement] if self.plan.before is not None else ""
            found.append(Named(one_line(tenant_id or "", limit=200), key.segment, movement, key.before, key.after))
        return found


def _unfit_columns(base: Base, plan: FleetPlan) -> set[str]:
    """Columns with a value that a side refuses: such a tenant has no policy, whether or not a rule reads it."""
    return {name for name in base.columns if any(base.refuses(name, side) for side in plan.sides)}


def _number(value: object, default: float) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else float(default)
