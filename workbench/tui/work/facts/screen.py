"""What-if facts: other values for a tenant's facts, tried out; no file is touched."""

from __future__ import annotations

from dataclasses import replace

from textual import on

from workbench.errors import WorkbenchError
from workbench.rulebook.schema import WORKLOAD_FIELDS, Fact
from workbench.session.tenant_edits import EditFact
from workbench.tui.doing.saving import reason_of
from workbench.tui.screens.fact_editor import FactEditor, Given
from workbench.tui.widgets.line_table import LineTable
from workbench.tui.work.facts.showing import FactsView
from workbench.whatif.changes import with_facts
from workbench.whatif.trials import values_to_try


class FactsScreen(FactsView):
    """A tenant's facts, and what it would get if they were others: winner, cost, what opens and what closes.

    `*` marks a fact that is supposed to be another than in the tenant's file. Space takes the next value that the fact
    may have, enter asks for one; the result follows at once. `m` tries every value of every fact and says which change
    the winner. Nothing is written, and nothing is an edit, until `K` makes it one.
    """

    PLACE = "facts"
    HEADING = "What-if facts"
    EXPORT = "whatif"

    def begin(self) -> None:
        self.follow()

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
        if value != tenant.bindings().get(name):
            self.changed[name] = value
        self.matters = False
        self.list_facts()
        self.ask()

    def do_next_value(self) -> None:
        """The next of the values that the fact may have."""
        tenant, known = self.tenant, self.field
        if tenant is None:
            return
        if known.kind not in {"flag", "choice"}:
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
        self.changed.pop(self.field.name, None)
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

    def go_tenant(self, by: int) -> None:
        self.changed.clear()
        self.matters = False
        super().go_tenant(by)
        self.list_facts()
        self.cursors = replace(self.cursors, offer=None)
