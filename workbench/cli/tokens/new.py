"""`workbench token new`: make a token, and show its secret this once."""

from __future__ import annotations

import re
from typing import Any, Final

import click

from workbench.cli import diagnostics
from workbench.cli.completion import complete_tenant
from workbench.cli.invocation import Invocation, declare
from workbench.cli.tokens.shown import iso, now_ms, opened, token_json, tokens_option
from workbench.cli.usage import Finite

_SPAN: Final = re.compile(r"([1-9][0-9]{0,4})([hdw])")
_HOURS: Final = {"h": 1, "d": 24, "w": 168}
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._@-]{0,63}")
MOST_BUDGET: Final = 1e6


@declare("new", "Make a token; its secret is shown once.")
@click.argument("name")
@click.option(
    "--tenant",
    "tenants",
    multiple=True,
    metavar="T",
    shell_complete=complete_tenant,
    help="A tenant it may call for; again for more. Without, every tenant.",
)
@click.option("--route", "routes", multiple=True, metavar="PATH", help="A path it may ask for, and those below it.")
@click.option("--rate", type=click.IntRange(1, 10_000_000), metavar="N", help="Calls a minute.")
@click.option("--concurrency", type=click.IntRange(1, 100_000), metavar="N", help="Calls at once.")
@click.option("--budget", type=Finite(0, MOST_BUDGET), metavar="USD", help="For a calendar month, UTC.")
@click.option("--expires", metavar="SPAN", help="12h, 30d, 8w, or a day: 2027-01-31.")
@tokens_option()
def command(invocation: Invocation, name: str, place: str | None, **wanted: Any) -> int:
    """Make a token called NAME. Its secret is printed once; only a digest of it is kept.

    A token for one tenant calls in that tenant's name; one for several names the tenant in each call.
    """
    from workbench.server.callers.meant import secret_like
    from workbench.server.callers.tokens import Wanted

    if secret_like(name):
        hint = "a name is shown in every list; give one that says whose token it is"
        raise diagnostics.usage("a secret can't be a token's name", hint=hint, code="token_name")
    if not _NAME.fullmatch(name):
        hint = "letters, digits, spaces and . _ @ -, at most 64"
        raise diagnostics.usage(f"`{name}` can't be a token's name", hint=hint, code="token_name")
    tenants: tuple[str, ...] = wanted["tenants"]
    if tenants:
        state = invocation.open().state
        for tenant in tenants:
            state.tenant(tenant)
    for route in wanted["routes"]:
        _check_route(route)
    made = Wanted(
        name, tuple(dict.fromkeys(tenants)) or None, tuple(dict.fromkeys(wanted["routes"])) or None, wanted["rate"],
        wanted["concurrency"], wanted["budget"], _end_of(wanted["expires"]),
    )  # fmt: skip
    with opened(invocation, place) as tokens:
        token, secret = tokens.new(made, now_ms())
    if invocation.as_json:
        invocation.output.document({"token": secret, **token_json(token, None)})
        return diagnostics.OK
    output = invocation.output
    output.raw(f"{secret}\n")
    until = f", until {iso(token.expires_ms)}" if token.expires_ms is not None else ""
    invocation.note(f"{token.id} ({token.name}){until}; this is the only time that its secret is shown")
    return diagnostics.OK


def _check_route(route: str) -> None:
    """Raises `UsageError` for a path that this endpoint does not have."""
    from workbench.cli.usage import suggestion
    from workbench.server.x.openapi.document import OPERATIONS

    known = sorted({operation.path for operation in OPERATIONS if not operation.public})
    wanted = route.rstrip("/")
    if wanted and any(path == wanted or path.startswith(f"{wanted}/") for path in known):
        return
    hint = suggestion(route, known) or f"such as {', '.join(known[:4])}"
    raise diagnostics.usage(f"the endpoint has no path `{route}`", hint=hint, code="unknown_route")


def _end_of(text: str | None) -> int | None:
    """When a token ends, in milliseconds since 1970. Raises `UsageError`."""
    from datetime import UTC, datetime, timedelta

    if text is None:
        return None
    span = _SPAN.fullmatch(text)
    if span is not None:
        return now_ms() + int(span[1]) * _HOURS[span[2]] * 3_600_000
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC) + timedelta(days=1)
    except (ValueError, OverflowError):
        raise diagnostics.usage(f"`{text}` is no span", hint="12h, 30d, 8w or 2027-01-31", code="span") from None
    end = round(day.timestamp() * 1000)
    if end <= now_ms():
        raise diagnostics.usage(f"`{text}` is over", hint="name a day to come", code="span")
    return end
