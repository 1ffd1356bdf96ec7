"""Undo and redo: the states that were, each with the title of the edit that left it."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.session.state import WorkspaceState


@dataclass(frozen=True, slots=True)
class Step:
    """One edit, and the state on its other side."""

    title: str
    state: WorkspaceState


class History:
    """What was done and what was undone. Keeps old states; forgets what was undone once something else is done."""

    def __init__(self) -> None:
        self._done: list[Step] = []
        self._undone: list[Step] = []

    def made(self, title: str, before: WorkspaceState) -> None:
        """An edit was made; `before` is the state that it left."""
        self._done.append(Step(title, before))
        self._undone.clear()

    def back(self, now: WorkspaceState) -> Step | None:
        """The step that undo takes from `now`; None where nothing was done."""
        return self._move(self._done, self._undone, now)

    def forward(self, now: WorkspaceState) -> Step | None:
        """The step that redo takes from `now`; None where nothing was undone."""
        return self._move(self._undone, self._done, now)

    def clear(self) -> None:
        """Forget everything."""
        self._done.clear()
        self._undone.clear()

    @staticmethod
    def _move(source: list[Step], target: list[Step], now: WorkspaceState) -> Step | None:
        if not source:
            return None
        step = source.pop()
        target.append(Step(step.title, now))
        return step
