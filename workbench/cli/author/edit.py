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
from workbench.cli.shapes import finite, winner_words
from workbench.errors import Finding, TenantError
from workbench.rulebook.reader import SLOTS, Slot
from workbench.rulebook.schema import Fact, TenantField
from workbench.rulebook.tenant import Tenant
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
from workbench.session.saving import SaveReport
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


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom an edit is for."""

    scope: Scope
    rule: str | None
    words: str


@dataclass(frozen=True, slots=True)
class Made:
    """An edit that was made, and what came of it."""

    title: str
    reach: Reach
    preview: Preview
    report: SaveReport | None

    @property
    def moved(self) -> dict[str, Movement]:
        """The tenants with another winner or price, by id."""
        movements = self.preview.movements
        return {key: movements[key] for key in sorted(movements) if movements[key].moved}

    @property
    def errors(self) -> list[Finding]:
        """Why tenants that the edit is about have no policy after it."""
        about = sorted({*self.moved, *self.preview.touched})
        return [finding for key in about for finding in self.preview.movements[key].after.errors]


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
    before = session.state
    edit = edit_of(request, before)
    preview = session.commit(edit)
    made = Made(edit.title, reach(tenant, before, preview), preview, session.save() if save else None)
    if invocation.as_json:
        invocation.output.document(_document(session.state, tenant, made))
    else:
        _show(invocation.output, session.state, made)
        invocation.complain(made.errors)
        if not save:
            invocation.note("nothing is written; add --save")
    return diagnostics.FINDINGS if made.errors else diagnostics.OK


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
        if scope == "rule" and request.clause is None:
            raise diagnostics.usage("`CLAUSE` is missing", hint="name a clause of the rule that the new one goes to")
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


def reach(tenant: str, before: WorkspaceState, preview: Preview) -> Reach:
    """Whom the edit is for, as what it changed tells: everyone under a rule, or one tenant."""
    after = preview.state or before
    if after.rulebook is before.rulebook:
        return Reach(
            "tenant", None, f"for tenant `{tenant}` only{_kept_as(before.tenant(tenant), after.tenant(tenant))}"
        )
    many = counted(len(preview.touched), "tenant")
    changed = [rule.id for rule in after.rulebook.rules if before.rulebook.by_id.get(rule.id) != rule]
    if changed:
        return Reach("rule", changed[0], f"for the rule `{changed[0]}` ({many})")
    defaults = after.rulebook.default_rule != before.rulebook.default_rule
    return Reach("rule", None, f"for the {'defaults' if defaults else 'rules'} of the rulebook ({many})")


def _kept_as(before: Tenant, after: Tenant) -> str:
    new = [override for override in after.overrides if override not in before.overrides]
    if not new:
        return ""
    own = all(override.rule is None and override.slot == "filter" for override in new)
    return " (a clause of its own)" if own else " (an override)"


def _document(state: WorkspaceState, tenant: str, made: Made) -> dict[str, Any]:
    report = made.report
    return {
        "tenant": tenant,
        "edit": made.title,
        "scope": made.reach.scope,
        "rule": made.reach.rule,
        "touched": list(made.preview.touched),
        "moved": [_moved_json(state, key, one) for key, one in made.moved.items()],
        "errors": [finding.as_document() for finding in made.errors],
        "saved": report is not None,
        "files": [] if report is None else [str(path) for path in report.written],
        "conflicts": [] if report is None else [str(path) for path in report.conflicts],
    }


def _show(output: Output, state: WorkspaceState, made: Made) -> None:
    output.heading(f"{made.title}, {made.reach.words}: moves {counted(len(made.moved), 'tenant')}")
    headings = ("tenant", "change", "before", "$/run", "after", "$/run after")
    output.table(Table(headings, list(_rows(state, made.moved)), frozenset(("$/run", "$/run after"))))
    if made.report is not None:
        for path in made.report.written:
            output.line(f"wrote {path}")
        for path in made.report.conflicts:
            output.line(f"another program's version is kept as {path}")


def _rows(state: WorkspaceState, moved: dict[str, Movement]) -> Iterator[tuple[str, ...]]:
    for key, one in moved.items():
        before, after = one.before, one.after
        yield (
            key, f"{one.sign} {_change(one)}", winner_words(state, before), _cost(before),
            winner_words(state, after), _cost(after),
        )  # fmt: skip


def _change(one: Movement) -> str:
    return "no policy" if one.after.compiled is None else _WORDS[one.direction]


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
        "errors": [finding.as_document() for finding in outcome.errors],
    }
