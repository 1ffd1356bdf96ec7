"""The matrix at work: cells of the screen are cells of the matrix, both ways; filtered, explained, exported."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from tests.tui.conftest import SIZES
from tests.tui.driving import main_screen, type_text
from tests.whatif_views.opening import keys, lines_of, opened, press, settled
from workbench.session.edits import ToggleClause
from workbench.session.evaluation import Evaluator
from workbench.session.session import Session
from workbench.tui.widgets.grid_table import GridTable
from workbench.tui.work.matrix.rows import MatrixRows
from workbench.tui.work.matrix.screen import MatrixScreen
from workbench.whatif.matrix.grid import Matrix
from workbench.whatif.matrix.sheet import Asked, sheet


async def test_it_opens_on_the_tenants_winner_at_every_size(session: Session) -> None:
    async with opened(session, "m", SIZES[0]) as (pilot, screen):
        assert isinstance(screen, MatrixScreen)
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await settled(pilot)
            text = "\n".join(lines_of(pilot))
            assert len(lines_of(pilot)) == size[1]
            assert "851 offers" in text
            assert "[◆ 1" in text
            assert "the winner" in text
            assert screen.offer == session.evaluation.outcomes[screen.tenant_id or ""].winner


async def test_the_cursor_goes_over_cells_and_each_is_the_matrixs(session: Session) -> None:
    async with opened(session, "m") as (pilot, screen):
        matrix = Matrix(session.evaluation)
        for key in ("right", "right", "down", "down", "left", "ctrl+right", "G", "ctrl+end", "up", "ctrl+home"):
            await keys(pilot, key)
            column = screen.sheet.columns[screen.grid.column]
            cell = matrix.cell(screen.tenant_id, column)
            assert screen.copied() == f"{screen.tenant_id} {matrix.axis.names[column]}: {cell.text}"
            shown = next(line for line in lines_of(pilot) if line.startswith("▌"))
            inside = shown[shown.index("[") + 1 : shown.index("]")].strip().removeprefix("◆ ").strip()
            assert cell.text.startswith(inside.removesuffix("…"))


async def test_labels_and_headings_stay_while_columns_scroll(session: Session) -> None:
    async with opened(session, "m", (80, 24)) as (pilot, screen):
        await keys(pilot, "ctrl+end")
        lines = lines_of(pilot)
        assert any(line.startswith("▌ acme-eu") for line in lines)
        assert "‹" in lines[1]
        assert "›" not in lines[1]
        assert screen.grid.left + screen.grid.room >= len(screen.sheet.columns)


async def test_tenants_and_columns_are_filtered_and_escape_shows_all(session: Session) -> None:
    async with opened(session, "m") as (pilot, screen):
        await keys(pilot, "slash")
        for character in ("plan=vip", "space", "vertical_line", "space", "claude"):
            await (type_text(pilot, character) if len(character) > 1 and character not in ("space", "vertical_line")
                   else pilot.press(character))  # fmt: skip
        await keys(pilot, "enter")
        assert [row.tenant for row in screen.sheet.rows] == ["lumenor-vip"]
        assert all("claude" in screen.sheet.matrix.axis.words[column] for column in screen.sheet.columns)
        await keys(pilot, "slash")
        await type_text(pilot, "zzz")
        assert "nothing matches" in "\n".join(lines_of(pilot))
        await keys(pilot, "escape")
        assert len(screen.sheet.rows) == len(session.state.tenants)


async def test_by_model_only_differences_sorted_and_together(session: Session) -> None:
    async with opened(session, "m") as (pilot, screen):
        tenant = screen.tenant_id
        await keys(pilot, "b")
        assert screen.sheet.matrix.axis.by == "model"
        assert screen.tenant_id == tenant
        await keys(pilot, "d")
        wanted = sheet(Matrix(session.evaluation, "model"), Asked(differences=True))
        assert screen.sheet.columns == wanted.columns
        assert screen.sheet.rows == wanted.rows
        await keys(pilot, "d", "o", "o")
        assert screen.sheet.asked.sort == "cost_per_run"
        text = await press(pilot, "t")
        assert "plan = enterprise" in text
        await keys(pilot, "c")
        assert screen.sheet.asked.order == "catalog"


async def test_enter_shows_every_verdict_and_escape_goes_back(session: Session) -> None:
    async with opened(session, "m") as (pilot, screen):
        await keys(pilot, "right")
        text = await press(pilot, "enter")
        why = session.evaluation.outcomes[screen.tenant_id]
        assert why.compiled is not None
        failed = [line for line in text.splitlines() if line.lstrip().startswith("x ")]
        assert failed
        assert "eu-residency ← region = eu" in text
        await keys(pilot, "escape")
        assert pilot.app.screen is screen
        await keys(pilot, "escape")
        assert pilot.app.screen is main_screen(pilot.app)


async def test_an_edit_is_followed(session: Session) -> None:
    async with opened(session, "m") as (pilot, screen):
        before = screen.sheet.cell(screen.grid.cursor, screen.grid.column)
        session.commit(ToggleClause("acme-eu", "eu-residency", "tenant"))
        screen.look()
        await keys(pilot)
        assert screen.sheet.matrix.evaluation is session.shown
        fresh = Matrix(session.shown)
        assert screen.sheet.cell(screen.grid.cursor, screen.grid.column) == fresh.cell(
            screen.tenant_id, screen.sheet.columns[screen.grid.column]
        )
        assert before.place == 1
        assert "modified" in lines_of(pilot)[0]


async def test_what_is_shown_is_exported(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with opened(session, "m") as (pilot, screen):
        await keys(pilot, "b", "b", "x", "enter")
        folder = tmp_path / "exports"
        assert sorted(path.name for path in folder.iterdir()) == ["matrix.csv", "matrix.html", "matrix.md"]
        rows = list(csv.reader((folder / "matrix.csv").read_text(encoding="utf-8").splitlines()))
        assert len(rows) == 1 + len(screen.sheet.rows)


async def test_a_cell_is_taken_back_to_the_main_screen(session: Session) -> None:
    async with opened(session, "m") as (pilot, screen):
        await keys(pilot, "down", "right", "right")
        tenant, offer = screen.tenant_id, screen.offer
        await keys(pilot, "w")
        main = main_screen(pilot.app)
        assert pilot.app.screen is main
        assert (main.cursors.tenant_id, main.cursors.offer) == (tenant, offer)


async def test_only_what_is_seen_is_worked_out(session: Session) -> None:
    """Of many tenants with policies of their own a screenful of lines is made, whatever the scrolling."""
    base = session.state.tenant("acme-eu")
    tenants = tuple(
        replace(base, id=f"t{k:04}", workload=replace(base.workload, tokens_in=1000.0 + k)) for k in range(400)
    )
    evaluation = Evaluator().evaluate(replace(session.state, tenants=tenants))
    made: list[str] = []

    class Counting(Matrix):
        def _made(self, outcome):  # type: ignore[no-untyped-def]
            made.append(outcome.tenant.id)
            return super()._made(outcome)

    async with opened(session, "m") as (pilot, screen):
        found = sheet(Counting(evaluation), Asked())
        screen.show_sheet(found, "t0000", None)
        await keys(pilot)
        grid = screen.query_one(GridTable)
        assert isinstance(grid.rows, MatrixRows)
        assert 0 < len(made) <= grid.size.height
        first = len(made)
        await keys(pilot, "pagedown", "pagedown")
        assert len(made) <= first + 2 * grid.size.height
        assert len(made) == len(set(made))


async def test_the_mouse_takes_a_cell_and_a_heading_its_column(session: Session) -> None:
    async with opened(session, "m") as (pilot, screen):
        grid = screen.query_one(GridTable)
        await keys(pilot, "ctrl+home")
        across = grid.GUTTER + grid.rows.label_width + 1 + 2 * (grid.rows.column_width + 1) + 3
        await pilot.click(grid, offset=(across, grid.heading_lines + 3))
        await settled(pilot)
        assert (grid.cursor, grid.column) == (3, grid.left + 2)
        await pilot.click(grid, offset=(across - grid.rows.column_width - 1, 0))
        await settled(pilot)
        assert (grid.cursor, grid.column) == (3, grid.left + 1)
        assert screen.tenant_id == screen.sheet.rows[3].tenant


async def test_an_answer_that_is_worked_out_beside_the_screen_is_the_same(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.tui.work.matrix.showing.MANY", 0)
    async with opened(session, "m") as (pilot, screen):
        await keys(pilot, "d")
        wanted = sheet(Matrix(session.evaluation), Asked(differences=True))
        assert (screen.sheet.rows, screen.sheet.columns) == (wanted.rows, wanted.columns)
        assert [screen.sheet.texts(k) for k in range(len(wanted.rows))] == [
            wanted.texts(k) for k in range(len(wanted.rows))
        ]
