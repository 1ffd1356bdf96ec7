"""The line at the top, which says what is open and what it decides, and the line at the bottom: keys and age."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on

from workbench.session.actions import Action
from workbench.tui import wording
from workbench.tui.view import View
from workbench.tui.widgets.drawing import Cell, Line, cut, line_width, spread
from workbench.tui.widgets.text_block import TextBlock


class Header(TextBlock):
    """What is open; on narrow terminals, what the selected tenant gets."""

    def show_view(self, view: View, *, narrow: bool) -> None:
        """Show a view."""
        self.show(lambda width: [summary_line(view, width) if narrow else title_line(view, width)])


def title_line(view: View, width: int) -> Line:
    """Workspace, catalog, rulebook."""
    catalog, rulebook = view.state.catalog, view.state.rulebook
    left = [
        Cell("policy workbench", "title"),
        Cell(f"   {view.title}", ""),
        Cell(
            f"   catalog {catalog.name} · {len(catalog.offers):,} offers · {len(catalog.providers)} providers", "muted"
        ),
        Cell(f"   rulebook {rulebook.id}", "muted"),
    ]
    if view.dirty:
        left.append(Cell(" modified *", "warn"))
    return spread(left, [*_serving(view, "   "), Cell("^p", "key"), Cell(" all actions", "muted")], width)


def _serving(view: View, after: str) -> Line:
    """Whether there is an endpoint; nothing where there is none."""
    return [Cell(view.serving, "warn" if view.serving_ill else "good"), Cell(after)] if view.serving else []


def summary_line(view: View, width: int) -> Line:
    """Tenant, winner, cost, the funnel's ends and how many moved: an edit is never made blind."""
    outcome = view.outcome
    if outcome is None:
        return [Cell("policy workbench", "title"), Cell(f"  {view.title}", "muted")]
    cells = [Cell(outcome.tenant.id, "title"), Cell(" · ", "faint")]
    winner = wording.short_model(wording.served(view.state, outcome))
    cells.append(Cell(winner, "bad" if outcome.winner is None else "strong"))
    if outcome.winner is not None:
        region = view.state.catalog.offers[outcome.winner].region or wording.UNKNOWN
        cells += [Cell(f" {region} · {wording.cost(outcome.cost_per_run)}", "muted")]
    population = len(view.state.catalog.offers)
    right = [*_serving(view, "  "), Cell(f"{population:,}→{outcome.survivors:,}", "strong")]
    if view.moved:
        right.append(Cell(f" · {view.moved} moved", "warn"))
    if view.stale is not None:
        right.append(Cell(" · stale", "warn"))
    if view.dirty:
        right.append(Cell(" *", "warn"))
    return spread(cells, right, width)


class Footer(TextBlock):
    """The keys that are needed here, as many as fit, and the state of the work at the right end."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._actions: Sequence[tuple[str, str, str]] = ()
        self._status: Line = ()
        self._keys_first = False

    def show_actions(self, actions: Sequence[Action], status: Line) -> None:
        """Keys and the state of the work."""
        self.show_keys([(action.id, wording.key_name(action.keys[0]), action.title) for action in actions], status)

    def show_keys(self, keys: Sequence[tuple[str, str, str]], status: Line, *, keys_first: bool = False) -> None:
        """Action id (empty where a click does nothing), key and title.

        `keys_first`: the status takes what the keys leave.
        """
        self._actions = keys
        self._keys_first = keys_first
        self._status = status
        self.show(lambda width: [self._line(width)])

    def _line(self, width: int) -> Line:
        status = self._status
        if self._keys_first:
            keys = sum(line_width([Cell(f" {key} {title} ")]) for _, key, title in self._actions)
            status = cut(status, max(0, width - keys - 2))
        room = width - line_width(status) - 2
        cells: list[Cell] = []
        for _, key, title in self._actions:
            piece = [Cell(f" {key}", "key"), Cell(f" {title} ", "muted")]
            if line_width(cells) + line_width(piece) > room:
                break
            cells += piece
        if room < 8:
            return cut(status, width)
        return spread(cells, [*status, Cell(" ")], width)

    @on(TextBlock.Clicked)
    async def _clicked(self, event: TextBlock.Clicked) -> None:
        event.stop()
        start = 0
        for action_id, key, title in self._actions:
            end = start + line_width([Cell(f" {key} {title} ")])
            if start <= event.x < end and action_id:
                await self.run_action(f"screen.do({action_id!r})")
                return
            start = end


def status_cells(view: View, saved: str | None) -> Line:
    """Whether the result is stale (the editor says why), or the age of the save and the time of the last evaluation."""
    if view.stale is not None:
        return [Cell("stale: last good result", "warn")]
    parts: list[Cell] = []
    if view.dirty:
        parts.append(Cell("not saved", "warn"))
    elif saved:
        parts.append(Cell(f"saved {saved}", "muted"))
    if view.elapsed_ms is not None:
        between = " · " if parts else ""
        parts.append(Cell(f"{between}{view.elapsed_ms:.1f} ms", "faint"))
    return parts
