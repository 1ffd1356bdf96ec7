"""The job the app is for, done by keys alone, at every size: find why, raise the floor, see who moves, undo, export."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from textual.widgets import Input

from tests.tui.conftest import SIZES
from tests.tui.driving import (
    clear_input,
    editing,
    go_to_clause,
    go_to_tenant,
    main_screen,
    screen_text,
    shown,
    type_text,
)
from workbench.session.session import Session
from workbench.session.workspace import open_workspace
from workbench.tui.app import WorkbenchApp
from workbench.tui.screens.dialogs import AskText

sizes = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")


@sizes
async def test_why_a_model_is_not_chosen(session: Session, size: tuple[int, int]) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=size) as pilot:
        await go_to_tenant(pilot, "acme-eu")
        await pilot.press("w")
        await type_text(pilot, "azure/gpt-5.5@us")
        await pilot.press("enter")
        await pilot.pause()
        view = shown(app)
        assert view.cursors.pinned
        why = view.why
        assert why is not None
        assert why.offer.label == "azure/gpt-5.5@us"
        failed = {check.clause.shown: check for check in why.checks if not check.passed}
        assert failed["region = eu"].observed == "us"
        text = screen_text(app)
        assert "Why not gpt-5.5@azure" in text
        assert "x region = eu" in text
        assert "needs eu" in text


async def test_why_not_tells_the_envelope_from_the_rulebooks_defaults(root: Path) -> None:
    path = root / "workbench.toml"
    path.write_text('envelope = "provider != azure"\n' + path.read_text())
    app = WorkbenchApp(Session(open_workspace(root)))
    async with app.run_test(size=SIZES[-1]) as pilot:
        await go_to_tenant(pilot, "acme-eu")
        await pilot.press("w")
        await type_text(pilot, "azure/gpt-5.5@us")
        await pilot.press("enter")
        await pilot.pause()
        text = screen_text(app)
        assert "envelope of the workspace" in text
        assert "default of the rulebook" not in text


@sizes
async def test_raise_the_vip_floor_until_the_winner_changes_then_undo(session: Session, size: tuple[int, int]) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=size) as pilot:
        before = {key: outcome.winner for key, outcome in session.evaluation.outcomes.items()}
        await go_to_tenant(pilot, "lumenor-vip")
        await go_to_clause(pilot, "vip-floor")
        await pilot.press("e")
        await pilot.pause()
        touched = {"brueckwald", "halvorsen", "lumenor-vip"}
        assert shown(app).touched == touched
        floor = 60
        while shown(app).outcome.winner == before["lumenor-vip"]:  # type: ignore[union-attr]
            floor += 1
            assert floor < 100, "no floor changes the winner"
            await clear_input(pilot)
            await type_text(pilot, f"bench_intelligence >= 0.{floor}")
        view = shown(app)
        moved = {key for key, movement in view.movements.items() if movement.moved}
        assert "lumenor-vip" in moved
        assert moved <= touched
        assert session.state is session.workspace.state, "nothing is changed before enter"
        assert f"{len(moved)} moved" in screen_text(app)
        await pilot.press("enter")
        await pilot.pause()
        assert session.dirty
        assert main_screen(app).draft is None
        await pilot.press("1")
        await pilot.pause()
        for key in moved:
            sign = shown(app).movements[key].sign
            assert f"{sign} {key}" in screen_text(app)
        await pilot.press("u")
        await pilot.pause()
        assert {key: outcome.winner for key, outcome in session.evaluation.outcomes.items()} == before
        assert not session.dirty
        await pilot.press("ctrl+r")
        await pilot.pause()
        assert session.dirty


async def test_tenants_that_moved_come_first_while_the_edit_is_open(session: Session) -> None:
    async with editing(session, "lumenor-vip", "vip-floor") as (app, pilot):
        await clear_input(pilot)
        await type_text(pilot, "bench_intelligence >= 0.99")
        lines = [line for line in screen_text(app).splitlines() if "│" in line]
        assert any(name in lines[0] for name in ("brueckwald", "halvorsen", "lumenor-vip")), lines[0]
        assert "nobody" in screen_text(app)


@sizes
async def test_export_writes_the_policy_that_is_shown(session: Session, size: tuple[int, int], tmp_path: Path) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=size) as pilot:
        await go_to_tenant(pilot, "acme-eu")
        await pilot.press("x")
        await pilot.pause()
        assert isinstance(app.screen, AskText)
        app.screen.query_one(Input).value = str(tmp_path / "out")
        await pilot.press("enter")
        await pilot.pause()
        compiled = session.evaluation.outcomes["acme-eu"].compiled
        assert compiled is not None
        written = tmp_path / "out" / f"sigma-pol-{compiled.policy.fingerprint}.json"
        document = json.loads(written.read_text())
        assert document == {
            "version": compiled.policy.version,
            "fingerprint": compiled.policy.fingerprint,
            "policy_ir": compiled.policy.normal,
        }
        assert len(list((tmp_path / "out").iterdir())) == 2


async def test_save_writes_the_rulebook_and_keeps_its_comments(session: Session, root: Path) -> None:
    app = WorkbenchApp(session)
    comments = (root / "rulebook.toml").read_text().count("#")
    async with app.run_test(size=(120, 36)) as pilot:
        await go_to_tenant(pilot, "lumenor-vip")
        await go_to_clause(pilot, "vip-floor")
        await pilot.press("e")
        await clear_input(pilot)
        await type_text(pilot, "bench_intelligence >= 0.62")
        await pilot.press("enter", "s")
        await pilot.pause()
        assert not session.dirty
        assert "saved" in screen_text(app)
    text = (root / "rulebook.toml").read_text()
    assert "bench_intelligence >= 0.62" in text
    assert text.count("#") == comments


async def test_quit_asks_where_something_is_not_saved(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(120, 36)) as pilot:
        await go_to_tenant(pilot, "lumenor-vip")
        await go_to_clause(pilot, "vip-floor")
        await pilot.press("space", "q")
        await pilot.pause()
        assert "Not saved" in screen_text(app)
        await pilot.press("escape")
        await pilot.pause()
        assert app.is_running
        await pilot.press("q", "d")
        await pilot.pause()
    assert app.return_code == 0
