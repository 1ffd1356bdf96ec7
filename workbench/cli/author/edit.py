"""`workbench edit`: one change of a clause, what it would move, and the save where that is asked for.

Everything that the app does to clauses, for scripts. Nothing is written without `--save`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click

from workbench.cli import diagnostics
from workbench.cli.completion import complete_tenant
from workbench.cli.invocation import Invocation, declare
from workbench.cli.layout import Table
from workbench.cli.output import Output, counted, dollars
from workbench.cli.shapes import finite
from workbench.errors import TenantError
from workbench.rulebook.reader import SLOTS, Slot
from workbench.rulebook.schema import Fact, TenantField
from workbench.session.edits import (
    AddClause,
    DeleteClause,
    DuplicateClause,
    Edit,
    EditClause,
    MoveClause,
    NegateClause,
    RevertOverride,
    ToggleClause,
)
from workbench.session.evaluation import Movement, Outcome
from workbench.session.session import Preview, Session
from workbench.session.state import WorkspaceState
from workbench.session.targets import Scope
from workbench.session.tenant_edits import EditFact, EditSlot

_WORDS = {
    "same": "same winner", "dearer": "dearer", "cheaper": "cheaper", "moved": "another winner", "lost": "nobody left",
    "gained": "somebody again",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Request:
    """What the arguments ask for."""

    tenant: str
    clause: str | None
    text: str | None
    scope: Scope | None
    actions: dict[str, Any]
    """The options that say what to do instead of a new text; at most one."""


@declare("edit", "Change a clause and see which tenants move.")
@click.argument("tenant", shell_complete=complete_tenant)
@click.argument("clause", required=False)
@click.argument("text", required=False)
@click.option("--scope", type=click.Choice(["rule", "tenant"]), help="Everyone under the rule, or this tenant only.")
@click.option("--add", metavar="TEXT", help="Add a clause for the tenant; to a rule with --scope rule.")
@click.option("--toggle", is_flag=True, help="Switch the clause off, or on again.")
@click.option("--negate", is_flag=True, help="Turn the clause into its opposite.")
@click.option("--duplicate", is_flag=True, help="Add a copy of the clause.")
@click.option("--delete", is_flag=True, help="Take the clause out.")
@click.option("--revert", is_flag=True, help="Take an override back to the rule.")
@click.option("--move", type=click.Choice(["-1", "1"]), help="Move the clause up or down in the funnel.")
@click.option("--fact", metavar="NAME=VALUE", help="Another value for a fact of the tenant; no VALUE makes it unknown.")
@click.option("--save", is_flag=True, help="Write the change to the workspace; without it nothing is written.")
def command(
    invocation: Invocation, tenant: str, clause: str | None, text: str | None, scope: Scope | None, save: bool,
    **actions: Any,
) -> int:  # fmt: skip
    """Change CLAUSE of TENANT to TEXT, and see which tenants it moves. Nothing is written without --save.

    CLAUSE is an id, which `workbench compile TENANT --explain` shows, or a slot: rank, select, transform, fallback.
    """
    session = Session(invocation.open())
    _readable(session, tenant)
    request = Request(tenant, clause, text, scope, {name: value for name, value in actions.items() if value})
    edit = edit_of(request, session.state)
    preview = session.commit(edit)
    moved = {key: preview.movements[key] for key in sorted(preview.movements) if preview.movements[key].moved}
    report = session.save() if save else None
    written = () if report is None else report.written
    conflicts = () if report is None else report.conflicts
    if invocation.as_json:
        body = {
            "tenant": tenant, "edit": edit.title, "touched": list(preview.touched),
            "moved": [_moved_json(session.state, key, one) for key, one in moved.items()], "saved": report is not None,
            "files": [str(path) for path in written], "conflicts": [str(path) for path in conflicts],
        }  # fmt: skip
        invocation.output.document(body)
        return diagnostics.OK
    _show(invocation.output, session.state, edit.title, preview, moved)
    for path in written:
        invocation.output.line(f"wrote {path}")
    for path in conflicts:
        invocation.output.line(f"another program's version is kept as {path}")
    if not save:
        invocation.note("nothing is written; add --save")
    return diagnostics.OK


def _readable(session: Session, tenant: str) -> None:
    for broken in session.workspace.broken:
        if broken.path.stem == tenant:
            raise TenantError(f"tenant `{tenant}` can't be read", broken.findings)


def edit_of(request: Request, state: WorkspaceState) -> Edit:
    """The edit that the arguments ask for. Raises `UsageError` where they ask for none, or for two."""
    asked = [*request.actions, *(["TEXT"] if request.text is not None else [])]
    if len(asked) != 1:
        what = "more than one change" if asked else "no change"
        hint = "give TEXT, or one of --add --toggle --negate --duplicate --delete --revert --move --fact"
        raise diagnostics.usage(f"{what} is asked for", hint=hint)
    if "fact" in request.actions:
        return _fact_edit(request, state)
    if "add" in request.actions:
        scope: Scope = request.scope or "tenant"
        return AddClause(request.tenant, request.actions["add"], scope, request.clause)
    if request.clause is None:
        raise diagnostics.usage(
            "`CLAUSE` is missing", hint=f"`workbench compile {request.tenant} --explain` lists them"
        )
    return _clause_edit(request, request.clause, state)


def _clause_edit(request: Request, clause: str, state: WorkspaceState) -> Edit:
    tenant = request.tenant
    scope: Scope = request.scope or "rule"
    if request.text is not None:
        if clause in SLOTS[1:]:
            return _slot_edit(request, clause, request.text, state)
        return EditClause(tenant, clause, scope, request.text)
    kinds = {"toggle": ToggleClause, "negate": NegateClause, "duplicate": DuplicateClause, "delete": DeleteClause}
    action = next(iter(request.actions))
    if action == "move":
        return MoveClause(tenant, clause, scope, int(request.actions["move"]))
    if action == "revert":
        return RevertOverride(tenant, clause)
    return kinds[action](tenant, clause, scope)


def _slot_edit(request: Request, slot: Slot, text: str, state: WorkspaceState) -> Edit:
    """What stands in a slot: where the rule sets it, or for this tenant alone."""
    if request.scope == "rule":
        from workbench.rulebook.compile import compile_policy

        known = state.tenant(request.tenant)
        compiled = compile_policy(known, state.rulebook, state.vocabulary, envelope=state.envelope)
        return EditClause(request.tenant, compiled.slots[slot].id, "rule", text)
    return EditSlot(request.tenant, slot, text)


def _fact_edit(request: Request, state: WorkspaceState) -> Edit:
    name, sign, value = request.actions["fact"].partition("=")
    if not sign:
        raise diagnostics.usage("`--fact` can't be used: there is no `=` in it", hint="write `--fact plan=vip`")
    field = state.rulebook.schema.fields.get(name)
    return EditFact(request.tenant, name, None if value == "" else _fact(field, value))


def _fact(field: TenantField | None, value: str) -> Fact:
    """The text as a value of the field's kind; where it is none, the edit itself says so."""
    kind = "text" if field is None else field.kind
    if kind == "flag":
        return {"true": True, "yes": True, "false": False, "no": False}.get(value, value)
    if kind == "list":
        return tuple(part.strip() for part in value.split(",") if part.strip())
    if kind == "number":
        try:
            return float(value)
        except ValueError:
            return value
    return value


