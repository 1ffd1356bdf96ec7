"""Screens that follow the session: what is shown is worked out anew where an edit, an undo or the disk changed it."""

from __future__ import annotations

from dataclasses import replace

from workbench.session.evaluation import Evaluation
from workbench.tui.screens.work_screen import WorkScreen

LOOK_SECONDS = 0.25


class Following(WorkScreen):
    """Calls `follow` where the shown evaluation is another one than the screen was drawn from."""

    _followed: Evaluation | None = None

    def on_mount(self) -> None:
        self._followed = self.session.shown
        self.set_interval(LOOK_SECONDS, self.look)

    def on_screen_resume(self) -> None:
        self.look()

    def look(self) -> None:
        """Follow, where there is something to follow."""
        if self._followed is not None and self.session.shown is not self._followed:
            self._followed = self.session.shown
            if self.cursors.tenant_id not in self._followed.outcomes:
                self.look_at(tenant_id=next(iter(self._followed.outcomes), None))
            self.follow()

    def follow(self) -> None:
        """Show the session as it is now."""

    def take(self, tenant_id: str | None, offer: int | None) -> None:
        """Back to the main screen, with its cursors on a tenant and an offer."""
        from workbench.tui.screens.main import MainScreen  # noqa: PLC0415 - a circle otherwise

        main = next((screen for screen in self.host.screen_stack if isinstance(screen, MainScreen)), None)
        self.dismiss(None)
        if main is not None:
            main.cursors = replace(main.cursors, tenant_id=tenant_id, offer=offer, pinned=offer is not None)
            main.refresh_view()
