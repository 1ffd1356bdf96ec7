"""The options that say what is supposed to be different, and the change that they make."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import click

from workbench.cli.invocation import Invocation
from workbench.errors import TenantError, WorkbenchError
from workbench.rulebook.schema import Fact
from workbench.rulebook.tenant import Tenant
from workbench.session.state import WorkspaceState
from workbench.session.workspace import Workspace, default_workload
from workbench.whatif.changes import Changes, apply_changes, read_clauses, read_facts, with_clause, with_facts

Command = Callable[..., Any]
T = TypeVar("T")


def csv_option(function: Command) -> Command:
    """`--csv`."""
    return click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values.")(function)


def change_options(function: Command) -> Command:
    """`--set`, `--unset`, `--rule`, `--clause` and `--without`, each as often as one likes."""
    options = (
        click.option("--set", "sets", multiple=True, metavar="NAME=VALUE",
                     help="Another fact: `plan=vip`, `approved_providers=a,b`; += and -= for entries of a list."),
        click.option("--unset", "unsets", multiple=True, metavar="NAME", help="As if the tenant did not state it."),
        click.option("--rule", "rules", multiple=True, metavar="CLAUSE=TEXT",
                     help="Another text for a rule's clause, for everyone; a number alone is its new bound."),
        click.option("--clause", "clauses", multiple=True, metavar="CLAUSE=TEXT",
                     help="Another text for a clause, for this tenant alone."),
        click.option("--without", "off", multiple=True, metavar="CLAUSE", help="A rule's clause switched off."),
    )  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


def changes_of(workspace: Workspace, tenant: str | None, options: dict[str, Sequence[str]]) -> Changes:
    """The change that the options ask for. Raises `UsageError` with every word that can't be read."""
    state = workspace.state
    wanted = state.tenant(tenant) if tenant is not None else None
    refused: list[WorkbenchError] = []
    facts = _tried(lambda: _facts(wanted, state, options), refused)
    rules = _tried(lambda: read_clauses(options["rules"], options["off"]), refused)
    own = _tried(lambda: read_clauses(options["clauses"], tenant_only=True), refused)
    if facts and wanted is not None:
        _tried(partial(with_facts, wanted, facts, state.rulebook), refused)
    for clause in rules or ():
        _tried(partial(with_clause, state.rulebook, clause), refused)
    if refused:
        refused[0].findings = tuple(finding for error in refused for finding in error.findings)
        raise refused[0]
    changes = Changes(facts or {}, (*(rules or ()), *(own or ())))
    apply_changes(state, tenant, changes, default_workload(workspace.settings))
    return changes


def _tried(read: Callable[[], T], refused: list[WorkbenchError]) -> T | None:
    """What `read` gives; what it refuses is kept, so that everything wrong is told at once."""
    try:
        return read()
    except WorkbenchError as error:
        refused.append(error)
        return None


def _facts(tenant: Tenant | None, state: WorkspaceState, options: dict[str, Sequence[str]]) -> dict[str, Fact | None]:
    if tenant is None:
        if options["sets"] or options["unsets"]:
            from workbench.cli import diagnostics

            raise diagnostics.usage("`TENANT` is missing", hint="facts are those of one tenant: name it first")
        return {}
    return read_facts(tenant, state.rulebook, options["sets"], options["unsets"])


def readable(workspace: Workspace, tenants: Sequence[str]) -> None:
    """Raises `TenantError` for a tenant whose file can't be read, with what is wrong in it."""
    for broken in workspace.broken:
        if broken.path.stem in tenants:
            raise TenantError(f"tenant `{broken.path.stem}` can't be read", broken.findings)


def told_broken(invocation: Invocation, workspace: Workspace) -> bool:
    """Tell the tenant files that can't be read, which an answer about all tenants leaves out; gives whether any is."""
    invocation.complain([finding for file in workspace.broken for finding in file.findings])
    return bool(workspace.broken)


def broken_json(workspace: Workspace) -> list[dict[str, Any]]:
    """The same for JSON."""
    return [
        {"file": file.path.name, "findings": [finding.as_document() for finding in file.findings]}
        for file in workspace.broken
    ]
