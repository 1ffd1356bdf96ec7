"""The workspace as it is now, held against a revision, a rulebook, another workspace or a catalog."""

from __future__ import annotations

from dataclasses import replace

from textual import on

from workbench.errors import WorkbenchError
from workbench.tui.background import Progress
from workbench.tui.doing.saving import reason_of
from workbench.tui.widgets.line_table import LineTable
from workbench.tui.work.answers.pick import Choice, Pick
from workbench.tui.work.answers.screen import AnswerScreen
from workbench.whatif.differ.decisions import Diff, diff
from workbench.whatif.differ.revisions import recent_commits
from workbench.whatif.differ.sources import NOW, catalogs_by_name, read_sides, side_of
from workbench.whatif.report import Report, Sheet
from workbench.whatif.reports.diff import diff_report, tenant_report

FILED = "the files"
"""The workspace as its files say, for the edits that are not saved."""


class DiffScreen(AnswerScreen):
    """Per tenant what another revision, rulebook or catalog decides: winner, cost, survivors, what may be reached.

    `now` is the workspace as it is here, edits that are not saved included. A clause that changed stands there once,
    with the tenants that it changes for; where a fingerprint changed and no decision did, that is said. Enter shows one
    tenant's clauses and offers.
    """

    PLACE = "diff"
    HEADING = "Diff"
    EXPORT = "diff"

    word: str | None = None
    """What the workspace is held against."""
    swapped: bool = False
    found: Diff | None = None
    tenant: str | None = None
    """The tenant that is drilled into."""

    def begin(self) -> None:
        if self.session.dirty:
            self.hold(FILED)
        else:
            self.background.start("looking", self._first, self._held_first)

    def _first(self, _progress: Progress) -> str | None:
        """The last commit, where there is one."""
        return "HEAD" if self._commits(1) else None

    def _commits(self, most: int) -> list[Choice]:
        """The last commits of the workspace's folder; the sample has none of its own."""
        here = self.session.workspace
        return [] if here.is_sample else recent_commits(here.root, most)

    def _held_first(self, word: str | None) -> None:
        if word is None:
            self.answered(_nothing())
            self.do_pick()
        else:
            self.hold(word)

    def subject(self) -> str:
        if self.word is None:
            return "choose what to hold the workspace against: r"
        sides = (NOW, self.word) if self.swapped else (self.word, NOW)
        return f"{sides[0]} → {sides[1]}" + (f" · {self.tenant}" if self.tenant else "")

    def answer(self, progress: Progress) -> Report | None:
        progress.report()
        if self.word is None:
            return None
        here = self.session.workspace
        if self.word == FILED:
            other, now = side_of(here, FILED), replace(side_of(here, NOW), state=self.state)
        else:
            other, now = read_sides(self.word, None, here, self.state)
        progress.report(None, "deciding")
        self.found = diff(now, other) if self.swapped else diff(other, now)
        return self._report()

    def _report(self) -> Report | None:
        if self.found is None:
            return None
        one = next((each for each in self.found.tenants if each.tenant == self.tenant), None)
        return diff_report(self.found) if one is None else tenant_report(self.found, one)

    def failed(self, error: WorkbenchError | OSError) -> None:
        """A side that can't be read: its findings stand where the answer would."""
        findings = error.findings if isinstance(error, WorkbenchError) else ()
        rows = tuple((str(finding.place) or "-", finding.reason, finding.hint or "-") for finding in findings)
        sheet = Sheet("", ("where", "reason", "what to do"), rows)
        title = error.title if isinstance(error, WorkbenchError) else reason_of(error)
        self.found = None
        self.answered(Report(title, (), (sheet,), sheet, {}))

    def hold(self, word: str) -> None:
        """Hold the workspace against something else."""
        self.word, self.tenant = word, None
        self.show_heading()
        self.ask()

    def do_pick(self) -> None:
        """Choose what to hold it against."""

        def ready(choices: list[Choice]) -> None:
            title = "Hold the workspace against"
            free = "HEAD~1, HEAD~1:FOLDER, a catalog, a folder, a .toml or .json file"
            self.host.push_screen(Pick(title, choices, free=free), lambda word: self.hold(word) if word else None)

        self.background.start("looking", self._choices, ready)

    def _choices(self, _progress: Progress) -> list[Choice]:
        choices: list[Choice] = [(FILED, "the edits that are not saved")] if self.session.dirty else []
        choices += self._commits(30)
        return choices + [(name, f"catalog, {path.name}") for name, path in reversed(catalogs_by_name().items())]

    def do_swap(self) -> None:
        """The other way round."""
        if self.word is None:
            self.say("choose what to hold it against first: r", "warn")
            return
        self.swapped = not self.swapped
        self.hold(self.word)

    def do_drill(self) -> None:
        """One tenant's clauses and offers."""
        row, found = self.row, self.found
        if row is None or found is None or self.tenant is not None:
            return
        names = {one.tenant for one in found.tenants}
        name = next((cell for cell in (row[0], row[-1]) if cell in names), None)
        if name is None:
            self.say("no single tenant stands in this row", "warn")
            return
        self._show(name)

    def _show(self, tenant: str | None) -> None:
        self.tenant = tenant
        self.answered(self._report())
        self.table.move_to(0)

    @on(LineTable.RowOpened)
    def _opened(self, event: LineTable.RowOpened) -> None:
        event.stop()
        self.do_drill()

    def go_back(self) -> bool:
        if self.tenant is None:
            return False
        self._show(None)
        return True

    def export_name(self) -> str:
        word = "".join(c if c.isalnum() or c in "-_." else "-" for c in self.word or "nothing").strip("-.")[:60]
        return f"{word}-{self.tenant}" if self.tenant else word or "files"


def _nothing() -> Report:
    empty = Sheet("", ("",), ())
    return Report("nothing is chosen yet", ("r chooses a revision, a rulebook, a folder or a catalog",), (), empty, {})
