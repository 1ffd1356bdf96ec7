"""What can be done in the outage drill, and the key that opens it."""

from __future__ import annotations

from workbench.session.actions.action import Action

ACTIONS: tuple[Action, ...] = (
    Action("drill.open", ("O",), "outage drill", "take providers down and see who is left; who dies if X dies",
           command="drill TENANT"),
    Action("drill.toggle", ("space",), "down/up", "take the provider down, or up again; on the ladder: one step on",
           "drill", footer=True, command="drill TENANT --down PROVIDER"),
    Action("drill.fault", ("f",), "fault", "type a fault, such as openai=rate_limit:30s@0.5; again takes it away",
           "drill", footer=True, command="drill TENANT --fault FAULT"),
    Action("drill.step", ("n",), "step", "one step further on the virtual clock; at the end, from the start", "drill",
           footer=True, command="drill TENANT --steps"),
    Action("drill.play", ("a",), "to the end", "play the rest", "drill"),
    Action("drill.restart", ("z",), "restart", "back to the start of the request", "drill"),
    Action("drill.radar", ("r",), "radar", "who dies if X dies, for every provider; again goes back", "drill",
           footer=True, command="drill --radar"),
    Action("drill.by", ("b",), "by", "the radar by provider, model, region or route", "drill", footer=True,
           command="drill --radar --by region"),
    Action("drill.sort", ("o",), "sort", "the radar by deaths, price, name or moves", "drill", footer=True,
           command="drill --radar --sort price"),
    Action("drill.stream", ("s",), "streamed", "calls are streamed, or answered whole", "drill",
           command="drill TENANT --stream"),
    Action("drill.clear", ("c",), "all up", "everything is up again", "drill", footer=True),
    Action("drill.take", ("w",), "why not", "go back to the main screen, at this tenant", "drill"),
)  # fmt: skip
