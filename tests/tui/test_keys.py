"""Keys in a burst, and keys before there is anything to press them on: none lost, each where the one before leads."""

from __future__ import annotations

from pathlib import Path

from tests.tui.terminal import Terminal
from workbench.tui.theme import light_background


def test_keys_pressed_while_opening_are_pressed_in_order_after_it(root: Path) -> None:
    with Terminal(["--workspace", str(root)]) as terminal:
        terminal.wait_for("opening")
        terminal.press("2" + "\x1b[B" * 3 + "e")
        terminal.wait_for("bench_intelligence")
        terminal.wait_for("done")


def test_a_burst_goes_where_each_key_leads(root: Path) -> None:
    with Terminal(["--workspace", str(root)]) as terminal:
        terminal.wait_for("survivors")
        terminal.press("2" + "\x1b[B" * 3 + "e\x15bench_intelligence >= 0.97\r")
        terminal.wait_for("0.97")
        terminal.wait_for("touches")
        terminal.press("us")
        terminal.wait_for("nothing has changed")


def test_a_terminal_may_say_that_it_is_light() -> None:
    assert light_background({"COLORFGBG": "0;15"})
    assert light_background({"COLORFGBG": "0;default;15"})
    assert not light_background({"COLORFGBG": "15;0"})
    assert not light_background({"COLORFGBG": "default;default"})
    assert not light_background({})
