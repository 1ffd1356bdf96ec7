"""What can be done on the frontier, and the key that opens it."""

from __future__ import annotations

from workbench.session.actions.action import Action

ACTIONS: tuple[Action, ...] = (
    Action("frontier.open", ("V",), "frontier", "price against quality, full size: what nothing beats",
           command="frontier TENANT"),
    Action("frontier.take", ("enter", "w"), "take", "back to the main screen, at this offer", "frontier", footer=True),
    Action("frontier.next", ("n",), "next best", "the next offer on the line", "frontier", footer=True),
    Action("frontier.previous", ("N",), "previous best", "the previous offer on the line", "frontier"),
    Action("frontier.same", ("space",), "same place", "the next offer that stands on the same place", "frontier",
           footer=True),
    Action("frontier.winner", ("o",), "winner", "go to the winner", "frontier"),
    Action("frontier.across", ("X",), "across", "another figure across", "frontier", footer=True,
           command="frontier TENANT --x FIGURE"),
    Action("frontier.up", ("Y",), "up", "another figure up", "frontier", footer=True,
           command="frontier TENANT --y FIGURE"),
    Action("frontier.scale", ("s",), "scale", "a scale of logarithms across, or an even one", "frontier",
           command="frontier TENANT --linear"),
    Action("frontier.rejected", ("r",), "rejected", "hide the rejected, or show them", "frontier", footer=True),
    Action("frontier.tenant", ("t",), "tenant", "the next tenant", "frontier", footer=True),
    Action("frontier.tenant_before", ("T",), "tenant before", "the tenant before", "frontier"),
)  # fmt: skip
