"""What the panels show: whole numbers, needed beside observed, the order of what is not kept, facts for what-if."""

from __future__ import annotations

import pytest

from tests.tui.conftest import SIZES
from tests.tui.driving import go_to_clause, go_to_tenant, main_screen, screen_text, shown, type_text
from workbench.engine.explain import survivor_scores
from workbench.session.edits import EditClause
from workbench.session.session import Session
from workbench.tui.app import WorkbenchApp
from workbench.tui.panels.decision import Decision
from workbench.tui.panels.offer_rows import OfferRows
from workbench.tui.screens.fact_editor import FactEditor, FactList, typed_fact
from workbench.tui.widgets.clause_lines import clause_lines
from workbench.tui.widgets.drawing import line_width
from workbench.tui.widgets.line_table import LineTable


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_a_clauses_number_is_never_cut(session: Session, size: tuple[int, int]) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=size) as pilot:
        await go_to_tenant(pilot, "lumenor-vip")
        await pilot.press("2")
        await pilot.pause()
        rows = "\n".join(line for line in screen_text(app).splitlines() if "bench_int" in line)
        assert ">= 0.5" in rows
        assert ">= 0.6" in rows


@pytest.mark.parametrize("width", [18, 24, 40, 80])
def test_a_clause_in_little_room_keeps_its_numbers(width: int) -> None:
    text = "bench_intelligence >= 0.625 and price_out <= 12.5"
    lines = clause_lines(text, width, most=9)
    assert all(line_width(line) <= width for line in lines)
    said = "".join(cell.text for line in lines for cell in line)
    assert "0.625" in said
    assert "12.5" in said


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_needed_stands_beside_observed_for_passing_clauses(session: Session, size: tuple[int, int]) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=size) as pilot:
        await go_to_tenant(pilot, "acme-eu")
        await pilot.press("3")
        await pilot.pause()
        why = main_screen(app).query_one("#why-lines")
        why.focus()
        await pilot.press("pagedown")
        await pilot.pause()
        seen = screen_text(app)
        await pilot.press("home")
        await pilot.pause()
        seen += screen_text(app)
        assert any("0.523" in line and ">= 0.5" in line.split("0.523", 1)[1] for line in seen.splitlines())


async def test_a_clause_that_is_off_reads_as_text(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(120, 36)) as pilot:
        await go_to_tenant(pilot, "lumenor-vip")
        await go_to_clause(pilot, "standard-floor")
        await pilot.press("space")
        await pilot.pause()
        clause = shown(app).clause
        assert clause is not None
        assert not clause.enabled
        assert clause.shown == "bench_intelligence >= 0.5"
        assert "(off)" in screen_text(app)


async def test_what_is_not_kept_stands_by_score(session: Session) -> None:
    outcome = session.evaluation.outcomes["acme-eu"]
    assert outcome.compiled is not None
    session.commit(EditClause("acme-eu", outcome.compiled.slots["select"].id, "tenant", "top 2"))
    outcome = session.evaluation.outcomes["acme-eu"]
    decision, compiled = outcome.decision, outcome.compiled
    assert decision is not None
    assert compiled is not None
    score = dict(
        zip(
            decision.survivor_indices,
            survivor_scores(compiled.policy, decision, session.state.pool, session.state.context),
            strict=True,
        )
    )
    rows = OfferRows(session.state, outcome)
    left_out = [rows.index_at(row) for row in range(2, decision.survivors)]
    assert [score[index] for index in left_out if index is not None] == sorted(
        (score[index] for index in score if index not in decision.order), reverse=True
    )
    assert left_out != sorted(index for index in left_out if index is not None)


