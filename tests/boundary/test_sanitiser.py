"""The sanitiser: RELIABILITY R30 and rows 38, 39 of its section 3."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.boundary.sanitiser import confusable, one_line, visible

DANGEROUS = [
    chr(code)
    for code in range(sys.maxunicode + 1)
    if unicodedata.category(chr(code)) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} and chr(code) not in "\t\n"
]


def test_every_control_format_surrogate_and_private_character_is_replaced() -> None:
    assert len(DANGEROUS) > 100_000
    for place in range(0, len(DANGEROUS), 1000):
        part = DANGEROUS[place : place + 1000]
        shown = visible("a".join(part))
        assert shown.isprintable()
        assert not set(shown) & set(part)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]52;c;aGk=\x07", "␛]52;c;aGk=␇"),
        ("\x1b]8;;http://x\x1b\\y", "␛]8;;http://x␛\\y"),
        ("\x1b[2J\x1b[31m", "␛[2J␛[31m"),
        ("\x9b31m\x85", "⟨U+009B⟩31m⟨U+0085⟩"),
        ("a\rb\x7f\x00", "a␍b␡␀"),
        ("user\u202egnp.exe\u2066x\u2069", "user⟨U+202E⟩gnp.exe⟨U+2066⟩x⟨U+2069⟩"),
        ("a\u200bb\ufeffc\u2060", "a⟨U+200B⟩b⟨U+FEFF⟩c⟨U+2060⟩"),
        ("a\u2028b\u2029", "a⟨U+2028⟩b⟨U+2029⟩"),
        ("\U000e0041\U000e007f", "⟨U+E0041⟩⟨U+E007F⟩"),
        ("\ud800", "⟨U+D800⟩"),
        ("\ue000\U0010ffff\ufdd0", "⟨U+E000⟩⟨U+10FFFF⟩⟨U+FDD0⟩"),
        ("x\u3164y\u115fz\U000e0100", "x⟨U+3164⟩y⟨U+115F⟩z⟨U+E0100⟩"),
        ("[@click=app.quit]x[/]", "[@click=app.quit]x[/]"),
        ("Zürich – 東京 ❤\ufe0f 10\u00a0€", "Zürich – 東京 ❤\ufe0f 10\u00a0€"),
    ],
)  # fmt: skip
def test_what_acts_or_hides_becomes_a_sign(text: str, shown: str) -> None:
    assert visible(text) == shown
    assert one_line(text) == shown


def test_lines_and_tabs_stay_only_where_there_are_lines() -> None:
    assert visible("a\n\tb\x1b") == "a\n\tb␛"
    assert one_line("a\n\tb\x1b") == "a␊␉b␛"


@pytest.mark.parametrize(("limit", "shown"), [(0, ""), (1, "…"), (3, "ab…"), (4, "abcd"), (9, "abcd")])
def test_a_limit_cuts_and_says_so(limit: int, shown: str) -> None:
    assert visible("abcd", limit=limit) == shown


def test_the_limit_holds_after_signs_grew_the_text() -> None:
    assert len(one_line("\u202e" * 100, limit=40)) == 40
    assert one_line("x" * 1_000_000, limit=10) == "x" * 9 + "…"


@given(st.text(st.characters()), st.none() | st.integers(0, 30))
def test_the_result_is_safe_bounded_and_stable(text: str, limit: int | None) -> None:
    for shorten, kept in ((visible, "\t\n"), (one_line, "")):
        shown = shorten(text, limit=limit)
        assert not {sign for sign in shown if sign in DANGER_SET} - set(kept)
        assert limit is None or len(shown) <= limit
        assert shorten(shown, limit=limit) == shown
        shown.encode("utf-8")


DANGER_SET = frozenset(DANGEROUS) | {"\t", "\n"}


@given(st.text(st.characters(categories=["L", "N", "P", "S"], max_codepoint=0x24F)))
def test_ordinary_text_is_untouched(text: str) -> None:
    assert one_line(text) == text


KNOWN = ("openai", "anthropic", "Mistral AI", "x-ai", "straße")


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("оpenai", "openai"),  # Cyrillic o
        ("ореnаі", "openai"),
        ("OpenAI", "openai"),
        ("ΑΝΤΗROPIC", "anthropic"),  # Greek capitals
        ("open\u200bai", "openai"),
        ("ｏｐｅｎａｉ", "openai"),
        ("öpenai", "openai"),
        ("mistral\u00a0ai", "Mistral AI"),
        ("х-аі", "x-ai"),
        ("STRASSE", "straße"),
        ("openai", None),
        ("openrouter", None),
        ("дeepseek", None),
        ("", None),
    ],
)
def test_lookalikes_of_known_names_are_seen(name: str, known: str | None) -> None:
    assert confusable(name, KNOWN) == known


def test_a_known_name_is_never_its_own_lookalike() -> None:
    assert confusable("OpenAI", ("openai", "OpenAI")) is None
