"""`workbench token revoke`: end a token for good."""

from __future__ import annotations

import click

from workbench.cli import diagnostics
from workbench.cli.invocation import Invocation, declare
from workbench.cli.tokens.shown import iso, now_ms, opened, tokens_option


@declare("revoke", "End a token for good.")
@click.argument("token")
@tokens_option()
def command(invocation: Invocation, token: str, place: str | None) -> int:
    """End TOKEN (its name, its id or a beginning of it). A running endpoint refuses it within two seconds."""
    with opened(invocation, place, there=True) as tokens:
        found = tokens.one(token)
        now = now_ms()
        tokens.revoke(found, now)
    was = found.revoked_ms
    if invocation.as_json:
        invocation.output.document({"id": found.id, "name": found.name, "revoked": iso(was or now)})
    elif was is not None:
        invocation.output.line(f"{found.id} ({found.name}) was revoked {iso(was)}")
    else:
        invocation.output.line(f"{found.id} ({found.name}) is revoked")
    return diagnostics.OK