async def test_the_picked_offer_is_scrolled_to_on_a_small_terminal(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await go_to_tenant(pilot, "lumenor-vip")
        decision = shown(app).outcome
        assert decision is not None
        assert decision.decision is not None
        wanted = decision.decision.order[19]
        await pilot.press("w")
        await type_text(pilot, session.state.catalog.offer_id(wanted))
        await pilot.press("enter")
        await pilot.pause()
        await pilot.pause()
        assert shown(app).offer == wanted
        table = app.screen.query_one("#offer-table", LineTable)
        assert table.top <= table.cursor < table.top + table.visible_lines
        assert table.cursor == 19


async def test_a_click_on_a_heading_sorts_and_another_takes_it_back(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(200, 50)) as pilot:
        await go_to_tenant(pilot, "acme-eu")
        table = app.screen.query_one("#offer-table", LineTable)
        decision = app.screen.query_one(Decision)
        heading = "".join(cell.text for cell in table.rows.heading(table.draw_width) or ())
        at = heading.index("provider") + table.GUTTER
        await pilot.click(table, offset=(at, 0))
        await pilot.pause()
        rows = table.rows
        assert isinstance(rows, OfferRows)
        assert decision.sort == "provider"
        outcome = shown(app).outcome
        assert outcome is not None
        indices = [rows.index_at(row) for row in range(outcome.survivors)]
        providers = [session.state.catalog.candidates[index]["provider_id"] for index in indices if index is not None]
        assert providers == sorted(providers)
        await pilot.click(table, offset=(at, 0))
        await pilot.pause()
        assert decision.sort is None


async def test_a_click_on_a_clauses_number_lists_its_offers(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(120, 36)) as pilot:
        await go_to_tenant(pilot, "acme-eu")
        table = app.screen.query_one("#clause-table", LineTable)
        row = next(k for k, clause in enumerate(shown(app).clauses) if clause.id == "eu-residency")
        line = table.rows.span(row)[0] + table.heading_lines
        await pilot.click(table, offset=(table.size.width - 12, line))
        await pilot.pause()
        assert app.screen.query_one(Decision).removed_by == "eu-residency"


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_a_fact_is_tried_out_and_marked_against_the_file(session: Session, size: tuple[int, int]) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=size) as pilot:
        await go_to_tenant(pilot, "acme-eu")
        await pilot.press("f")
        await pilot.pause()
        assert isinstance(app.screen, FactList)
        await pilot.press("down", "enter")
        await pilot.pause()
        assert isinstance(app.screen, FactEditor)
        await pilot.press("down", "enter")
        await pilot.pause()
        assert session.state.tenant("acme-eu").facts["region"] == "us"
        if size[0] >= 120:
            assert "region of acme-eu: 1 winner moved" in screen_text(app).splitlines()[-1]
        await pilot.press("f")
        await pilot.pause()
        await pilot.pause()
        assert "* us" in screen_text(app)
        assert "file: eu" in screen_text(app)
        await pilot.press("escape", "u")
        await pilot.pause()
        assert session.state.tenant("acme-eu").facts["region"] == "eu"


async def test_enter_on_a_fact_of_the_fourth_column_edits_it(session: Session) -> None:
    app = WorkbenchApp(session)
    async with app.run_test(size=(200, 50)) as pilot:
        await go_to_tenant(pilot, "acme-eu")
        app.screen.query_one("#fact-lines", LineTable).focus()
        await pilot.press("down", "down", "down", "enter")
        await pilot.pause()
        assert isinstance(app.screen, FactEditor)
        await pilot.press("down", "enter")
        await pilot.pause()
        assert session.state.tenant("acme-eu").facts["dpa_signed"] is False


def test_facts_are_typed_by_kind(session: Session) -> None:
    fields = session.state.rulebook.schema.fields
    assert typed_fact(fields["quality_floor"], " 0.5 ") == 0.5
    assert typed_fact(fields["quality_floor"], "") is None
    assert typed_fact(fields["approved_providers"], "openai, mistral") == ("openai", "mistral")
    for text in ("high", "2", "nan"):
        with pytest.raises(ValueError, match=r"quality_floor|number"):
            typed_fact(fields["quality_floor"], text)
