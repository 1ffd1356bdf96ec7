"""What the screen of what-if facts shows: the facts on one side, what the tenant would get on the other."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.content import Content

from workbench.rulebook.schema import Fact, TenantField
from workbench.rulebook.tenant import Tenant
from workbench.session.workspace import default_workload
from workbench.tui.background import Progress
from workbench.tui.widgets.drawing import clean
from workbench.tui.widgets.line_table import LineTable
from workbench.tui.widgets.text_block import TextBlock
from workbench.tui.work.answers.screen import AnswerScreen
from workbench.tui.work.facts.rows import FactRows
from workbench.whatif.changes import Changes
from workbench.whatif.facts import suppose, what_matters
from workbench.whatif.report import Report, Sheet
from workbench.whatif.reports.facts import matters_report, supposed_report
from workbench.whatif.summary import summary_json, summary_of
from workbench.whatif.trials import fields_of


class FactsView(AnswerScreen):
    """A tenant's facts and what is supposed of them."""

    matters: bool = False
    """Whether every value of every fact is tried."""

    def on_mount(self) -> None:
        self.changed: dict[str, Fact | None] = {}
        """The facts that are supposed to be others; None is unknown."""
        self.set_focus(self.facts)

    def compose_body(self) -> ComposeResult:
        with Container(id="facts-both"):
            with Vertical(id="facts-box", classes="frame"):
                yield LineTable(id="facts-list")
            with Vertical(id="facts-answer", classes="frame"):
                yield TextBlock(id="answer-said")
                yield LineTable(self._moved, id="answer-table")
        yield TextBlock(id="answer-told")

    @property
    def facts(self) -> LineTable:
        """The facts."""
        return self.query_one("#facts-list", LineTable)

    @property
    def fields(self) -> Sequence[TenantField]:
        """The facts that may be others: of those the ones that the filter names, all where it names none."""
        known, words = fields_of(self.state), self.words.casefold().split()
        return [each for each in known if all(word in each.name.casefold() for word in words)] or known

    @property
    def tenant(self) -> Tenant | None:
        """Whose facts they are, as the session has it."""
        outcome = self.outcome
        return None if outcome is None else outcome.tenant

    @property
    def field(self) -> TenantField:
        """The fact under the cursor."""
        return self.fields[min(self.facts.cursor, len(self.fields) - 1)]

    def subject(self) -> str:
        count = len(getattr(self, "changed", ()))
        said = f" · {count} fact{'' if count == 1 else 's'} supposed" if count else ""
        return f"{self.cursors.tenant_id or ''}{said}"

    def list_facts(self) -> None:
        """Draw the facts."""
        tenant = self.tenant
        if tenant is not None:
            self.facts.show_rows(FactRows(self.fields, tenant.bindings(), self.changed))
            self.query_one("#facts-box").border_title = Content(clean(f"Facts of {tenant.id}"))
            self.show_heading()

    def answer(self, progress: Progress) -> Report | None:
        progress.report()
        tenant = self.tenant
        if tenant is None:
            return None
        if self.matters:
            return matters_report(what_matters(self.state, tenant.id, self.evaluator, progress.report))
        if not self.changed:
            return self._as_it_is(tenant)
        changes = Changes(dict(self.changed))
        workload = default_workload(self.session.workspace.settings)
        found = suppose(self.state, tenant.id, changes, self.evaluator, workload)
        return supposed_report(self.state, found, changes)

    def _as_it_is(self, tenant: Tenant) -> Report:
        summary = summary_of(self.state, self.evaluator.outcome(self.state, tenant))
        lines = ("space takes the next value of the fact under the cursor", "m says which facts matter to the winner")
        sheet = Sheet("", ("fact",), ())
        return Report(f"{tenant.id}: {summary.served}", lines, (), sheet, {"before": summary_json(summary)})

    def filter_rows(self, text: str) -> None:
        super().filter_rows(text)
        self.list_facts()

    def focus_body(self) -> None:
        self.set_focus(self.facts)
