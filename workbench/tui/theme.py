"""The two themes, and the few variables that the styles use beyond Textual's own."""

from __future__ import annotations

from collections.abc import Mapping

from textual.theme import Theme

EXTRA_DARK = {
    "foreground-muted": "#8f9bad",
    "foreground-faint": "#5d687a",
    "frame": "#2a3342",
    "frame-lit": "#5b8fc7",
    "field": "#1c2533",
    "cursor-dim": "#1a212c",
    "cursor-lit": "#22304a",
    "winner": "#17324d",
    "winner-text": "#ffffff",
    "winner-none": "#43202a",
    "code-number": "#d8b97a",
    "code-value": "#a9c98a",
    "code-keyword": "#9db4d8",
    "code-field": "#d5dbe5",
    "code-binding": "#c9a3d9",
}
EXTRA_LIGHT = {
    "foreground-muted": "#566070",
    "foreground-faint": "#8a94a3",
    "frame": "#cfd6e0",
    "frame-lit": "#2f6fb0",
    "field": "#e6edf6",
    "cursor-dim": "#eef2f7",
    "cursor-lit": "#d7e5f6",
    "winner": "#d5e6f8",
    "winner-text": "#0b2a48",
    "winner-none": "#f8d9dc",
    "code-number": "#8a5a00",
    "code-value": "#2f6b1f",
    "code-keyword": "#2d4f86",
    "code-field": "#1c2430",
    "code-binding": "#7a3d94",
}

DARK = Theme(
    name="workbench",
    primary="#5b8fc7",
    secondary="#9db4d8",
    accent="#7cc4ff",
    foreground="#d5dbe5",
    background="#0f141b",
    surface="#0f141b",
    panel="#161d27",
    success="#8fd18b",
    warning="#e8c06a",
    error="#f0857d",
    dark=True,
    variables=EXTRA_DARK,
)
LIGHT = Theme(
    name="workbench-light",
    primary="#2f6fb0",
    secondary="#2d4f86",
    accent="#1668ad",
    foreground="#1c2430",
    background="#fbfcfe",
    surface="#fbfcfe",
    panel="#eef2f7",
    success="#2c7a2a",
    warning="#8f5e00",
    error="#b3261e",
    dark=False,
    variables=EXTRA_LIGHT,
)


def light_background(environment: Mapping[str, str]) -> bool:
    """Whether the terminal says that its background is light: `COLORFGBG`, foreground and background by number."""
    number = environment.get("COLORFGBG", "").rpartition(";")[2]
    return number.isdecimal() and int(number) in (7, *range(9, 16))
