"""The one registry of actions: footer, palette, help, keymap and docs all read it.

Owns ids, keys and words; what an action does belongs to the screen that binds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Where = Literal["everywhere", "tenants", "clauses", "decision", "policy", "editor"]


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a person can do by key."""

    id: str
    """Stable: keymaps name it."""
    keys: tuple[str, ...]
    """Textual key names; the first is the one shown."""
    title: str
    """A word or two for the footer."""
    help: str
    """One sentence, for help and palette."""
    where: Where = "everywhere"
    footer: bool = False
    """Shown in the footer."""
    command: str | None = None
    """The command that does the same, where there is one."""


ACTIONS: tuple[Action, ...] = (
    Action("tenants.show", ("1",), "tenants", "go to the tenants"),
    Action("clauses.show", ("2",), "clauses", "go to the selected tenant's clauses"),
    Action("decision.show", ("3",), "decision", "go to the decision", command="rank TENANT"),
    Action("policy.show", ("4",), "policy_ir", "go to the policy on the wire", command="compile TENANT"),
    Action("tenants.sort", ("o",), "sort", "sort by the next column", "tenants", command="tenants --sort COLUMN"),
    Action("list.filter", ("slash",), "filter", "show only the rows that contain a text"),
    Action("clause.edit", ("e",), "edit", "edit the clause as text", footer=True, command="edit TENANT CLAUSE TEXT"),
    Action("clause.add", ("a",), "add", "add a clause", footer=True, command="edit TENANT --add TEXT"),
    Action(
        "clause.toggle",
        ("space",),
        "on/off",
        "switch the clause off or on",
        "clauses",
        True,
        "edit TENANT CLAUSE --toggle",
    ),
    Action(
        "clause.duplicate",
        ("d",),
        "duplicate",
        "add a copy of the clause",
        "clauses",
        command="edit TENANT CLAUSE --duplicate",
    ),
    Action(
        "clause.negate",
        ("n",),
        "negate",
        "turn the clause into its opposite",
        "clauses",
        command="edit TENANT CLAUSE --negate",
    ),
    Action(
        "clause.delete",
        ("delete", "backspace"),
        "delete",
        "delete the clause",
        "clauses",
        command="edit TENANT CLAUSE --delete",
    ),
    Action(
        "clause.up",
        ("shift+up", "K"),
        "move up",
        "move the clause up",
        "clauses",
        command="edit TENANT CLAUSE --move -1",
    ),
    Action(
        "clause.down",
        ("shift+down", "J"),
        "move down",
        "move the clause down",
        "clauses",
        command="edit TENANT CLAUSE --move 1",
    ),
    Action(
        "clause.revert",
        ("v",),
        "revert",
        "take an override back to the rule",
        "clauses",
        command="edit TENANT CLAUSE --revert",
    ),
    Action("clause.taken", ("t",), "taken", "list only the offers that the clause removes; esc lists all", "clauses"),
    Action(
        "edit.scope",
        ("ctrl+t",),
        "rule/tenant",
        "switch whom edits are for: everyone under the rule, or this tenant only",
        footer=True,
    ),
    Action(
        "policy.edit",
        ("e",),
        "edit JSON",
        "edit the policy as JSON; what changes becomes overrides of this tenant",
        "policy",
        footer=True,
    ),
    Action(
        "fact.edit",
        ("f",),
        "facts",
        "see the tenant's facts and try another value for one; u takes it back",
        command="edit TENANT --fact NAME=VALUE",
    ),
    Action(
        "why.ask",
        ("w",),
        "why not",
        "pick any offer and see every clause's verdict on it",
        footer=True,
        command="explain TENANT OFFER",
    ),
    Action("edit.undo", ("u",), "undo", "undo the last edit", footer=True),
    Action("edit.redo", ("ctrl+r",), "redo", "redo what was undone"),
    Action("workspace.save", ("s", "ctrl+s"), "save", "save the rulebook and the tenants that changed", footer=True),
    Action("workspace.reload", ("f5",), "reload", "read the workspace from disk again"),
    Action(
        "policy.export",
        ("x",),
        "export",
        "write the policy and its sources to files",
        footer=True,
        command="export TENANT",
    ),
    Action("copy", ("y",), "copy", "copy what the cursor is on"),
    Action("help.show", ("question_mark",), "help", "keys and words for where you are", footer=True),
    Action("app.quit", ("q", "ctrl+q"), "quit", "leave; asks where something is not saved"),
)

BY_ID: dict[str, Action] = {action.id: action for action in ACTIONS}


def actions_for(where: Where) -> tuple[Action, ...]:
    """The actions that work at a place, those that work everywhere included; a place's own keys come first."""
    taken = {key for action in ACTIONS if action.where == where != "everywhere" for key in action.keys}
    return tuple(
        action
        for action in ACTIONS
        if action.where == where or (action.where == "everywhere" and taken.isdisjoint(action.keys))
    )
