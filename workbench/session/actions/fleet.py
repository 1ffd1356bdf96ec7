"""What can be done with the real tenant base, and the key that opens it."""

from __future__ import annotations

from workbench.session.actions.action import Action

ACTIONS: tuple[Action, ...] = (
    Action("fleet.open", ("L",), "fleet", "the real tenants of a file or a database: winners, costs, who is stranded",
           command="fleet SOURCE"),
    Action("fleet.detail", ("enter",), "policies", "the distinct policies of the segment, and what each wins", "fleet",
           footer=True),
    Action("fleet.source", ("o",), "source", "open a file or a database", "fleet", footer=True,
           command="fleet SOURCE"),
    Action("fleet.rule", ("e",), "suppose a rule", "another text, or number, for a clause", "fleet", footer=True,
           command="fleet SOURCE --rule CLAUSE=TEXT"),
    Action("fleet.down", ("d",), "down", "suppose that providers are down", "fleet", footer=True,
           command="fleet SOURCE --down PROVIDER"),
    Action("fleet.fact", ("f",), "fact", "suppose a fact of every tenant", "fleet",
           command="fleet SOURCE --set FACT=VALUE"),
    Action("fleet.clear", ("c",), "clear", "suppose nothing", "fleet"),
    Action("fleet.view", ("v", "tab"), "view", "segments, changes of winner, who is stranded, who moved, what failed",
           "fleet", footer=True),
    Action("fleet.by", ("b",), "by", "the fields that make a segment", "fleet", command="fleet SOURCE --by FIELD,..."),
    Action("fleet.sample", ("n",), "made-up", "write a made-up tenant base to a file and open it", "fleet",
           command="fleet --sample N FILE"),
)  # fmt: skip
