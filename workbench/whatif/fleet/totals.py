"""What a fleet comes to: winners, costs and movements per segment, and some tenants by name.

Batches are added one after the other, and only sums are kept, so it takes no more memory for ten million tenants than
for ten. Costs are USD per month; a tenant whose price or whose runs are not known is counted and adds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from workbench.boundary.sanitiser import one_line
from workbench.errors import Finding, UsageError
from workbench.whatif.fleet.arrow import pa
from workbench.whatif.fleet.deciding.combine import combine
from workbench.whatif.fleet.deciding.rows import LOST, MOVEMENTS, SAME, Decided
from workbench.whatif.fleet.plan import FleetPlan

NAMED: Final = 1_000
"""Most tenants that are listed by name; the file has all."""
MOST_SEGMENTS: Final = 10_000
MOST_POLICIES: Final = 65_536
"""Distinct policies are counted up to here."""


@dataclass(frozen=True, slots=True, order=True)
class Group:
    """Tenants of one segment to whom the same happens."""

    segment: tuple[str, ...]
    movement: int
    before: str
    """The winner before, empty for nobody, or where nothing is compared."""
    after: str
    """The winner, empty for nobody."""
    failed: bool
    """No winner because no policy, or no readable tenant."""


@dataclass(slots=True)
class Sums:
    """Over the tenants of a group."""

    tenants: int = 0
    one_provider: int = 0
    after: float = 0.0
    before: float = 0.0
    unknown: int = 0
    """Tenants with a winner, but no known cost per month, after or before."""

    def add(self, other: Sums) -> None:
        """Take another group's sums in."""
        self.tenants += other.tenants
        self.one_provider += other.one_provider
        self.after += other.after
        self.before += other.before
        self.unknown += other.unknown


@dataclass(frozen=True, slots=True)
class Named:
    """One tenant by name."""

    id: str
    segment: tuple[str, ...]
    movement: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Invalid:
    """One row without a policy."""

    row: int
    id: str
    reasons: tuple[str, ...]


