"""No bare string into a widget (RELIABILITY R31), and the lint that says so is itself right."""

from __future__ import annotations

import ast

import pytest

from tests.architecture.markup_lint import offences, text_makers
from tests.architecture.sources import PACKAGE, read, relative, sources

SCREENS = sources(PACKAGE / "tui")
MAKERS = frozenset(name for path in SCREENS for name in text_makers(ast.parse(read(path))))


def test_there_are_screens_to_look_at() -> None:
    assert len(SCREENS) > 5


@pytest.mark.parametrize("path", SCREENS, ids=relative)
def test_no_screen_shows_a_bare_string(path: object) -> None:
    found = offences(read(path), makers=MAKERS)
    assert not found, "\n".join(f"{relative(path)}:{offence.line} {offence.call}" for offence in found)


def test_one_module_draws_and_it_cleans() -> None:
    drawing = PACKAGE / "tui" / "widgets" / "drawing.py"
    assert [relative(path) for path in SCREENS if "Segment(" in read(path)] == [relative(drawing)]
    assert "one_line" in read(drawing)


@pytest.mark.parametrize(
    "code",
    [
        "Static(name)",
        "Static(f'model {name}')",
        "Static(f'{name:>20}')",
        "Static('a' + name)",
        "Label(offer.model, id='x')",
        "widget.update(text)",
        "self.query_one(Static).update(content=text)",
        "self.notify(error.title)",
        "self.notify('saved', title=name)",
        "self.notify(message, markup=True)",
        "table.add_row('a', name)",
        "table.add_row(*cells)",
        "table.add_column(name)",
        "self.border_title = name",
        "widget.border_subtitle = f'{count} {name}'",
        "widget.tooltip = str(error)",
        "Option(prompt=name)",
        "Static(Content.from_markup(name))",
        "Text.from_markup(name)",
        "setattr(self, attribute, name)",
        "Static('a' if x else name)",
        "def show(name: str):\n    text = name\n    Static(text)",
        "def show(name):\n    text = Content(clean(name))\n    text = name\n    Static(text)",
        "def show(text: Content):\n    def inner(text: str):\n        Static(text)",
        "Content(name)",
        "Text(f'model {name}')",
        "def show(name):\n    text = clean(name) + name\n    return Content(text)",
        "async def show(name: str):\n    Static(name)",
    ],
)
def test_a_bare_string_is_found(code: str) -> None:
    assert len(offences(code)) >= 1


@pytest.mark.parametrize(
    "code",
    [
        "Static()",
        "Static('Save')",
        "Static(name, markup=False)",
        "Static(Content(clean(name)))",
        "Static(Text(visible(name)))",
        "Static(Content.assemble(name, ('x', 'bold')))",
        "Static(f'{count:,} offers')",
        "Static(f'{price:.2f} $')",
        "Static(f'{len(rows)} rows')",
        "TITLE = 'Tenants'\nStatic(TITLE)",
        "self.notify('saved')",
        "self.notify(name, markup=False)",
        "table.add_row('a', Content(clean(name)), 3)",
        "self.border_title = Content(clean(name))",
        "Static(Content(clean(name)) if name else '')",
        "def show(text: Content | None):\n    Static(text)",
        "def show(name: str):\n    text = Content(clean(name))\n    Static(text)",
        "def line(name: str) -> Content: ...\nStatic(line(name))",
        "def count(names):\n    seen = {}\n    seen.update(names)",
        "setattr(self, attribute, Content(clean(name)))",
    ],
)
def test_text_that_cannot_be_markup_passes(code: str) -> None:
    assert offences(code) == []
