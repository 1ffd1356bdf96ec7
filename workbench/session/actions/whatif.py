"""What can be done on the screens that ask what if: compare, facts, diff, near, rule cost; and what opens them."""

from __future__ import annotations

from workbench.session.actions.action import Action

_NEXT = ("t",)
_BEFORE = ("T",)

ACTIONS: tuple[Action, ...] = (
    Action("compare.open", ("C",), "compare", "two to four tenants side by side, or one before and after its edits",
           command="compare TENANT TENANT"),
    Action("compare.add", ("a",), "add tenant", "another tenant beside these", "compare", footer=True),
    Action("compare.drop", ("d", "delete"), "drop", "take the last tenant out", "compare", footer=True),
    Action("compare.everything", ("v",), "all/differing", "show what is the same too, or only what differs", "compare",
           footer=True, command="compare TENANT TENANT --all"),
    Action("compare.edits", ("b",), "before/after", "one tenant as its file says and as it is now, edits included",
           "compare", footer=True),
    Action("compare.tenant", _NEXT, "tenant", "the first tenant is the next one", "compare"),
    Action("compare.tenant_before", _BEFORE, "tenant before", "the first tenant is the one before", "compare"),

    Action("facts.open", ("F",), "what-if facts", "try other facts of a tenant without touching its file",
           command="whatif TENANT --set NAME=VALUE"),
    Action("facts.change", ("enter", "e"), "change", "another value for the fact", "facts", footer=True),
    Action("facts.next_value", ("space",), "next value", "the fact's next value, of those that it may have", "facts",
           footer=True),
    Action("facts.reset", ("u",), "reset", "the fact as the tenant has it", "facts", footer=True),
    Action("facts.reset_all", ("U",), "reset all", "every fact as the tenant has it", "facts"),
    Action("facts.matter", ("m",), "what matters", "try every value of every fact: which change the winner?", "facts",
           footer=True, command="whatif TENANT --all"),
    Action("facts.keep", ("K",), "keep", "make the changed facts an edit of the tenant; undo takes it back", "facts",
           footer=True),
    Action("facts.tenant", _NEXT, "tenant", "the next tenant", "facts"),
    Action("facts.tenant_before", _BEFORE, "tenant before", "the tenant before", "facts"),

    Action("diff.open", ("D",), "diff", "whose decision a revision, a rulebook or a catalog would change",
           command="diff BEFORE AFTER"),
    Action("diff.pick", ("r",), "against", "choose the revision, file or catalog to hold against the workspace", "diff",
           footer=True),
    Action("diff.swap", ("s",), "swap", "before becomes after", "diff", footer=True),
    Action("diff.drill", ("enter",), "one tenant", "the clauses and offers of the tenant under the cursor", "diff",
           footer=True, command="diff BEFORE AFTER --tenant TENANT"),

    Action("near.open", ("N",), "near", "the smallest change that admits an offer; what ends the winner's lead",
           command="near TENANT OFFER"),
    Action("near.margin", ("m",), "margin", "by how much the winner leads and what flips it, or the near misses",
           "near", footer=True, command="near TENANT --winner"),
    Action("near.show", ("enter", "w"), "take", "back to the main screen, at this offer", "near", footer=True),
    Action("near.read", ("tab",), "read", "go between the offers and what it takes", "near", footer=True),
    Action("near.tenant", _NEXT, "tenant", "the next tenant", "near", footer=True),
    Action("near.tenant_before", _BEFORE, "tenant before", "the tenant before", "near"),

    Action("rule_cost.open", ("R",), "rule cost", "what each clause costs a month, and what quality it brings",
           command="rule-cost TENANT"),
    Action("rule_cost.everyone", ("a",), "one/all", "this tenant's clauses, or every clause over all tenants",
           "rule_cost", footer=True, command="rule-cost"),
    Action("rule_cost.take", ("enter", "w"), "take", "back to the main screen, at this tenant", "rule_cost",
           footer=True),
    Action("rule_cost.tenant", _NEXT, "tenant", "the next tenant", "rule_cost", footer=True),
    Action("rule_cost.tenant_before", _BEFORE, "tenant before", "the tenant before", "rule_cost"),
)  # fmt: skip
