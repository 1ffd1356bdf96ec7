"""What each clause costs, and what quality it brings: one tenant's, or over all tenants."""

from __future__ import annotations

from textual import on

from workbench.tui.background import Progress
from workbench.tui.widgets.line_table import LineTable
from workbench.tui.work.answers.screen import AnswerScreen
from workbench.whatif.report import Report
from workbench.whatif.reports.rule_cost import tenant_costs_report, totals_report
from workbench.whatif.rule_cost import dearest_rules, rule_costs


class RuleCostScreen(AnswerScreen):
    """Each clause left out alone: who would answer then, and the difference in cost and in quality.

    A figure is what the clause adds: dollars a month, points of a benchmark. It is a fact about prices and scores; what
    a clause is for is not weighed here. `a` goes between one tenant and all of them together.
    """

    PLACE = "rule_cost"
    HEADING = "Rule cost"
    EXPORT = "rule-cost"

    everyone: bool = False

    def subject(self) -> str:
        return "all tenants" if self.everyone else self.cursors.tenant_id or ""

    def answer(self, progress: Progress) -> Report | None:
        state, tenant = self.state, self.cursors.tenant_id
        if not self.everyone:
            return None if tenant is None else tenant_costs_report(rule_costs(state, tenant, self.evaluator))
        count = len(state.tenants)
        totals, every = dearest_rules(state, self.evaluator, lambda done: progress.report(done / count))
        known = {costs.tenant for costs in every}
        return totals_report(totals, every, [one.id for one in state.tenants if one.id not in known])

    def do_everyone(self) -> None:
        """One tenant, or all."""
        self.everyone = not self.everyone
        self.show_heading()
        self.ask()

    def do_take(self) -> None:
        """Back to the main screen."""
        self.take(self.cursors.tenant_id, None)

    @on(LineTable.RowOpened)
    def _opened(self, event: LineTable.RowOpened) -> None:
        event.stop()
        self.do_take()

    def go_tenant(self, by: int) -> None:
        self.everyone = False
        super().go_tenant(by)

    def export_name(self) -> str:
        return "all" if self.everyone else self.cursors.tenant_id or "all"
