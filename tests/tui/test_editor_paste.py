"""What is pasted or typed by halves: nothing of it is lost, and what is wrong is said where it fits."""

from __future__ import annotations

import pytest
from textual import events
from textual.widgets import TextArea

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
from workbench.tui.app import WorkbenchApp
from workbench.tui.panels.clause_editor import ClauseInput
from workbench.tui.screens.plan_editor import PlanEditor


@pytest.mark.parametrize(
    ("pasted", "stands"),
    [
        ("region = eu\nand dpa", "region = eu and dpa"),
        ("region = eu\r\n  and dpa\r\n", "region = eu and dpa"),
        ("\nregion = eu", "region = eu"),
        ("region  = eu", "region  = eu"),
        ("\n", ""),
    ],
)
async def test_a_pasted_clause_of_several_lines_is_one_clause(session: Session, pasted: str, stands: str) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(120, 36)) as pilot:
        await go_to_clause(pilot, shown(app).clauses[0].id)
        await pilot.press("a")
        await pilot.pause()
        field = app.screen.query_one(ClauseInput)
        field.post_message(events.Paste(pasted))
        await pilot.pause()
        assert field.value == stands


async def test_a_paste_replaces_what_is_selected(session: Session) -> None:
    async with editing(session, "acme-eu", "eu-residency") as (app, pilot):
        field = app.screen.query_one(ClauseInput)
        field.action_select_all()
        field.post_message(events.Paste("region = us\nor dpa"))
        await pilot.pause()
        assert field.value == "region = us or dpa"
        draft = main_screen(app).draft
        assert draft is not None
        assert draft.text == "region = us or dpa"


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_thresholds_that_tighten_are_never_hidden(session: Session, size: tuple[int, int]) -> None:
    async with editing(session, "lumenor-vip", "vip-floor", size=size) as (app, _):
        text = " ".join(screen_text(app).split())
        assert "0.6 admits 41" in text
        for step in ("0.609: 41", "0.621: 25", "0.631: 14"):
            assert step in text


async def test_a_long_error_leaves_the_keys_where_they_are(session: Session) -> None:
    async with editing(session, "lumenor-vip", "vip-floor", size=(80, 24)) as (app, pilot):
        await clear_input(pilot)
        await type_text(pilot, "provider inn [openai]")
        footer = screen_text(app).splitlines()[-1]
        assert "^t" in footer
        assert "expected" in screen_text(app)


async def test_a_failure_plan_is_edited_in_lines_with_preview_and_place(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(120, 36)) as pilot:
        await go_to_tenant(pilot, "acme-eu")
        await pilot.press("2", "end", "e")
        await pilot.pause()
        editor = app.screen
        assert isinstance(editor, PlanEditor)
        area = editor.query_one(TextArea)
        assert area.text.splitlines()[0] == "on rate_limit: next, open breaker 30 s;"
        before = session.shown
        area.text = "on rate_limit: next\non timeout: wat"
        await pilot.pause()
        await pilot.pause()
        assert main_screen(app).view is not None
        assert shown(app).stale
        assert session.shown.outcomes["acme-eu"].decision == before.outcomes["acme-eu"].decision
        assert "line 2, column 13" in screen_text(app)
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert app.screen is editor
        area.text = "on rate_limit: next\notherwise: stop"
        await pilot.pause()
        await pilot.pause()
        assert shown(app).stale is None
        await pilot.press("ctrl+t", "ctrl+s")
        await pilot.pause()
        assert app.screen is main_screen(app)
        compiled = session.evaluation.outcomes["acme-eu"].compiled
        assert compiled is not None
        assert compiled.slots["fallback"].text == "on rate_limit: next\notherwise: stop"
        assert main_screen(app).draft is None


async def test_escape_leaves_the_plan_as_it_was(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await go_to_tenant(pilot, "acme-eu")
        await pilot.press("2", "end", "e")
        await pilot.pause()
        await pilot.press("ctrl+a", "x", "escape")
        await pilot.pause()
        assert app.screen is main_screen(app)
        assert not session.dirty
        assert main_screen(app).draft is None


async def test_json_typed_by_halves_has_a_caret_and_our_words(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(120, 36)) as pilot:
        await go_to_clause(pilot, shown(app).clauses[0].id)
        await pilot.press("a")
        await pilot.pause()
        app.screen.query_one(ClauseInput).post_message(events.Paste('["eq", "region", eu]'))
        await pilot.pause()
        await pilot.pause()
        draft = main_screen(app).draft
        assert draft is not None
        assert draft.error_column == len('["eq", "region", ')
        assert "text stands in double quotes" in draft.error_words


async def test_select_all_in_the_policy_is_a_key(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(120, 36)) as pilot:
        await go_to_tenant(pilot, "acme-eu")
        await pilot.press("4", "e")
        await pilot.pause()
        area = app.screen.query_one(TextArea)
        await pilot.press("ctrl+a")
        app.post_message(events.Paste('["policy"]'))
        await pilot.pause()
        await pilot.pause()
        assert area.text == '["policy"]'
