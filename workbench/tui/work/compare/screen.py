"""Two to four tenants side by side, or one as its file says and as it is now."""

from __future__ import annotations

from workbench.session.state import WorkspaceState
from workbench.tui.background import Progress
from workbench.tui.work.answers.pick import Pick
from workbench.tui.work.answers.screen import AnswerScreen
from workbench.whatif.compare import MOST_COLUMNS, before_and_after, tenants_side_by_side
from workbench.whatif.report import Report
from workbench.whatif.reports.compare import compare_report


class CompareScreen(AnswerScreen):
    """Tenants side by side: results, facts, clauses by rule, what happens on failure, every offer's fate.

    In a cell of an offer `#1` is its place, and `x` names the clauses that reject it. Only what differs is shown, until
    `v`. With `b` one tenant stands beside itself: as its file says, and as it is with the edits that are not saved.
    """

    PLACE = "compare"
    HEADING = "Compare"
    EXPORT = "compare"

    others: tuple[str, ...] = ()
    """The tenants beside the chosen one."""
    everything: bool = False
    edits: bool = False
    """Whether one tenant is compared with itself."""

    def begin(self) -> None:
        self.edits = self.session.dirty
        names = list(self.session.shown.outcomes)
        at = names.index(self.cursors.tenant_id) if self.cursors.tenant_id in names else 0
        self.others = tuple(name for name in (*names[at + 1 :], *names[:at]))[:1]
        self.again()

    @property
    def tenants(self) -> tuple[str, ...]:
        """Who is compared."""
        first = self.cursors.tenant_id
        return () if first is None else (first, *(name for name in self.others if name != first))

    def subject(self) -> str:
        if self.edits:
            return f"{self.cursors.tenant_id or ''} as filed, and now"
        return " | ".join(self.tenants)

    def answer(self, progress: Progress) -> Report | None:
        progress.report()
        state, first = self.state, self.cursors.tenant_id
        if first is None:
            return None
        if self.edits:
            comparison = before_and_after(self.filed(), state, first, self.evaluator, ("as filed", "now"))
        elif len(self.tenants) < 2:
            return None
        else:
            comparison = tenants_side_by_side(state, self.tenants, self.evaluator)
        return compare_report(comparison, everything=self.everything)

    def filed(self) -> WorkspaceState:
        """The state that the files hold; a tenant that is new there is as it is now."""
        filed = self.session.workspace.state
        known = {tenant.id for tenant in filed.tenants}
        return filed if self.cursors.tenant_id in known else self.state

    def do_add(self) -> None:
        """Another tenant."""
        if len(self.tenants) >= MOST_COLUMNS and not self.edits:
            self.say(f"{MOST_COLUMNS} are the most; drop one first", "warn")
            return
        left = [tenant for tenant in self.state.tenants if tenant.id not in self.tenants]

        def picked(name: str | None) -> None:
            if name is not None:
                self.edits = False
                self.others = (*self.others, name)
                self.again()

        self.host.push_screen(Pick("Beside these", [(tenant.id, tenant.title) for tenant in left]), picked)

    def do_drop(self) -> None:
        """The last tenant goes."""
        if len(self.tenants) <= 2:
            self.say("two are the fewest; b compares one with its file", "warn")
            return
        last = self.tenants[-1]
        self.others = tuple(name for name in self.others if name != last)
        self.again()

    def do_everything(self) -> None:
        """All rows, or those that differ."""
        self.everything = not self.everything
        self.again()

    def do_edits(self) -> None:
        """One tenant before and after, or several."""
        self.edits = not self.edits
        self.again()

    def again(self) -> None:
        """Ask again and say who is compared."""
        self.show_heading()
        self.ask()

    def export_name(self) -> str:
        return f"{self.cursors.tenant_id}-edits" if self.edits else "-".join(self.tenants)
