"""The command palette: every action that works here, from the one registry."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from workbench.session.actions import Action, actions_for
from workbench.tui import wording
from workbench.tui.widgets.drawing import clean

THEME = "theme: light or dark"
THEME_HELP = "choose the colours"


class ActionCommands(Provider):
    """Actions by title and by what they do."""

    def _here(self) -> Iterator[tuple[Action, partial[object]]]:
        from workbench.tui.screens.main import MainScreen  # noqa: PLC0415 - the palette is made before the screen
        from workbench.tui.screens.work_screen import WorkScreen  # noqa: PLC0415 - as above

        if isinstance(self.screen, MainScreen):
            main: MainScreen = self.screen
            for action in actions_for(main.place):
                yield action, partial(main.action_do, action.id)
        elif isinstance(self.screen, WorkScreen):
            screen: WorkScreen = self.screen
            for action in actions_for(screen.PLACE):
                yield action, partial(screen.action_do, action.id)

    async def discover(self) -> Hits:
        yield DiscoveryHit(THEME, self.app.search_themes, text=THEME, help=THEME_HELP)  # pyright: ignore[reportUnknownMemberType]
        for action, run in self._here():
            yield DiscoveryHit(Content(clean(_label(action))), run, text=_label(action), help=action.help)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for action, run in self._here():
            label = f"{_label(action)} - {action.help}"
            score = matcher.match(label)
            if score > 0:
                yield Hit(score, matcher.highlight(label), run, text=label, help=action.help)
        score = matcher.match(THEME)
        if score > 0:
            yield Hit(score, matcher.highlight(THEME), self.app.search_themes, text=THEME, help=THEME_HELP)  # pyright: ignore[reportUnknownMemberType]


def _label(action: Action) -> str:
    return f"{action.title} ({wording.key_name(action.keys[0])})"
