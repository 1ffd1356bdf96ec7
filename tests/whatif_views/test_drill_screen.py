"""The outage drill at work: what is down, the ladder step by step, who ends with nobody, the radar."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.conftest import SIZES
from tests.tui.driving import clear_input, main_screen, type_text
from tests.whatif_views.opening import keys, lines_of, opened, press, settled
from workbench.session.session import Session
from workbench.tui.widgets.line_table import LineTable
from workbench.tui.work.drill.screen import DrillScreen
from workbench.whatif.drill.run import drill_all
from workbench.whatif.drill.trouble import Trouble, trouble_of
from workbench.whatif.radar import radar


async def test_it_opens_with_everything_up_at_every_size(session: Session) -> None:
    async with opened(session, "O", SIZES[0]) as (pilot, screen):
        assert isinstance(screen, DrillScreen)
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await settled(pilot)
            text = "\n".join(lines_of(pilot))
            assert len(lines_of(pilot)) == size[1]
            assert "everything is up" in text
            assert "1 of 8 end with nobody" in text
            assert "assumed" in text, "an assumed latency is told"


async def test_a_provider_is_taken_down_and_the_stranded_stand_first(session: Session) -> None:
    async with opened(session, "O") as (pilot, screen):
        name = screen.providers[0]
        text = await press(pilot, "space")
        assert screen.trouble.down == (name,)
        wanted = drill_all(session.shown, Trouble(trouble_of(session.state, [name])))
        assert set(screen.ends) == set(wanted)
        stranded = [drilled.tenant for drilled in wanted if drilled.stranded]
        assert f"{len(stranded)} of 8 end with nobody" in text
        assert [drilled.tenant for drilled in screen.ends[: len(stranded)]] == stranded
        await keys(pilot, "space")
        assert screen.trouble == Trouble()


async def test_the_ladder_is_stepped_and_played_on_the_virtual_clock(session: Session) -> None:
    async with opened(session, "O") as (pilot, screen):
        await keys(pilot, "f")
        await clear_input(pilot)
        await type_text(pilot, "azure=server_error")
        await keys(pilot, "enter")
        steps = len(screen.drilled.steps)
        assert steps >= 4
        text = await press(pilot, "n")
        assert f"step 1 of {steps}" in text
        assert "clock 1 s" in text
        text = await press(pilot, "n")
        assert "clock 1.25 s" in text, "the wait of 250 ms"
        text = await press(pilot, "a")
        assert "the end" in text
        text = await press(pilot, "z")
        assert f"step 0 of {steps}" in text
        screen.query_one("#drill-ladder").focus()
        text = await press(pilot, "space")
        assert f"step 1 of {steps}" in text, "space steps on the ladder"


async def test_a_fault_that_cannot_be_played_is_told_and_asked_again(session: Session) -> None:
    async with opened(session, "O") as (pilot, screen):
        await keys(pilot, "f")
        await clear_input(pilot)
        await type_text(pilot, "azure=nonsense[bold]")
        text = await press(pilot, "enter")
        assert "there is no fault `nonsense[bold]`" in " ".join(text.replace("│", " ").split())
        assert screen.trouble == Trouble()
        await keys(pilot, "escape")
        assert pilot.app.screen is screen


async def test_another_tenants_line_shows_its_ladder(session: Session) -> None:
    async with opened(session, "O") as (pilot, screen):
        screen.query_one("#drill-tenants", LineTable).focus()
        text = await press(pilot, "home")
        assert screen.cursors.tenant_id == "alba-clinic"
        assert "Ladder of alba-clinic" in text
        assert "nobody to call after 0 ms" in text
        await keys(pilot, "w")
        assert main_screen(pilot.app).cursors.tenant_id == "alba-clinic"


async def test_the_radar_says_who_dies_and_enter_takes_that_provider_down(session: Session) -> None:
    async with opened(session, "O") as (pilot, screen):
        text = await press(pilot, "r")
        worst = radar(session.shown).losses[0]
        assert ", ".join(fall.tenant for fall in worst.dead)[:20] in text
        assert f"without {worst.name}" in text
        await keys(pilot, "enter")
        assert screen.trouble.down == (worst.name,)
        assert not screen.on_radar


async def test_the_cheapest_of_the_eu_is_found_by_a_clause_and_half_a_clause_is_told(session: Session) -> None:
    async with opened(session, "O", (120, 36)) as (pilot, screen):
        await keys(pilot, "r", "slash")
        await type_text(pilot, "region =")
        assert " ! " in "\n".join(lines_of(pilot))
        await type_text(pilot, " eu")
        await keys(pilot, "enter", "o")
        text = await press(pilot)
        state = session.state
        eu = [offer for offer in state.catalog.offers if offer.region == "eu" and offer.price_in is not None]
        cheapest = min(eu, key=lambda offer: ((offer.price_in or 0) + (offer.price_out or 0), offer.provider))
        assert f"cheapest with region = eu: {cheapest.provider}  strands " in text
        assert screen.radar.loss.name == cheapest.provider
        await keys(pilot, "escape", "b")
        assert screen.radar.by == "model"
        await keys(pilot, "escape")
        assert not screen.on_radar


async def test_what_is_shown_is_exported(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with opened(session, "O") as (pilot, _):
        await keys(pilot, "space", "x", "enter")
        names = {path.name for path in (tmp_path / "exports").iterdir()}
        assert {"drill-all.csv", "drill-all.json", "drill-acme-eu.csv"} <= names
        await keys(pilot, "r", "x", "enter")
        assert (tmp_path / "exports" / "radar.csv").read_text(encoding="utf-8").startswith("lost,offers,")


async def test_many_tenants_are_worked_out_beside_the_screen(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.tui.work.drill.showing.MANY", 0)
    monkeypatch.setattr("workbench.tui.work.drill.both.MANY", 0)
    async with opened(session, "O") as (pilot, screen):
        await keys(pilot, "space")
        wanted = drill_all(session.shown, screen.trouble)
        assert set(screen.ends) == set(wanted)
        await keys(pilot, "r", "b")
        assert screen.radar.found == radar(session.shown, "model")
