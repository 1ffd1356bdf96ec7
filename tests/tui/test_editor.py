"""The clause editor: a half-typed clause never clears the ranking; completion, scope, cancel."""

from __future__ import annotations

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


async def test_a_half_typed_clause_keeps_the_last_good_ranking_marked_stale(session: Session) -> None:
    async with editing(session, "lumenor-vip", "vip-floor") as (app, pilot):
        await clear_input(pilot)
        await type_text(pilot, "bench_intelligence >= 0.61")
        good = shown(app)
        assert good.stale is None
        await type_text(pilot, " and pri")
        view = shown(app)
        assert view.stale
        assert [o.decision for o in view.evaluation.outcomes.values()] == [
            o.decision for o in good.evaluation.outcomes.values()
        ]
        assert view.movements["lumenor-vip"].moved == good.movements["lumenor-vip"].moved
        text = screen_text(app)
        assert "stale" in text
        draft = main_screen(app).draft
        assert draft is not None
        assert draft.error_column is not None
        caret = next(line for line in text.splitlines() if "^ stale" in line or " ^ " in line)
        typed = next(line for line in text.splitlines() if "bench_intelligence >= 0.61 and pri" in line)
        assert caret.index("^") - typed.index("bench_intelligence >= 0.61") == draft.error_column
        await type_text(pilot, "ce_in < 100")
        assert shown(app).stale is None
        assert shown(app).outcome != good.outcome


async def test_enter_on_a_half_typed_clause_changes_nothing(session: Session) -> None:
    async with editing(session, "lumenor-vip", "vip-floor", size=(80, 24)) as (app, pilot):
        await type_text(pilot, " and")
        await pilot.press("enter")
        await pilot.pause()
        assert main_screen(app).draft is not None
        assert not session.dirty
        await pilot.press("escape")
        await pilot.pause()
        assert main_screen(app).draft is None
        assert shown(app).stale is None
        assert not session.dirty


async def test_tab_completes_a_field_and_a_value(session: Session) -> None:
    async with editing(session, "acme-eu", "eu-residency", "a") as (app, pilot):
        await type_text(pilot, "trains_on")
        await pilot.press("tab")
        await pilot.pause()
        field = app.screen.query_one(ClauseInput)
        assert field.value.startswith("trains_on_data")
        await clear_input(pilot)
        await type_text(pilot, "provider in [mistra")
        assert "mistral" in screen_text(app)
        await pilot.press("tab")
        await pilot.pause()
        assert field.value.startswith("provider in [mistral")


async def test_a_clause_added_for_this_tenant_is_its_own(session: Session) -> None:
    async with editing(session, "acme-eu", "eu-residency", "ctrl+t", "a") as (app, pilot):
        await type_text(pilot, "provider in [mistral]")
        await pilot.press("enter")
        await pilot.pause()
        outcome = session.evaluation.outcomes["acme-eu"]
        assert outcome.compiled is not None
        assert [clause.origin for clause in outcome.compiled.clauses].count("own") == 1
        assert outcome.providers == 1
        assert "1 provider" in screen_text(app)
        assert "this tenant's own" in screen_text(app)


async def test_for_this_tenant_only_an_edit_is_an_override_marked_as_such(session: Session) -> None:
    async with editing(session, "lumenor-vip", "vip-floor", "e", "ctrl+t") as (app, pilot):
        await clear_input(pilot)
        await type_text(pilot, "bench_intelligence >= 0.62")
        assert shown(app).touched == {"lumenor-vip"}
        assert "only lumenor-vip" in screen_text(app)
        await pilot.press("enter")
        await pilot.pause()
        assert "override vip-floor" in screen_text(app)
        assert session.evaluation.outcomes["halvorsen"] == session.baseline.outcomes["halvorsen"]
        clause = shown(app).clause
        assert clause is not None
        assert clause.origin == "override"
        await pilot.press("v")
        await pilot.pause()
        assert "override vip-floor" not in screen_text(app)


async def test_the_line_below_says_where_the_next_thresholds_lie(session: Session) -> None:
    async with editing(session, "lumenor-vip", "vip-floor") as (app, _):
        assert "admits" in screen_text(app)


async def test_what_is_pasted_is_made_visible(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(120, 36)) as pilot:
        await go_to_clause(pilot, shown(app).clauses[0].id)
        await pilot.press("a")
        await pilot.pause()
        field = app.screen.query_one(ClauseInput)
        field.insert_text_at_cursor("a\x1b]52;c;AAAA\x07b\u202e")
        await pilot.pause()
        assert "\x1b" not in field.value
        assert "\u202e" not in field.value
        assert "␛" in field.value


async def test_clauses_by_key_toggle_duplicate_negate_delete_and_move(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(120, 36)) as pilot:
        await go_to_tenant(pilot, "acme-eu")
        await go_to_clause(pilot, "eu-residency")

        def clauses() -> list[tuple[str, bool]]:
            return [(clause.shown, clause.enabled) for clause in shown(app).clauses]

        before = clauses()
        for key in ("space", "d", "n", "shift+down"):
            await pilot.press(key)
            await pilot.pause()
            assert clauses() != before, key
            await pilot.press("u")
            await pilot.pause()
            assert clauses() == before, key
        await pilot.press("delete")
        await pilot.pause()
        assert "it is all that rule" in screen_text(app), "a rule's only clause is not deleted, and the footer says why"


async def test_policy_ir_is_edited_as_text_and_becomes_an_override(session: Session) -> None:
    from textual.widgets import TextArea

    app = WorkbenchApp(session)
    async with app.run_test(size=(120, 36)) as pilot:
        await go_to_tenant(pilot, "lumenor-vip")
        await pilot.press("4", "e")
        await pilot.pause()
        area = app.screen.query_one(TextArea)
        area.text = area.text.replace('"bench_intelligence", "ge", 0.6]', '"bench_intelligence", "ge", 0.61]')
        await pilot.press("ctrl+s")
        await pilot.pause()
        outcome = session.evaluation.outcomes["lumenor-vip"]
        assert outcome.compiled is not None
        assert ["cmp", "bench_intelligence", "ge", 0.61] in outcome.compiled.policy.source[1]
        await pilot.press("4", "e")
        await pilot.pause()
        app.screen.query_one(TextArea).text = '["policy", ["top"]'
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert "x " in screen_text(app), "an error with its place keeps the editor open"
        assert app.screen.query(TextArea)
