"""The words for styles that cells may bear, and what they look like in the theme in force.

Theme variables only, read through the app; a table of finished styles per theme, because a component class per word and
widget costs more at start-up than all of the drawing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from rich.style import Style
from textual.app import App
from textual.color import Color
from textual.widget import Widget

WORDS: Mapping[str, tuple[str, str]] = {
    "muted": ("foreground-muted", ""),
    "faint": ("foreground-faint", ""),
    "strong": ("", "bold"),
    "title": ("text-accent", "bold"),
    "accent": ("text-accent", ""),
    "good": ("text-success", ""),
    "bad": ("text-error", ""),
    "warn": ("text-warning", ""),
    "heading": ("foreground-faint", ""),
    "label": ("foreground-faint", ""),
    "winner": ("winner-text", "bold"),
    "number": ("code-number", ""),
    "string": ("code-value", ""),
    "op": ("code-keyword", ""),
    "punct": ("foreground-faint", ""),
    "marked": ("text-accent", ""),
    "key": ("text-accent", "bold"),
    "field": ("code-field", ""),
    "operator": ("foreground-muted", ""),
    "value": ("code-value", ""),
    "keyword": ("code-keyword", ""),
    "binding": ("code-binding", "italic"),
    "error": ("text-error", "underline"),
}
"""Each word's colour, as the name of a theme variable, and its text style."""

CURSORS = {"cursor-dim": "cursor-dim", "cursor-lit": "cursor-lit"}
"""Backgrounds of the cursor's row, without and with the focus."""

_looks: dict[tuple[str, str], Mapping[str, Style]] = {}


def look_of(widget: Widget) -> Mapping[str, Style]:
    """The style behind every word, in the theme that the widget's app has."""
    app = cast("App[Any]", widget.app)  # pyright: ignore[reportUnknownMemberType]
    variables = app.theme_variables
    key = (app.theme, variables.get("background", ""))
    known = _looks.get(key)
    if known is None:
        known = _looks[key] = _made(variables)
    return known


def _made(variables: Mapping[str, str]) -> Mapping[str, Style]:
    table = {word: _style(variables.get(name, ""), text) for word, (name, text) in WORDS.items()}
    for word, name in CURSORS.items():
        value = variables.get(name)
        table[word] = Style(bgcolor=Color.parse(value).rich_color) if value else Style(reverse=True)
    return table


def _style(value: str, text: str) -> Style:
    color = Color.parse(value).rich_color if value else None
    return Style(
        color=color, bold="bold" in text or None, italic="italic" in text or None, underline="underline" in text or None
    )
