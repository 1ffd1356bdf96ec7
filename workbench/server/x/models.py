"""`GET /v1/models`: what may stand in `model`, in one order: profiles, then model families."""

from __future__ import annotations

from typing import Any

from workbench.errors import WorkspaceError
from workbench.server.state import ServerState


def models_json(state: ServerState) -> dict[str, Any]:
    """The list as OpenAI's clients read it. `created` is the catalog's day, `owned_by` says what kind of name it is."""
    try:
        profiles = list(state.profiles)
    except WorkspaceError:  # a call says why; a list names what there is
        profiles = []
    families = sorted({offer.model for offer in state.session.catalog.offers})
    created = _day(state.session.catalog.date)
    rows = [_row(f"profile:{name}", created, "profile") for name in profiles]
    rows += [_row(f"family:{name}", created, "family") for name in families]
    return {"object": "list", "data": rows}


def model_json(state: ServerState, wanted: str) -> dict[str, Any] | None:
    """One of them; None where there is none of that name."""
    return next((row for row in models_json(state)["data"] if row["id"] == wanted), None)


def _row(name: str, created: int, kind: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": created, "owned_by": kind}


def _day(date: str) -> int:
    """Seconds since 1970 of a day `YYYY-MM-DD`; 0 for another text."""
    from datetime import UTC, datetime  # noqa: PLC0415 - once for each list

    try:
        return int(datetime.strptime(date, "%Y-%m-%d").replace(tzinfo=UTC).timestamp())
    except ValueError:
        return 0
