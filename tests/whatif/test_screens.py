"""The what-if screens by their keys, in the real app over a copy of the sample."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from tests.cli.command import call
from tests.tui.driving import WorkbenchApp, go_to_tenant, main_screen, screen_text, type_text
from tests.whatif.test_differ import git
from workbench.session.edits import EditClause
from workbench.session.session import Session
from workbench.session.workspace import open_workspace
from workbench.tui.work.answers.screen import AnswerScreen
from workbench.tui.work.compare.screen import CompareScreen
from workbench.tui.work.diff.screen import DiffScreen
from workbench.tui.work.facts.screen import FactsScreen
from workbench.tui.work.near.screen import NearScreen
from workbench.tui.work.rule_cost.screen import RuleCostScreen


async def settled(pilot: Pilot[Any]) -> AnswerScreen:
    """The screen on top, once it has its answer."""
    for _ in range(3):
        await pilot.pause()
        screen = pilot.app.screen
        if isinstance(screen, AnswerScreen):
            await screen.background.settled()
    await pilot.pause()
    screen = pilot.app.screen
    assert isinstance(screen, AnswerScreen)
    assert screen.report is not None
    return screen


async def opened(pilot: Pilot[Any], key: str, tenant: str | None = None) -> AnswerScreen:
    """A screen, for a tenant."""
    await pilot.pause()
    if tenant is not None:
        await go_to_tenant(pilot, tenant)
    await pilot.press(key)
    return await settled(pilot)


async def test_every_screen_fits_and_says_how_to_leave(session: Session) -> None:
    size = (80, 24)
    app = WorkbenchApp(session)
    async with app.run_test(size=size) as pilot:
        for key, kind in (("C", CompareScreen), ("F", FactsScreen), ("N", NearScreen), ("R", RuleCostScreen)):
            screen = await opened(pilot, key)
            assert isinstance(screen, kind)
            lines = screen_text(app).splitlines()
            assert len(lines) == size[1]
            assert all(len(line) <= size[0] for line in lines)
            assert "esc back" in lines[0]
            assert screen.HEADING in lines[0]
            await pilot.press("escape")
            await pilot.pause()
            assert app.screen is main_screen(app)


async def test_a_fact_is_tried_marked_and_taken_back(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot, "F", "quillfern-trial")
        assert isinstance(screen, FactsScreen)
        await pilot.press("down", "down", "down", "space")
        await settled(pilot)
        text = screen_text(app)
        assert "* dpa_signed" in text
        assert "opens 103 offers" in text
        assert "unsigned-dpa" in text
        assert not session.dirty
        await pilot.press("u")
        await settled(pilot)
        assert "* dpa_signed" not in screen_text(app)
        await pilot.press("space", "K")
        await settled(pilot)
        assert session.state.tenant("quillfern-trial").facts["dpa_signed"] is True
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is main_screen(app)
        assert "not saved" in screen_text(app)
        assert "152 of 851" in screen_text(app)
        session.undo()
        assert session.state.tenant("quillfern-trial").facts["dpa_signed"] is False


async def test_a_filter_finds_the_fact_and_is_told(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot, "F", "quillfern-trial")
        assert isinstance(screen, FactsScreen)
        await pilot.press("slash")
        await type_text(pilot, "dpa")
        await pilot.press("enter", "space")
        await settled(pilot)
        assert "· /dpa" in screen_text(app).splitlines()[0]
        assert screen.changed == {"dpa_signed": True}
        await pilot.press("escape")
        await settled(pilot)
        assert "· /" not in screen_text(app).splitlines()[0]
        assert "approved_providers" in screen_text(app)


async def test_what_matters_is_listed_and_leads_to_its_fact(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(160, 40)) as pilot:
        screen = await opened(pilot, "F", "acme-eu")
        assert isinstance(screen, FactsScreen)
        await pilot.press("m")
        await settled(pilot)
        assert "5 of 12 facts matter" in screen_text(app)
        await pilot.press("tab", "down", "down", "enter")
        await pilot.pause()
        assert screen.field.name == "vip_support"


async def test_a_value_is_asked_for_and_a_wrong_one_refused(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot, "F", "halvorsen")
        assert isinstance(screen, FactsScreen)
        names = [known.name for known in screen.fields]
        await pilot.press(*["down"] * names.index("quality_floor"), "enter")
        await pilot.pause()
        await pilot.press("end", "ctrl+u")
        await type_text(pilot, "7")
        await pilot.press("enter")
        await pilot.pause()
        assert "at most 1" in screen_text(app)
        await pilot.press("end", "ctrl+u")
        await type_text(pilot, "0.62")
        await pilot.press("enter")
        await settled(pilot)
        assert screen.changed == {"quality_floor": 0.62}
        assert screen.report is not None
        assert screen.report.document["winner_changed"]


async def test_compare_adds_drops_and_shows_all(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await opened(pilot, "C", "acme-eu")
        assert isinstance(screen, CompareScreen)
        await pilot.press("a")
        await pilot.pause()
        await type_text(pilot, "corvane")
        await pilot.press("enter")
        await settled(pilot)
        assert screen.tenants[-1] == "corvane-bank"
        await pilot.press("d")
        await settled(pilot)
        assert len(screen.tenants) == 2
        few = len(screen.report.document["offers"]) if screen.report else 0
        await pilot.press("v")
        await settled(pilot)
        assert screen.report is not None
        assert few < len(screen.report.document["offers"]) == len(session.state.pool)


async def test_a_list_to_choose_from_is_moved_in_and_left_by_keys(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot, "C", "acme-eu")
        assert isinstance(screen, CompareScreen)
        before = screen.tenants
        left = [tenant.id for tenant in session.state.tenants if tenant.id not in before]
        await pilot.press("a", "down", "escape")
        await pilot.pause()
        assert app.screen is screen
        assert screen.tenants == before
        await pilot.press("a", "pagedown", "up", "enter")
        await settled(pilot)
        assert screen.tenants == (*before, left[-2])
        await pilot.press("a")
        await pilot.pause()
        await type_text(pilot, "nobody")
        await pilot.press("enter")
        await pilot.pause()
        assert app.screen is not screen, "what is in no list is not taken"


async def test_compare_shows_unsaved_edits_against_the_file(session: Session) -> None:
    session.commit(EditClause("ladle-free", "free-floor", "rule", "bench_intelligence >= 0.4"))
    app = WorkbenchApp(session)
    async with app.run_test(size=(140, 40)) as pilot:
        await opened(pilot, "C", "ladle-free")
        text = screen_text(app)
        assert "as filed" in text
        assert "bench_intelligence >= 0.4" in text
        assert "#1" in text


async def test_near_goes_through_the_misses_and_back_with_one(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await opened(pilot, "N", "acme-eu")
        assert isinstance(screen, NearScreen)
        assert screen.lead
        assert "holds until" in screen_text(app)
        await pilot.press("m")
        await settled(pilot)
        await pilot.press("slash")
        await type_text(pilot, "gpt-5.5@global")
        await pilot.press("enter")
        await settled(pilot)
        text = screen_text(app)
        assert "azure/gpt-5.5@global for acme-eu" in text
        assert "region in [eu, global]" in text
        await pilot.press("enter")
        await pilot.pause()
        offer = main_screen(app).cursors.offer
        assert offer is not None
        assert "gpt-5.5@global" in session.state.catalog.offer_id(offer)


async def test_near_where_nobody_wins_says_so(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(pilot, "N", "alba-clinic")
        assert "nobody wins" in screen_text(app)


async def test_rule_cost_of_one_and_of_all(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await opened(pilot, "R", "acme-eu")
        assert "standard-floor" in screen_text(app)
        await pilot.press("a")
        await settled(pilot)
        assert "+3,942.00" in screen_text(app)
        assert dict(screen.exports())["rule-cost-all.json"]
        await pilot.press("t")
        await settled(pilot)
        assert screen.cursors.tenant_id == "alba-clinic"


async def test_diff_against_a_revision_drills_in_and_follows_edits(root: Path) -> None:
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "one")
    session = Session(open_workspace(root))
    app = WorkbenchApp(session)
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await opened(pilot, "D")
        assert isinstance(screen, DiffScreen)
        assert screen.word == "HEAD"
        assert "no decision changed" in screen_text(app)
        session.commit(EditClause("ladle-free", "free-floor", "rule", "bench_intelligence >= 0.4"))
        screen.look()
        await settled(pilot)
        assert "1 of 8 tenants with another decision" in screen_text(app)
        await pilot.press("enter")
        await pilot.pause()
        assert screen.tenant == "ladle-free"
        assert "bench_intelligence >= 0.4" in screen_text(app)
        await pilot.press("escape")
        await pilot.pause()
        assert screen.tenant is None
        await pilot.press("s")
        await settled(pilot)
        assert "now → HEAD" in screen_text(app)


async def test_diff_asks_what_to_hold_against_and_shows_why_it_can_not(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.pause()
        await pilot.press("D")
        for _ in range(4):
            await pilot.pause()
            if isinstance(app.screen, DiffScreen):
                await app.screen.background.settled()
        assert "Hold the workspace against" in screen_text(app)
        await type_text(pilot, "no-such-revision")
        await pilot.press("enter")
        await settled(pilot)
        assert "no-such-revision" in screen_text(app)
        assert "nothing to diff" in screen_text(app)
        await pilot.press("r")
        for _ in range(4):
            await pilot.pause()
        await type_text(pilot, "2026-08")
        await pilot.press("enter")
        screen = await settled(pilot)
        assert "6 of 8 tenants" in screen_text(app)
        assert isinstance(screen, DiffScreen)


async def test_a_catalog_is_held_against_the_edits_too(session: Session) -> None:
    session.commit(EditClause("ladle-free", "free-floor", "rule", "bench_intelligence >= 0.4"))
    app = WorkbenchApp(session)
    async with app.run_test(size=(140, 40)) as pilot:
        screen = await opened(pilot, "D")
        assert isinstance(screen, DiffScreen)
        assert "the files → now" in screen_text(app)
        assert "together +1.92 $ a month" in screen_text(app)
        screen.hold("2026-11")
        await settled(pilot)
        assert "no decision changed" in screen_text(app)


async def test_what_is_exported_is_what_the_command_prints(session: Session, root: Path) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await opened(pilot, "R", "acme-eu")
        files = screen.exports()
        assert files["rule-cost-acme-eu.csv"].decode() == call("rule-cost", "acme-eu", "--csv", cwd=root).out
        assert json.loads(files["rule-cost-acme-eu.json"]) == call("rule-cost", "acme-eu", "--json", cwd=root).json
        assert files["rule-cost-acme-eu.txt"].decode() == call("rule-cost", "acme-eu", cwd=root).out
        await pilot.press("y")
        await pilot.pause()
        assert app.clipboard.startswith("standard-floor\t")


async def test_a_tenant_without_a_policy_breaks_no_screen(root: Path) -> None:
    path = root / "tenants" / "acme-eu.toml"
    path.write_text(path.read_text().replace('plan = "business"\n', ""))
    app = WorkbenchApp(Session(open_workspace(root)))
    async with app.run_test(size=(120, 36)) as pilot:
        for key in "CFNR":
            await pilot.pause()
            await go_to_tenant(pilot, "acme-eu")
            await pilot.press(key)
            for _ in range(4):
                await pilot.pause()
                if isinstance(app.screen, AnswerScreen):
                    await app.screen.background.settled()
            assert isinstance(app.screen, AnswerScreen)
            text = screen_text(app)
            assert "no policy" in text or "cannot be told" in text or "lacks" in text, key
            await pilot.press("escape")
            await pilot.pause()
