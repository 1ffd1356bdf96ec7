"""The base of screens that show a report: they say what it is, and it is worked out beside the keys.

A screen says what the report is (`answer`) and asks for it again (`ask`) when something it depends on changed. It is
worked out in a thread, so that the keys stay free, and the newest question wins.
"""

from __future__ import annotations

from dataclasses import replace

from workbench.session.evaluation import Evaluator
from workbench.tui.background import Progress
from workbench.tui.work.answers.showing import AnswerView
from workbench.whatif.report import Report


class AnswerScreen(AnswerView):
    """Asks, and shows the answer."""

    def on_mount(self) -> None:
        self.evaluator = Evaluator()
        if self.cursors.tenant_id is None:
            self.cursors = replace(self.cursors, tenant_id=next(iter(self.session.shown.outcomes), None))
        self.call_after_refresh(self.begin)

    def begin(self) -> None:
        """The screen is there: ask what it is to show."""
        self.ask()

    def answer(self, progress: Progress) -> Report | None:
        """The report, worked out in a thread; None where there is nothing to ask about."""
        raise NotImplementedError

    def ask(self) -> None:
        """Work the report out anew."""
        if self.is_mounted:
            self.show_banner("")
            self.background.start(self.HEADING.lower(), self.answer, self.answered)

    def follow(self) -> None:
        self.ask()

    # tenants

    def go_tenant(self, by: int) -> None:
        """Another tenant, `by` further on."""
        names = tuple(self.session.shown.outcomes)
        if names:
            at = names.index(self.cursors.tenant_id) if self.cursors.tenant_id in names else 0
            self.look_at(tenant_id=names[(at + by) % len(names)], offer=None)
            self.ask()

    def do_tenant(self) -> None:
        """The next tenant."""
        self.go_tenant(1)

    def do_tenant_before(self) -> None:
        """The tenant before."""
        self.go_tenant(-1)
