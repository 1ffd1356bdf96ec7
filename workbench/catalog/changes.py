"""What is new, gone and different between two catalogs, offer by offer and fact by fact. Pure: knows no file.

Owns which offer of one catalog is which of the other: the same provider, served model and region; failing that, the
only one of that provider and served model on both sides, whose region is then what changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from workbench.catalog.catalog import Catalog
from workbench.catalog.facts import Fact
from workbench.catalog.models import Offer

Key = tuple[str, str, str | None, int]
"""Provider, served model, region, and which of several that are alike in these."""


@dataclass(frozen=True, slots=True)
class FactChange:
    """One fact of one offer that is not what it was. Either side is None where the catalog does not know the name."""

    name: str
    before: Fact | None
    after: Fact | None


@dataclass(frozen=True, slots=True)
class OfferChange:
    """One offer that is in both catalogs and differs."""

    offer: str
    """Its id in the newer catalog."""
    old_index: int
    new_index: int
    facts: tuple[FactChange, ...]
    """In the order in which an offer's facts are listed."""


@dataclass(frozen=True)
class Changes:
    """How one catalog became another. Offers stand in the order of their catalog."""

    old: Catalog
    new: Catalog
    pairs: tuple[tuple[int, int], ...]
    """Offers that are in both: place in the old, place in the new, in the new one's order."""
    added: tuple[int, ...]
    """Places in the new catalog."""
    removed: tuple[int, ...]
    """Places in the old catalog."""
    changed: tuple[OfferChange, ...]
    redated: int
    """Facts that say the same with another source or day."""

    @property
    def same(self) -> bool:
        """Whether no offer came or went, and no fact has another value."""
        return not (self.added or self.removed or self.changed)

    def only(self, names: Iterable[str]) -> Changes:
        """The same, of these facts alone."""
        wanted = set(names)
        kept = [(one, tuple(fact for fact in one.facts if fact.name in wanted)) for one in self.changed]
        return replace(self, changed=tuple(replace(one, facts=facts) for one, facts in kept if facts), redated=0)

    @cached_property
    def by_fact(self) -> Mapping[str, int]:
        """How many offers each fact changed for, most first, then by name."""
        counts: dict[str, int] = defaultdict(int)
        for offer in self.changed:
            for fact in offer.facts:
                counts[fact.name] += 1
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def changes(old: Catalog, new: Catalog) -> Changes:
    """What differs from `old` to `new`."""
    pairs = tuple(_pairs(old, new))
    before, after = {one for one, _ in pairs}, {other for _, other in pairs}
    changed: list[OfferChange] = []
    redated = 0
    for one, other in pairs:
        facts, again = _facts(old.facts(one), new.facts(other))
        redated += again
        if facts:
            changed.append(OfferChange(new.offer_id(other), one, other, facts))
    return Changes(
        old, new, pairs, tuple(index for index in range(len(new)) if index not in after),
        tuple(index for index in range(len(old)) if index not in before), tuple(changed), redated,
    )  # fmt: skip


def _pairs(old: Catalog, new: Catalog) -> Iterator[tuple[int, int]]:
    """The same offers, in the new catalog's order."""
    known = dict(_keyed(old.offers))
    found = {index: known.pop(key) for key, index in _keyed(new.offers) if key in known}
    left = _single(old.offers, known.values())
    for route, index in _single(new.offers, (k for k in range(len(new)) if k not in found)).items():
        if route in left:
            found[index] = left[route]
    yield from ((found[index], index) for index in sorted(found))


def _keyed(offers: Iterable[Offer]) -> Iterator[tuple[Key, int]]:
    seen: dict[tuple[str, str, str | None], int] = defaultdict(int)
    for index, offer in enumerate(offers):
        name = (offer.provider, offer.served_model_id, offer.region)
        yield (*name, seen[name]), index
        seen[name] += 1


def _single(offers: tuple[Offer, ...], places: Iterable[int]) -> dict[tuple[str, str], int]:
    """The offers at these places that are the only one of their provider and served model among them."""
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index in places:
        found[offers[index].provider, offers[index].served_model_id].append(index)
    return {route: indices[0] for route, indices in found.items() if len(indices) == 1}


def _facts(before: Iterable[Fact], after: Iterable[Fact]) -> tuple[tuple[FactChange, ...], int]:
    """Facts with another value, and how many say the same from another source or day."""
    was, now = {fact.name: fact for fact in before}, {fact.name: fact for fact in after}
    found: list[FactChange] = []
    redated = 0
    for name in dict.fromkeys([*now, *was]):
        one, other = was.get(name), now.get(name)
        if _value(one) != _value(other):
            found.append(FactChange(name, one, other))
        elif one is not None and other is not None and (one.source, one.date) != (other.source, other.date):
            redated += 1
    return tuple(found), redated


def _value(fact: Fact | None) -> tuple[str, object, str]:
    """What counts as the same: `True` is not 1; a fact nobody knows is as good as none."""
    if fact is None or fact.value is None:
        return "", None, ""
    return type(fact.value).__name__ if isinstance(fact.value, bool | str) else "number", fact.value, fact.unit