@dataclass(slots=True)
class Totals:
    """Everything that is known of the rows so far."""

    by: tuple[str, ...] = ()
    compares: bool = False
    rows: int = 0
    invalid: int = 0
    assumed_no_log: int = 0
    policies: set[str] = field(default_factory=set[str])
    groups: dict[Group, Sums] = field(default_factory=dict[Group, Sums])
    stranded: list[Named] = field(default_factory=list[Named])
    """Tenants with nobody; where something is compared, those who had somebody before."""
    moved: list[Named] = field(default_factory=list[Named])
    errors: list[Invalid] = field(default_factory=list[Invalid])

    @classmethod
    def of(cls, plan: FleetPlan) -> Totals:
        """Nothing yet."""
        return cls(plan.by, plan.before is not None)

    def add(self, decided: Decided, plan: FleetPlan, first: int) -> None:
        """Take a batch in, whose first row has the number `first`."""
        rows = len(decided.ids)
        self.rows += rows
        self.invalid += len(decided.errors)
        self.assumed_no_log += decided.assumed_no_log
        if len(self.policies) < MOST_POLICIES:
            self.policies.update(name for v in decided.after.verdicts if (name := v.fingerprint) is not None)
        self._group(decided, plan, rows)
        self._name(decided, plan)
        for row in list(decided.errors)[: NAMED - len(self.errors)]:
            shown = one_line(decided.ids[row].as_py() or "", limit=200)
            self.errors.append(Invalid(first + row, shown, decided.errors[row]))

    def broken(self, found: Iterable[tuple[int, str]]) -> None:
        """Take rows in that could not even be read as rows."""
        for row, reason in found:
            self.rows += 1
            self.invalid += 1
            if len(self.errors) < NAMED:
                self.errors.append(Invalid(row, "", (reason,)))
            key = Group(("?",) * len(self.by), SAME, "", "", True)
            self.groups.setdefault(key, Sums()).tenants += 1

    def _group(self, decided: Decided, plan: FleetPlan, rows: int) -> None:
        after, before = decided.after, decided.before
        failed = np.zeros(rows, dtype=np.int64)
        failed[list(decided.errors)] = 1
        columns = [(decided.segment, len(decided.segments)), (after.winner + 1, _offers(plan.after)), (failed, 2)]
        if before is not None and plan.before is not None and decided.movement is not None:
            columns += [(before.winner + 1, _offers(plan.before)), (decided.movement.astype(np.int64), len(MOVEMENTS))]
        found = combine(columns, rows)
        unknown = np.isnan(after.cost_per_month) & (after.winner >= 0)
        was = np.zeros(rows)
        if before is not None:
            unknown |= np.isnan(before.cost_per_month) & (before.winner >= 0)
            was = np.nan_to_num(before.cost_per_month)
        now = np.nan_to_num(after.cost_per_month)
        count = len(found.first)

        def summed(weights: Any) -> list[float]:
            return np.bincount(found.codes, weights, count).tolist()

        sums = zip(summed(None), summed(after.providers == 1), summed(now), summed(was), summed(unknown), strict=True)
        for row, (tenants, single, month, month_before, not_known) in zip(found.first.tolist(), sums, strict=True):
            known = Sums(int(tenants), int(single), month, month_before, int(not_known))
            self.groups.setdefault(self._key(decided, plan, row, bool(failed[row])), Sums()).add(known)
        if len({key.segment for key in self.groups}) > MOST_SEGMENTS:
            reason = f"there are more than {MOST_SEGMENTS:,} segments by {', '.join(self.by)}"
            raise UsageError("too many segments", [Finding(reason, "segments", hint="name fields of few values")])

    def _key(self, decided: Decided, plan: FleetPlan, row: int, failed: bool) -> Group:
        was = "" if decided.before is None or plan.before is None else _offer(plan.before, decided.before.winner[row])
        movement = SAME if decided.movement is None else int(decided.movement[row])
        segment = decided.segments[int(decided.segment[row])]
        return Group(segment, movement, was, _offer(plan.after, decided.after.winner[row]), failed)

    def _name(self, decided: Decided, plan: FleetPlan) -> None:
        """Some tenants by name: who is stranded, and who moved."""
        nobody = decided.after.winner < 0
        if decided.movement is None:
            chosen = nobody.copy()
            chosen[list(decided.errors)] = False
        else:
            chosen = decided.movement == LOST
            if len(self.moved) < NAMED:
                places = np.flatnonzero((decided.movement != SAME) & ~chosen)[: NAMED - len(self.moved)]
                self.moved += self._named(decided, plan, places.tolist())
        if len(self.stranded) < NAMED:
            places = np.flatnonzero(chosen)[: NAMED - len(self.stranded)]
            self.stranded += self._named(decided, plan, places.tolist())

    def _named(self, decided: Decided, plan: FleetPlan, rows: list[int]) -> Iterable[Named]:
        ids: list[str | None] = decided.ids.take(pa.array(rows, pa.int64())).to_pylist()
        for row, tenant_id in zip(rows, ids, strict=True):
            key = self._key(decided, plan, row, False)
            movement = MOVEMENTS[key.movement] if self.compares else ""
            yield Named(one_line(tenant_id or "", limit=200), key.segment, movement, key.before, key.after)

    # -- what is asked of it ------------------------------------------------------------------------------------

    @property
    def stranded_count(self) -> int:
        """Tenants with a policy and nobody; where something is compared, those who had somebody before."""
        if self.compares:
            return self.count(lambda key: key.movement == LOST)
        return self.count(lambda key: not key.after and not key.failed)

    @property
    def changed(self) -> int:
        """Tenants with another winner, or another price."""
        return self.count(lambda key: key.movement != SAME)

    def count(self, which: Callable[[Group], bool]) -> int:
        """Tenants of the groups that `which` takes."""
        return sum(sums.tenants for key, sums in self.groups.items() if which(key))

    def total(self) -> Sums:
        """Over everyone."""
        return merged(self.groups.values())

    def segments(self) -> list[tuple[tuple[str, ...], list[tuple[Group, Sums]]]]:
        """The groups of each segment, segments in ascending order."""
        found: dict[tuple[str, ...], list[tuple[Group, Sums]]] = {}
        for key in sorted(self.groups):
            found.setdefault(key.segment, []).append((key, self.groups[key]))
        return list(found.items())

    # -- as it is kept ------------------------------------------------------------------------------------------

    def wire(self) -> dict[str, Any]:
        """Everything as JSON; `read` gives the same back, sums to the last bit."""
        return {
            "by": list(self.by), "compares": self.compares, "rows": self.rows, "invalid": self.invalid,
            "assumed_no_log": self.assumed_no_log, "policies": sorted(self.policies),
            "groups": [
                [list(k.segment), k.movement, k.before, k.after, k.failed, s.tenants, s.one_provider, s.after, s.before,
                 s.unknown]
                for k, s in self.groups.items()
            ],
            "stranded": [_wire(each) for each in self.stranded],
            "moved": [_wire(each) for each in self.moved],
            "errors": [[each.row, each.id, list(each.reasons)] for each in self.errors],
        }  # fmt: skip

    @classmethod
    def read(cls, wire: Mapping[str, Any]) -> Totals:
        """What `wire` gave."""
        groups = {
            Group(tuple(segment), movement, before, after, failed): Sums(*sums)
            for segment, movement, before, after, failed, *sums in wire["groups"]
        }
        return cls(
            tuple(wire["by"]), wire["compares"], wire["rows"], wire["invalid"], wire["assumed_no_log"],
            set(wire["policies"]), groups, [_read(each) for each in wire["stranded"]],
            [_read(each) for each in wire["moved"]],
            [Invalid(row, tenant_id, tuple(reasons)) for row, tenant_id, reasons in wire["errors"]],
        )  # fmt: skip


def merged(every: Iterable[Sums]) -> Sums:
    """The sum of sums."""
    total = Sums()
    for each in every:
        total.add(each)
    return total


def _offers(side: Any) -> int:
    return len(side.catalog.offer_ids) + 1


def _offer(side: Any, winner: Any) -> str:
    return "" if winner < 0 else side.catalog.offer_ids[int(winner)]


def _wire(named: Named) -> list[Any]:
    return [named.id, list(named.segment), named.movement, named.before, named.after]


def _read(wire: Sequence[Any]) -> Named:
    return Named(wire[0], tuple(wire[1]), *wire[2:])
