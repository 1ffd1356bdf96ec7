"""What can be done on the screen of traces, and the key that opens it."""

from __future__ import annotations

from workbench.session.actions.action import Action

ACTIONS: tuple[Action, ...] = (
    Action("traces.open", ("T",), "traces", "what was decided and called before; any of it decided again",
           command="traces list"),
    Action("traces.replay", ("r",), "replay", "decide the trace again and show the verdict field by field", "traces",
           footer=True, command="replay ID"),
    Action("traces.against", ("R",), "replay now", "decide the trace again over the workspace's present catalog",
           "traces", footer=True, command="replay ID --catalog workspace"),
    Action("traces.export", ("x", "e"), "export", "write the trace to a file", "traces", footer=True,
           command="traces export ID"),
    Action("traces.prune", ("delete",), "prune", "delete traces, after a question", "traces",
           command="traces prune"),
)  # fmt: skip
