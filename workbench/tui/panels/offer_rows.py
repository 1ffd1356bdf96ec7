"""The rows of the offer list: the fallback order first, then what the selector left out, then what the filter took."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.session import views
from workbench.session.evaluation import Outcome
from workbench.session.state import WorkspaceState
from workbench.tui import wording
from workbench.tui.widgets.columns import Column, Columns
from workbench.tui.widgets.drawing import Cell, Line
from workbench.tui.widgets.rows import EvenRows

RANKED = Columns((
    Column("place", "#", 3, "right", style="muted"),
    Column("model", "model"),
    Column("provider", "provider", 13, style="muted"),
    Column("region", "region", 6, style="muted"),
    Column("out", "$/M out", 7, "right", from_width=66),
    Column("cost", "$/run", 7, "right"),
    Column("score", "score", 5, "right"),
))  # fmt: skip
REJECTED = Columns((
    Column("place", "#", 3, "right"),
    Column("model", "model", style="muted"),
    Column("provider", "provider", 13, style="faint"),
    Column("region", "region", 6, style="faint"),
    Column("reason", "", 16, style="bad"),
))  # fmt: skip
TIGHT = Columns((
    Column("place", "#", 3, "right", style="muted"),
    Column("both", "model provider"),
    Column("cost", "$/run", 7, "right"),
    Column("short", "score", 5, "right"),
))  # fmt: skip
TIGHT_REJECTED = Columns((
    Column("place", "#", 3, "right"),
    Column("both", "model provider"),
    Column("reason", "", 13, style="bad"),
))  # fmt: skip
"""Below `WIDE` cells a model and its provider share a column."""
WIDE = 52


class OfferRows(EvenRows):
    """Every offer of the catalog as one tenant sees it, drawn one at a time."""

    def __init__(
        self,
        state: WorkspaceState,
        outcome: Outcome,
        query: str = "",
        only: Sequence[int] | None = None,
        sort: str | None = None,
    ) -> None:
        self._state = state
        self._outcome = outcome
        self._sort = sort
        decision = outcome.decision
        order: Sequence[int] = decision.order if decision else ()
        taken: Sequence[int] = (decision.codes < len(decision.reasons)).nonzero()[0].tolist() if decision else ()
        left_out: Sequence[int] = views.left_out(state, outcome)
        self._places: Sequence[int] = range(len(order))
        """Places in the fallback order, 0-based, in the order of the list."""
        if sort is not None:
            self._places = sorted(self._places, key=lambda place: self._sort_key(order[place], place))
            left_out, taken = sorted(left_out, key=self._sort_key), sorted(taken, key=self._sort_key)
        self._ends = (len(order), len(order) + len(left_out))
        self._all: Sequence[int] = (*(order[place] for place in self._places), *left_out, *taken)
        """Catalog places in the order of the list."""
        self._shown = self._filtered(query.casefold(), only)

    def _sort_key(self, index: int, place: int = 0) -> tuple[object, ...]:
        offer = views.offer_row(self._state, self._outcome, index)
        unknown = float("inf")
        value: object = {
            "model": wording.short_model(offer.model_family).casefold(),
            "both": wording.short_model(offer.model_family).casefold(),
            "provider": offer.provider,
            "region": offer.region or "~",
            "out": unknown if offer.price_out is None else offer.price_out,
            "cost": unknown if offer.cost_per_run is None else offer.cost_per_run,
        }.get(self._sort or "", 0)
        return (value, place)

    def _filtered(self, query: str, only: Sequence[int] | None) -> Sequence[int] | None:
        """Places in `_all` that are shown; None for all of them."""
        if not query and only is None:
            return None
        wanted = None if only is None else set(only)
        catalog = self._state.catalog
        return [
            at
            for at, index in enumerate(self._all)
            if (wanted is None or index in wanted)
            and query in f"{catalog.offer_id(index)} {catalog.candidates[index]['model_family']}".casefold()
        ]

    def __len__(self) -> int:
        return len(self._all) if self._shown is None else len(self._shown)

    def heading(self, width: int) -> Line | None:
        return (RANKED if width >= WIDE else TIGHT).heading(width, self._sort)

    @staticmethod
    def column_at(x: int, width: int) -> str | None:
        """The key of the column under a cell of the heading."""
        return (RANKED if width >= WIDE else TIGHT).at(x, width)

    def index_at(self, row: int) -> int | None:
        """The catalog place of the offer in a row."""
        if not 0 <= row < len(self):
            return None
        return self._all[row if self._shown is None else self._shown[row]]

    def row_of(self, index: int | None) -> int:
        """The row of an offer; the first where it is not shown."""
        if index is None:
            return 0
        try:
            at = self._all.index(index)
            return at if self._shown is None else self._shown.index(at)
        except ValueError:
            return 0

    def draw_row(self, row: int, sub: int, width: int) -> Line:  # noqa: ARG002 - one line each
        at = row if self._shown is None else self._shown[row]
        if at < self._ends[0]:
            return self._ranked_line(at, width)
        if at < self._ends[1]:
            return self._plain_line(at, "-", Cell("not kept", "muted"), width)
        checks = views.checks(self._state, self._outcome, self._all[at])
        failed = [check.clause.shown for check in checks if not check.passed]
        return self._plain_line(at, "x", Cell(failed[0] if failed else "", "bad"), width)

    def _ranked_line(self, at: int, width: int) -> Line:
        row = views.rank_row(self._state, self._outcome, self._places[at])
        offer = row.offer
        name = Cell(wording.short_model(offer.model_family), "strong" if row.place == 1 else "")
        return (RANKED if width >= WIDE else TIGHT).lay(
            {
                "both": [name, Cell(f" {offer.provider}", "faint")],
                "short": Cell(wording.score(row.score)),
                "place": Cell(str(row.place), "accent" if row.place == 1 else ""),
                "model": name,
                "provider": Cell(offer.provider),
                "region": Cell(offer.region or wording.UNKNOWN),
                "out": Cell(wording.number(offer.price_out)),
                "cost": Cell(wording.number(offer.cost_per_run)),
                "score": Cell(wording.score(row.score)),
            },
            width,
        )

    def _plain_line(self, at: int, sign: str, reason: Cell, width: int) -> Line:
        offer = views.offer_row(self._state, self._outcome, self._all[at])
        name = wording.short_model(offer.model_family)
        return (REJECTED if width >= WIDE else TIGHT_REJECTED).lay(
            {
                "both": [Cell(name, "muted"), Cell(f" {offer.provider}", "faint")],
                "place": Cell(sign, "bad" if sign == "x" else "muted"),
                "model": Cell(name),
                "provider": Cell(offer.provider),
                "region": Cell(offer.region or wording.UNKNOWN),
                "reason": reason,
            },
            width,
        )
