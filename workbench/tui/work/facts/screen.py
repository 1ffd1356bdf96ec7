"""What-if facts: a tenant's facts on one side, what it would get with others on the other; no file is touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.content import Content

from workbench.errors import WorkbenchError
from workbench.rulebook.schema import WORKLOAD_FIELDS, Fact, TenantField
from workbench.rulebook.tenant import Tenant
from workbench.session.tenant_edits import EditFact
from workbench.session.workspace import default_workload
from workbench.tui.background import Progress
from workbench.tui.doing.saving import reason_of
from workbench.tui.screens.fact_editor import FactEditor, Given
from workbench.tui.widgets.drawing import clean
from workbench.tui.widgets.line_table import LineTable
from workbench.tui.widgets.text_block import TextBlock
from workbench.tui.work.answers.screen import AnswerScreen
from workbench.tui.work.facts.rows import FactRows
from workbench.whatif.changes import Changes, with_facts
from workbench.whatif.facts import suppose, what_matters
from workbench.whatif.report import Report, Sheet
from workbench.whatif.reports.facts import matters_report, supposed_report
from workbench.whatif.summary import summary_json, summary_of
from workbench.whatif.trials import fields_of, values_to_try


class FactsScreen(AnswerScreen):
    """A tenant's facts, and what it would get if they were others: winner, cost, what opens and what closes.

    `*` marks a fact that is supposed to be another than in the tenant's file. Space takes the next value that the fact
    may have, enter asks for one; the result follows at once. `m` tries every value of every fact and says which change
    the winner. Nothing is written, and nothing is an edit, until `K` makes it one.
    """

    PLACE = "facts"
    HEADING = "What-if facts"
    EXPORT = "whatif"

    matters: bool = False
    """Whether every value of every fact is tried."""

    def compose_body(self) -> ComposeResult:
        with Container(id="facts-both"):
            with Vertical(id="facts-box", classes="frame"):
                yield LineTable(id="facts-list")
            with Vertical(id="facts-answer", classes="frame"):
                yield TextBlock(id="answer-said")
                yield LineTable(self._moved, id="answer-table")
        yield TextBlock(id="answer-told")

    def on_mount(self) -> None:
        self.changed: dict[str, Fact | None] = {}
        self.set_focus(self.facts)

    def begin(self) -> None:
        self.follow()

    @property
    def facts(self) -> LineTable:
        """The facts."""
        return self.query_one("#facts-list", LineTable)

    @property
    def fields(self) -> Sequence[TenantField]:
        """The facts that may be others."""
        return fields_of(self.state)

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
            return matters_report(what_matters(self.state, tenant.id, self.evaluator))
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

    def follow(self) -> None:
        self.list_facts()
        self.ask()

    # values

    def suppose(self, name: str, value: Fact | None) -> None:
        """Suppose a value, where the fact may have it."""
        tenant = self.tenant
        if tenant is None:
            return
        try:
            with_facts(tenant, {name: value}, self.state.rulebook)
        except WorkbenchError as error:
            self.say(reason_of(error), "warn")
            return
        self.changed.pop(name, None)
        if value != tenant.bindings().get(name) or isinstance(value, bool) is not isinstance(
            tenant.bindings().get(name), bool
        ):
            self.changed[name] = value
        self.matters = False
        self.list_facts()
        self.ask()

    def do_next_value(self) -> None:
        """The next of the values that the fact may have."""
        tenant, known = self.tenant, self.field
        if tenant is None:
            return
        if known.kind in {"list", "number", "text"} and not known.values:
            self.do_change()
            return
        if known.kind == "list":
            self.do_change()
            return
        trials = [trial.value for trial in values_to_try(self.state, tenant, known)]
        held = tenant.bindings().get(known.name)
        choices = [*([held] if held is not None else []), *trials]
        order: list[Fact] = [value for value in known.values if value in choices] or sorted(choices, key=str)
        now = self.changed.get(known.name, held)
        at = order.index(now) if now in order else -1
        self.suppose(known.name, order[(at + 1) % len(order)])

    def do_change(self) -> None:
        """Ask for a value."""
        tenant, known = self.tenant, self.field
        if tenant is None:
            return
        now = self.changed.get(known.name, tenant.bindings().get(known.name))

        def given(answer: Given | None) -> None:
            if answer is not None:
                self.suppose(known.name, answer.value)

        self.host.push_screen(FactEditor(tenant.id, known, now), given)

    def do_reset(self) -> None:
        """The fact as the tenant has it."""
        if self.changed.pop(self.field.name, None) is None and self.field.name not in self.changed:
            self.list_facts()
        self.follow()

    def do_reset_all(self) -> None:
        """Every fact as the tenant has it."""
        self.changed.clear()
        self.follow()

    def do_matter(self) -> None:
        """Which facts matter, or what is supposed."""
        self.matters = not self.matters
        self.ask()

    def do_keep(self) -> None:
        """Make what is supposed edits of the session."""
        tenant = self.tenant
        work = [name for name in self.changed if name in WORKLOAD_FIELDS]
        if tenant is None or not self.changed:
            self.say("nothing is supposed yet", "warn")
            return
        if work:
            self.say(f"{', '.join(work)} is the workload, which is edited in the tenant's file", "warn")
            return
        try:
            for name, value in self.changed.items():
                self.session.commit(EditFact(tenant.id, name, value))
        except WorkbenchError as error:
            self.show_banner(reason_of(error))
            return
        count = len(self.changed)
        self.changed.clear()
        self.say(f"{count} edit{'' if count == 1 else 's'} made; u on the main screen takes back")

    @on(LineTable.RowOpened)
    def _opened(self, event: LineTable.RowOpened) -> None:
        """A fact is asked for; a value that was tried leads to its fact."""
        event.stop()
        if event.table is self.facts:
            self.do_change()
            return
        row = self.row
        names = [known.name for known in self.fields]
        if row is not None and row[0] in names:
            self.facts.move_to(names.index(row[0]))
            self.set_focus(self.facts)

    def focus_body(self) -> None:
        self.set_focus(self.facts)

    def go_tenant(self, by: int) -> None:
        self.changed.clear()
        self.matters = False
        super().go_tenant(by)
        self.list_facts()
        self.cursors = replace(self.cursors, offer=None)
