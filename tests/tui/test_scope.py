"""Whom an edit is for: one visible mode for every key, and a line that says what the edit did."""

from __future__ import annotations

import pytest

from tests.tui.driving import clear_input, go_to_clause, go_to_tenant, main_screen, screen_text, type_text
from workbench.session.session import Session
from workbench.tui.app import WorkbenchApp

SIZE = (120, 36)


@pytest.mark.parametrize("key", ["space", "d", "n", "delete"])
async def test_for_this_tenant_no_key_changes_the_rulebook(session: Session, key: str) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=SIZE) as pilot:
        rulebook = session.state.rulebook
        await go_to_tenant(pilot, "acme-eu")
        await go_to_clause(pilot, "eu-residency")
        await pilot.press("ctrl+t")
        await pilot.pause()
        assert "edits for this tenant only" in screen_text(app)
        assert "^t edits: tenant" in screen_text(app).splitlines()[-1]
        await pilot.press(key)
        await pilot.pause()
        assert session.state.rulebook is rulebook
        assert session.dirty
        assert "acme-eu only (an override)" in screen_text(app)


async def test_for_the_rule_it_says_how_many_it_touches(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=SIZE) as pilot:
        tenants = session.state.tenants
        await go_to_tenant(pilot, "acme-eu")
        await go_to_clause(pilot, "eu-residency")
        assert "for the rule" in screen_text(app)
        await pilot.press("space")
        await pilot.pause()
        assert session.state.tenants == tenants
        touched = len(session.evaluation.outcomes) and [
            key
            for key, outcome in session.evaluation.outcomes.items()
            if outcome.compiled and any(clause.rule_id == "eu-residency" for clause in outcome.compiled.clauses)
        ]
        assert f"rule eu-residency: touches {len(touched or ())} tenant" in screen_text(app)


@pytest.mark.parametrize("key", ["K", "J"])
async def test_a_tenant_has_no_order_of_its_own(session: Session, key: str) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=SIZE) as pilot:
        await go_to_tenant(pilot, "acme-eu")
        await go_to_clause(pilot, "eu-residency")
        await pilot.press("ctrl+t", key)
        await pilot.pause()
        assert not session.dirty
        assert "no order of its own" in screen_text(app)


async def test_the_editor_starts_with_the_mode_and_switches_it(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=SIZE) as pilot:
        await go_to_tenant(pilot, "lumenor-vip")
        await go_to_clause(pilot, "vip-floor")
        await pilot.press("ctrl+t", "e")
        await pilot.pause()
        draft = main_screen(app).draft
        assert draft is not None
        assert draft.scope == "tenant"
        await pilot.press("ctrl+t")
        await clear_input(pilot)
        await type_text(pilot, "bench_intelligence >= 0.62")
        await pilot.press("enter")
        await pilot.pause()
        assert main_screen(app).scope == "rule"
        assert "rule vip-floor: touches 3 tenants" in screen_text(app)


async def test_help_of_the_policy_is_about_the_policy(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("4", "question_mark")
        await pilot.pause()
        text = screen_text(app)
        assert "Here: policy" in text
        assert "edit the policy as JSON" in text
        assert "edit the clause as text" not in text


async def test_a_light_theme_can_be_chosen(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=SIZE) as pilot:
        app.theme = "textual-light"
        await pilot.pause()
        assert "Tenants" in screen_text(app)
        assert app.theme_variables["frame"] == "#cfd6e0"
