"""The columns of a matrix: every offer by itself, or the offers of one model, provider, region or route."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from workbench.catalog import Catalog
from workbench.engine.reference.fields import served_by
from workbench.language.vocabulary import UNKNOWN

By = Literal["offer", "model", "provider", "region", "served_by"]
BYS: Final[tuple[By, ...]] = ("offer", "model", "provider", "region", "served_by")

Places = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Axis:
    """Columns and the offers of each. Columns stand in the order in which the catalog first names them."""

    by: By
    names: tuple[str, ...]
    """One per column, no two alike."""
    of_offer: Places
    """Per offer of the catalog: its column."""
    words: tuple[str, ...]
    """Per column, in small letters: what a filter looks at."""

    @cached_property
    def sizes(self) -> Places:
        """How many offers each column has."""
        return np.bincount(self.of_offer, minlength=len(self.names))

    @cached_property
    def grouped(self) -> tuple[Places, Places]:
        """The offers column by column, each column's in catalog order, and where in them each column starts."""
        order = self.of_offer.argsort(kind="stable")
        return order, np.concatenate((np.zeros(1, np.intp), self.sizes.cumsum()[:-1]))

    def members(self, column: int) -> tuple[int, ...]:
        """The offers of a column, in catalog order."""
        return tuple(np.flatnonzero(self.of_offer == column).tolist())


def axis(catalog: Catalog, by: By) -> Axis:
    """The columns of a catalog."""
    keys = [_KEYS[by](catalog, index) for index in range(len(catalog))]
    places = {name: place for place, name in enumerate(dict.fromkeys(keys))}
    words: list[dict[str, None]] = [{name: None} for name in places]
    for index, key in enumerate(keys):
        offer = catalog.offers[index]
        if by == "offer":
            words[places[key]].update(dict.fromkeys((offer.model, offer.region or UNKNOWN)))
    of_offer = np.array([places[key] for key in keys], dtype=np.intp)
    return Axis(by, tuple(places), of_offer, tuple(" ".join(each).casefold() for each in words))


_KEYS: Final[dict[By, Callable[[Catalog, int], str]]] = {
    "offer": lambda catalog, index: catalog.offer_ids[index],
    "model": lambda catalog, index: catalog.offers[index].model,
    "provider": lambda catalog, index: catalog.offers[index].provider,
    "region": lambda catalog, index: catalog.offers[index].region or UNKNOWN,
    "served_by": lambda catalog, index: served_by(catalog.candidates[index]) or UNKNOWN,
}
