"""Tables: widths in cells, what gives way, the mark."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from workbench.cli.layout import MARK, Table, cells, fit, lines

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def test_columns_are_aligned_and_numbers_stand_to_the_right() -> None:
    table = Table(("name", "price"), [("a", "1.5"), ("longer", "12")], frozenset(("price",)))
    assert list(lines(table, None)) == ["name    price", "a         1.5", "longer     12"]


def test_the_widest_text_gives_way_first_and_numbers_never() -> None:
    table = Table(("model", "why", "price"), [("m" * 30, "w" * 10, "123.456")], frozenset(("price",)))
    shown = list(lines(table, 40))
    assert max(map(cells, shown)) == 40
    assert shown[1].endswith("  123.456")
    assert "w" * 10 in shown[1]
    assert "m…" in shown[1]


def test_a_terminal_too_narrow_for_numbers_cuts_the_line_with_a_mark() -> None:
    table = Table(("a", "b"), [("1" * 20, "2" * 20)], frozenset(("a", "b")))
    assert [cells(line) for line in lines(table, 30)] == [30, 30]
    assert all(line.endswith(MARK) for line in lines(table, 30))


def test_wide_characters_count_twice_and_combining_ones_not() -> None:
    assert cells("模型") == 4
    assert cells("e\u0301") == 1
    assert fit("模型模型", 5) == "模型…"
    table = Table(("名", "b"), [("模型", "x")])
    assert list(lines(table, None)) == ["名    b", "模型  x"]


@given(TEXT, st.integers(0, 40))
def test_what_is_fitted_fits_and_says_when_it_was_cut(text: str, width: int) -> None:
    shown = fit(text, width)
    assert cells(shown) <= width or not unicodedata.category(text[0]).startswith("C")
    assert shown == text or width == 0 or shown.endswith(MARK)


@given(st.lists(st.tuples(TEXT, TEXT), max_size=5), st.integers(1, 60))
def test_no_row_is_ever_wider_than_the_terminal_nor_on_two_lines(rows: list[tuple[str, str]], width: int) -> None:
    shown = list(lines(Table(("one", "two"), rows), width))
    assert len(shown) == len(rows) + 1
    assert all(cells(line) <= width for line in shown)
    assert not any(character in line for line in shown for character in "\n\r\t\x1b")
