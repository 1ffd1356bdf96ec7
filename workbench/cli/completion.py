"""What the shell may complete: tenant ids by file name, offers from the catalog. Never fails, never speaks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from workbench.cli.invocation import Invocation
from workbench.errors import WorkbenchError

MOST = 200
"""Most suggestions; a shell can't show more."""


def complete_tenant(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Ids of the tenants of the workspace, read from file names alone."""
    return [name for name in sorted(_tenant_ids(ctx)) if name.startswith(incomplete)][:MOST]


def complete_offer(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Ids of the catalog's offers that contain what is typed."""
    from workbench.cli.catalog.source import workspace_catalog

    try:
        names = workspace_catalog(_invocation(ctx)).offer_ids
    except WorkbenchError:
        return []
    return [name for name in names if incomplete in name][:MOST]


def _invocation(ctx: click.Context) -> Invocation:
    found = ctx.find_object(Invocation)
    return found if found is not None else Invocation()


def _tenant_ids(ctx: click.Context) -> Iterator[str]:
    from workbench.cli.catalog.source import workspace_settings

    try:
        root = _invocation(ctx).root()
        folder = root / Path(workspace_settings(root).tenants)
    except WorkbenchError:
        return
    yield from (path.stem for path in folder.glob("*.toml"))
