"""The frontier at work: points, the line, axes, and a point that selects its offer."""

from __future__ import annotations

from tests.tui.conftest import SIZES
from tests.tui.driving import main_screen, screen_text, type_text
from tests.whatif_views.opening import keys, lines_of, opened, press, settled
from workbench.session.edits import ToggleClause
from workbench.session.session import Session
from workbench.tui.app import WorkbenchApp
from workbench.tui.work.frontier.screen import FrontierScreen
from workbench.whatif.frontier.points import frontier


async def test_it_opens_at_the_winner_at_every_size(session: Session) -> None:
    async with opened(session, "V", SIZES[0]) as (pilot, screen):
        assert isinstance(screen, FrontierScreen)
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await settled(pilot)
            lines = lines_of(pilot)
            assert len(lines) == size[1]
            winner = session.shown.outcomes[screen.cursors.tenant_id or ""].winner
            assert screen.cursors.offer == winner
            text = "\n".join(lines)
            assert session.state.catalog.offer_id(winner or 0) in text
            assert f"{len(screen.found.unplotted)} not plotted" in text
            assert "◎" in text


async def test_n_walks_the_line_and_arrows_go_from_point_to_point(session: Session) -> None:
    async with opened(session, "V") as (pilot, screen):
        line = [point.index for point in frontier(session.state, screen.outcome).line]
        assert screen.cursors.offer == line[0]
        seen: list[int] = []
        for _ in line[1:]:
            text = await press(pilot, "n")
            seen.append(screen.cursors.offer)
            assert "nothing that passes beats it" in text
        assert seen == line[1:]
        before = screen.point()
        await keys(pilot, "left")
        assert screen.point().x <= before.x
        before = screen.point()
        await keys(pilot, "down")
        assert screen.point().y <= before.y


async def test_offers_on_one_place_are_all_reached(session: Session) -> None:
    async with opened(session, "V") as (pilot, screen):
        here = set(screen.plot.here())
        assert len(here) > 1
        found = {screen.cursors.offer}
        for _ in range(len(here) - 1):
            await keys(pilot, "space")
            found.add(screen.cursors.offer)
        assert found == here


async def test_axes_change_to_figures_that_are_known_and_the_scale_with_them(session: Session) -> None:
    async with opened(session, "V") as (pilot, screen):
        for key in ("Y", "Y", "X", "s"):
            text = await press(pilot, key)
            assert f"↑ {screen.axes[1]}" in text
            assert screen.found.points
        assert "latency_ms" not in screen.axes, "nobody's latency is known here"


async def test_the_rejected_are_hidden_and_a_filter_narrows(session: Session) -> None:
    async with opened(session, "V") as (pilot, screen):
        await keys(pilot, "r")
        assert {point.kind for point in screen.plot.found.points} == {"winner", "survivor"}
        await keys(pilot, "slash")
        await type_text(pilot, "openai/")
        await keys(pilot, "enter")
        names = [session.state.catalog.offer_id(point.index) for point in screen.plot.found.points]
        assert names
        assert all("openai/" in name for name in names)
        await keys(pilot, "slash")
        await type_text(pilot, "zzz")
        assert "no offer has both figures" in "\n".join(lines_of(pilot))


async def test_a_point_selects_the_offer_on_the_main_screen(session: Session) -> None:
    async with opened(session, "V") as (pilot, screen):
        await keys(pilot, "n", "n")
        offer = screen.cursors.offer
        await keys(pilot, "enter")
        main = main_screen(pilot.app)
        assert pilot.app.screen is main
        assert main.cursors.offer == offer
        assert main.view is not None
        assert main.view.offer == offer


async def test_edits_are_followed_and_other_tenants_shown(session: Session) -> None:
    async with opened(session, "V") as (pilot, screen):
        before = screen.found.counts
        session.commit(ToggleClause("acme-eu", "eu-residency", "tenant"))
        screen.look()
        await keys(pilot)
        assert screen.found.counts[0] > before[0]
        await keys(pilot, "t")
        assert screen.cursors.tenant_id == "alba-clinic"
        text = await press(pilot, "n")
        assert "nothing is on the line" in text
        text = await press(pilot, "o")
        assert "nobody wins here" in text
        await keys(pilot, "T")
        assert screen.cursors.tenant_id == "acme-eu"


async def test_the_main_screens_column_shows_the_same_plot(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(200, 50)) as pilot:
        await pilot.pause()
        text = screen_text(app)
        assert "◆ winner ● best o passes · rejected" in text
