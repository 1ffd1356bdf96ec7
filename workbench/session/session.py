"""One sitting at a workspace: the state now, what undo goes back to, the edit being typed, and what is not saved yet.

Owns time (history) and nothing else: edits are pure functions of a state, evaluation is pure, saving is `saving.py`.
The terminal app, a script and a test drive the same object.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import WorkbenchError
from workbench.session import saving
from workbench.session.edits import Edit
from workbench.session.evaluation import Evaluation, Evaluator, Movement, movements
from workbench.session.history import History, Step
from workbench.session.saving import journal
from workbench.session.saving.hold import Hold
from workbench.session.state import WorkspaceState
from workbench.session.workspace import Workspace, open_workspace


@dataclass(frozen=True, slots=True)
class Preview:
    """What an edit would do, before it is made."""

    edit: Edit
    state: WorkspaceState | None
    """Absent where the edit can't be applied; `error` says why."""
    evaluation: Evaluation | None
    movements: Mapping[str, Movement]
    """By tenant id, against the state before the edit; empty where there is an error."""
    touched: tuple[str, ...]
    """Tenants whose policy the edit is about, moved or not."""
    error: WorkbenchError | None


class Session:
    """A workspace being worked on."""

    def __init__(self, workspace: Workspace, *, state_folder: Path | None = None) -> None:
        self.workspace = workspace
        self._state_folder = state_folder
        self.evaluator = Evaluator()
        self.evaluation: Evaluation = self.evaluator.evaluate(workspace.state)
        """Of the current state."""
        self.baseline: Evaluation = self.evaluation
        """What movement is measured against: the state before the last edit, or before the one being typed."""
        self.preview: Preview | None = None
        """The last preview that could be applied."""
        self.stale: bool = False
        """The newest text has an error, so what is shown is the last good result."""
        self._history = History()
        self.journal_file = journal.journal_of(workspace.root, state_folder)
        """Where unsaved edits of this workspace are kept, and found again at the next sitting."""
        self._saved: WorkspaceState = workspace.state
        self.hold = Hold(workspace.root, state_folder)
        """Whether this sitting, or another process, is the one that works on the workspace."""

    # -- what is shown ------------------------------------------------------------------------------------------

    @property
    def state(self) -> WorkspaceState:
        """The current state, the edit being typed left out."""
        return self.evaluation.state

    @property
    def shown(self) -> Evaluation:
        """The evaluation on screen: the last good preview's, else the current one."""
        if self.preview is not None and self.preview.evaluation is not None:
            return self.preview.evaluation
        return self.evaluation

    @property
    def movements(self) -> Mapping[str, Movement]:
        """Every tenant's movement on screen against `baseline`, by tenant id."""
        return movements(self.baseline, self.shown)

    # -- edits --------------------------------------------------------------------------------------------------

    def look_ahead(self, edit: Edit) -> Preview:
        """What `edit` would do; changes nothing here."""
        try:
            state = edit.apply(self.state)
        except WorkbenchError as error:
            return Preview(edit, None, None, {}, edit.touches(self.state), error)
        evaluation = self.evaluator.evaluate(state)
        return Preview(edit, state, evaluation, movements(self.evaluation, evaluation), edit.touches(self.state), None)

    def preview_edit(self, edit: Edit) -> Preview:
        """Show what `edit` would do. With an error the last good preview stays, marked stale."""
        preview = self.look_ahead(edit)
        self.baseline = self.evaluation
        self.stale = preview.error is not None
        if preview.error is None:
            self.preview = preview
        return preview

    def cancel_preview(self) -> None:
        """Forget the edit being typed."""
        self.preview = None
        self.stale = False

    def commit(self, edit: Edit) -> Preview:
        """Make the edit. Raises the edit's own error, and then nothing has changed."""
        known = self.preview
        preview = known if known is not None and known.edit == edit and not self.stale else self.look_ahead(edit)
        if preview.error is not None:
            raise preview.error
        self.cancel_preview()
        if preview.evaluation is not None and preview.state != self.state:
            self._history.made(edit.title, self.state)
            self._move_to(preview.evaluation)
        return preview

    def undo(self) -> str | None:
        """Go back one edit; gives its title, or None where there is none."""
        return self._go_to(self._history.back(self.state))

    def redo(self) -> str | None:
        """Make the last undone edit again; gives its title, or None where there is none."""
        return self._go_to(self._history.forward(self.state))

    def _go_to(self, step: Step | None) -> str | None:
        self.cancel_preview()
        if step is None:
            return None
        self._move_to(self.evaluator.evaluate(step.state))
        return step.title

    def _move_to(self, evaluation: Evaluation) -> None:
        self.baseline = self.evaluation
        self.evaluation = evaluation

    # -- disk ---------------------------------------------------------------------------------------------------

    @property
    def dirty(self) -> bool:
        """Whether anything is not saved."""
        return self.state is not self._saved and bool(self.changed_files)

    @property
    def changed_files(self) -> tuple[Path, ...]:
        """Files that a save would write, rulebook first."""
        return saving.changed_files(self.workspace, self._saved, self.state)

    def save(self) -> saving.SaveReport:
        """Write what changed into the workspace's own folder, each file whole or not at all.

        Raises `FileRefused` where a file can't be written (the sample is read-only: use `save_to`), or where another
        process works on the workspace.
        """
        self.hold.check(self.workspace.root)
        self.workspace, report = saving.save(self.workspace, self._saved, self.state)
        self._saved = self.state
        return report

    def save_to(self, folder: Path) -> saving.SaveReport:
        """Write the whole workspace as it is now into an empty or new folder, and go on there."""
        report = saving.save_copy(self.workspace, self._saved, self.state, folder)
        self._adopt(open_workspace(folder), keep_history=True)
        return report

    def reload(self) -> None:
        """Read the workspace again; unsaved edits and the history are given up.

        Raises what opening raises, and then the last good state stays.
        """
        self._adopt(open_workspace(self.workspace.root), keep_history=False)

    # -- what a killed terminal must not take along ----------------------------------------------------------------

    def keep_journal(self) -> bool:
        """Keep what is not saved; gives whether anything is. Writes the disk: not for the UI thread."""
        return self.journal_file.keep(self.workspace, self._saved, self.state)

    def restore(self, kept: journal.Journal) -> None:
        """Take unsaved edits of an earlier sitting up again, as one edit that can be undone.

        Raises, and then nothing has changed, where they no longer fit the workspace.
        """
        state = journal.restored(kept, self.workspace)
        self.cancel_preview()
        self._history.made("restore unsaved edits", self.state)
        self._move_to(self.evaluator.evaluate(state))

    def _adopt(self, workspace: Workspace, *, keep_history: bool) -> None:
        moved = workspace.root.resolve() != self.workspace.root.resolve()
        self.workspace = workspace
        if moved:
            self.journal_file = journal.journal_of(workspace.root, self._state_folder)
            self.hold.move(self)
        self.cancel_preview()
        self._saved = workspace.state
        if not keep_history:
            self._history.clear()
        self._move_to(self.evaluator.evaluate(workspace.state))