def _show(output: Output, state: WorkspaceState, title: str, preview: Preview, moved: dict[str, Movement]) -> None:
    output.heading(f"{title}: touches {counted(len(preview.touched), 'tenant')}, moves {len(moved)}")
    headings = ("tenant", "change", "before", "$/run", "after", "$/run after")
    output.table(Table(headings, list(_rows(state, moved)), frozenset(("$/run", "$/run after"))))


def _rows(state: WorkspaceState, moved: dict[str, Movement]) -> Iterator[tuple[str, ...]]:
    for key, one in moved.items():
        before, after = one.before, one.after
        yield (
            key, f"{one.sign} {_WORDS[one.direction]}", _winner(state, before) or "nobody", _cost(before),
            _winner(state, after) or "nobody", _cost(after),
        )  # fmt: skip


def _winner(state: WorkspaceState, outcome: Outcome | None) -> str | None:
    return None if outcome is None or outcome.winner is None else state.catalog.offer_id(outcome.winner)


def _cost(outcome: Outcome | None) -> str:
    return "-" if outcome is None or outcome.winner is None else dollars(outcome.cost_per_run)


def _moved_json(state: WorkspaceState, key: str, one: Movement) -> dict[str, Any]:
    return {
        "tenant": key,
        "direction": one.direction,
        "before": _outcome_json(state, one.before),
        "after": _outcome_json(state, one.after),
    }


def _outcome_json(state: WorkspaceState, outcome: Outcome | None) -> dict[str, Any] | None:
    if outcome is None:
        return None
    return {
        "winner": _winner(state, outcome),
        "cost_per_run": finite(outcome.cost_per_run),
        "survivors": outcome.survivors,
        "providers": outcome.providers,
        "findings": [diagnostics.finding_json(finding) for finding in outcome.errors],
    }
