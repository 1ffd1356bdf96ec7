"""One registry of actions feeds keys, footer, help and palette."""

from __future__ import annotations

from importlib import import_module

from tests.tui.driving import go_to_clause, go_to_tenant, main_screen, screen_text, shown
from workbench.session.actions import ACTIONS, BY_ID, MAIN, SCREENS, actions_for
from workbench.session.session import Session
from workbench.tui import work
from workbench.tui.app import WorkbenchApp
from workbench.tui.doing import HANDLERS
from workbench.tui.screens.help import help_lines
from workbench.tui.screens.main import MainScreen
from workbench.tui.screens.work_screen import WorkScreen
from workbench.tui.widgets.line_table import LineTable


def test_every_action_does_something() -> None:
    assert {action.id for action in ACTIONS if action.where in MAIN and action.where != "editor"} <= set(HANDLERS)


def test_every_screen_has_its_opening_and_does_its_actions() -> None:
    opened = {action.id for action in ACTIONS if action.id.endswith(".open") and action.where in MAIN}
    assert opened - {"places.open"} == set(work.SCREENS)
    for action_id, entry in work.SCREENS.items():
        screen: type[WorkScreen] = getattr(import_module(entry.module), entry.name)
        assert action_id == f"{screen.PLACE}.open"
        assert BY_ID[action_id].help
        for action in actions_for(screen.PLACE):
            assert callable(getattr(screen, f"do_{action.id.partition('.')[2]}", None)), action.id
        assert {action.id for action in actions_for(screen.PLACE)} <= {b.id for b in screen.BINDINGS}  # type: ignore[union-attr]


def test_every_place_is_a_screen() -> None:
    places = {entry.removesuffix(".open") for entry in work.SCREENS}
    assert {action.where for action in ACTIONS} <= {*MAIN, SCREENS, *places}


def test_no_key_means_two_things_in_one_place() -> None:
    for place in {action.where for action in ACTIONS}:
        keys = [key for action in actions_for(place) for key in action.keys]
        assert len(keys) == len(set(keys)), (place, sorted(key for key in keys if keys.count(key) > 1))


def test_every_action_has_a_binding_with_its_id() -> None:
    bound = {binding.id for binding in MainScreen.BINDINGS}  # type: ignore[union-attr]
    assert {action.id for action in ACTIONS if action.where in MAIN and action.where != "editor"} <= bound


def test_help_names_every_action_of_a_place() -> None:
    for place in ("tenants", "clauses", "decision", "policy", "editor"):
        text = "\n".join("".join(cell.text for cell in line) for line in help_lines(place, 100))
        for action in actions_for(place):  # type: ignore[arg-type]
            assert action.help in text


async def test_the_footer_shows_keys_of_the_place_and_never_wraps(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        assert "on/off" not in screen_text(app).splitlines()[-1]
        await pilot.press("2")
        await pilot.pause()
        assert "space on/off" in screen_text(app).splitlines()[-1]
        assert len(screen_text(app).splitlines()) == 24


async def test_the_palette_finds_an_action_and_does_it(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("ctrl+p")
        await pilot.pause()
        await pilot.press(*"policyir")
        await app.workers.wait_for_complete()  # pyright: ignore[reportUnknownMemberType]
        await pilot.pause()
        assert "policy_ir (4)" in screen_text(app)
        await pilot.press("enter")
        await pilot.pause()
        assert main_screen(app).panel == "policy"


async def test_a_clauses_number_lists_the_offers_it_takes(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(120, 36)) as pilot:
        await go_to_tenant(pilot, "acme-eu")
        await go_to_clause(pilot, "eu-processors")
        view = shown(app)
        assert view.tenant is not None
        row = next(row for row in view.tenant.rows if row.clause.id == "eu-processors")
        await pilot.press("t")
        await pilot.pause()
        assert main_screen(app).panel == "decision"
        assert len(app.screen.query_one("#offer-table", LineTable).rows) == row.alone
        await pilot.press("escape")
        await pilot.pause()
        assert len(app.screen.query_one("#offer-table", LineTable).rows) == len(session.state.catalog.offers)
