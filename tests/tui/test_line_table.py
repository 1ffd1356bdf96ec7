"""The one virtual table: it draws what is seen, cuts with a mark, and measures in terminal cells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App, ComposeResult

from tests.tui.driving import screen_text
from workbench.tui.theme import DARK, EXTRA_DARK
from workbench.tui.widgets.columns import Column, Columns
from workbench.tui.widgets.drawing import Cell, Line, cut, filled, fit, line_width, spread, wrap
from workbench.tui.widgets.line_table import LineTable
from workbench.tui.widgets.rows import EvenRows

TEXT = st.text(st.characters(exclude_categories=()), max_size=60)


class Many(EvenRows):
    """Five thousand rows that count how often they are drawn."""

    def __init__(self) -> None:
        self.drawn = 0

    def __len__(self) -> int:
        return 5_000

    def draw_row(self, row: int, sub: int, width: int) -> Line:
        self.drawn += 1
        return [Cell(f"row {row} 日本語 [/red] {'x' * 200}", "strong")]


class Host(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.register_theme(DARK)
        self.theme = DARK.name
        self.moves: list[int] = []
        self.rows = Many()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return EXTRA_DARK

    def compose(self) -> ComposeResult:
        yield LineTable(self.moves.append)

    def on_mount(self) -> None:
        self.query_one(LineTable).show_rows(self.rows)
        self.query_one(LineTable).focus()


async def test_five_thousand_rows_draw_what_is_seen_and_no_more() -> None:
    app = Host()
    async with app.run_test(size=(40, 20)) as pilot:
        await pilot.pause()
        assert app.rows.drawn <= 200
        before = app.rows.drawn
        await pilot.press("down")
        await pilot.pause()
        assert app.moves == [1]
        assert app.rows.drawn - before <= 60
        await pilot.press("end")
        await pilot.pause()
        assert app.moves[-1] == 4_999
        text = screen_text(app)
        assert "row 4999 日本語 [/red]" in text
        assert all(cell_len(line) <= 40 for line in text.splitlines())
        assert text.splitlines()[-1].rstrip(" ▐").endswith("…")


async def test_the_mouse_chooses_and_the_wheel_scrolls() -> None:
    app = Host()
    async with app.run_test(size=(40, 20)) as pilot:
        await pilot.click(LineTable, offset=(5, 7))
        await pilot.pause()
        assert app.moves == [7]
        table = app.query_one(LineTable)
        table.scroll_lines(100)
        await pilot.pause()
        assert "row 100 " in screen_text(app).splitlines()[0]
        await pilot.press("up")
        await pilot.pause()
        assert app.moves[-1] == 6
        assert "row 6 " in screen_text(app).splitlines()[0]


@given(TEXT, st.integers(0, 80))
def test_fit_is_exactly_as_wide_as_asked_and_never_dangerous(text: str, width: int) -> None:
    shown = fit(text, width)
    assert cell_len(shown) == width
    assert all(ord(character) >= 0x20 and not 0x7F <= ord(character) <= 0x9F for character in shown)


@given(st.lists(TEXT, max_size=6), st.integers(0, 80))
def test_a_line_cut_or_filled_has_its_width(texts: list[str], width: int) -> None:
    line = [Cell(text) for text in texts]
    assert line_width(cut(line, width)) <= width
    assert line_width(filled(line, width)) == width


@given(st.lists(TEXT, max_size=4), st.lists(TEXT, max_size=4), st.integers(1, 80))
def test_two_ends_of_a_line_fill_it(left: list[str], right: list[str], width: int) -> None:
    line = spread([Cell(text) for text in left], [Cell(text) for text in right], width)
    assert line_width(cut(line, width)) <= width


@given(TEXT, st.integers(4, 60))
def test_wrapped_lines_fit(text: str, width: int) -> None:
    assert all(cell_len(line) <= width for line in wrap(text, width))


@pytest.mark.parametrize("width", [20, 40, 60, 100])
def test_columns_fill_the_width_and_hide_where_there_is_no_room(width: int) -> None:
    columns = Columns((Column("a", "A", 3, "right"), Column("b", "B"), Column("c", "C", 8, from_width=50)))
    line = columns.lay({"a": Cell("1"), "b": [Cell("名前"), Cell("x" * 90, "muted")], "c": Cell("end")}, width)
    assert line_width(line) == width
    assert ("end" in "".join(cell.text for cell in line)) == (width >= 50)
    assert columns.at(0, width) == "a"
    assert columns.at(6, width) == "b"
