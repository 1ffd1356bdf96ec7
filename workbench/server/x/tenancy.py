"""Whose policy a request means: a tenant of the workspace, or a tenant state that came with the request."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final, cast

from workbench.errors import CompileError, TenantError
from workbench.rulebook.compile import Compiled, compile_policy
from workbench.rulebook.tenant import Tenant, parse_tenant
from workbench.server.errors import Refused
from workbench.server.hooks import Caller
from workbench.server.state import ServerState
from workbench.server.x.refusal import because, refused, shapeless
from workbench.session.workspace import default_workload

NOT_ALLOWED: Final = "caller_tenant_not_allowed"
SOURCE: Final = "tenant_state"
STATE_ID: Final = "request"
"""The id of a tenant state that states none."""
_DOCUMENT: Final = frozenset(("id", "title", "note", "facts", "workload", "override"))


def tenant_of(body: Mapping[str, Any], state: ServerState, caller: Caller) -> Tenant | None:
    """The tenant that `tenant` or `tenant_state` means; the caller's own where both are missing or null; None: nobody.

    Raises `Refused`: 403 where the caller may not speak for it, 404 for an unknown one, 422 for what is no state.
    """
    wanted, stated = body.get("tenant"), body.get("tenant_state")
    if wanted is not None and stated is not None:
        raise refused(400, "invalid_request", "give `tenant` or `tenant_state`, not both")
    if stated is not None:
        return _stated(stated, state, caller)
    if wanted is None:
        wanted = caller.tenant
    if wanted is None:
        if caller.tenants is not None:
            message = "this token may not ask for nobody; name one of its tenants in `tenant`"
            raise Refused(403, NOT_ALLOWED, message, "auth_error")
        return None
    if not isinstance(wanted, str):
        raise shapeless(("string_type", ("body", "tenant"), "Input should be a valid string", None))
    if not may_speak_for(caller, wanted):
        raise forbidden(wanted)
    tenant = state.tenants.get(wanted)
    if tenant is None:
        broken = next((file for file in state.workspace.broken if file.path.stem == wanted), None)
        if broken is not None:
            raise because(409, "tenant_broken", f"tenant `{wanted}` can't be read", broken.findings)
        close = get_close_matches(wanted[:64], [name for name in state.tenants if may_speak_for(caller, name)], 1)
        hint = f": did you mean `{close[0]}`?" if close else ""
        raise refused(404, "tenant_not_found", f"there is no tenant `{wanted}`{hint}")
    return tenant


def scope_of(tenant: Tenant | None, caller: Caller) -> str:
    """Whose breakers and disables hold for a call; no two tenants and no caller share one."""
    if tenant is not None and tenant.source != SOURCE:
        return tenant.id
    return f"caller:{caller.id}:{'' if tenant is None else tenant.id}"


def name_of(tenant: Tenant | None, caller: Caller) -> str:
    """Under which name a call is kept and counted: a tenant's id, where it is one of the workspace.

    A state that came along is `state:ID`, a caller without a tenant `caller:ID`: no tenant's id can equal these, so
    that nobody who is bound to a tenant reads them, whatever the tenant is called.
    """
    if tenant is None:
        return f"caller:{caller.id[:64]}"
    return f"state:{tenant.id}" if tenant.source == SOURCE else tenant.id


def may_speak_for(caller: Caller, tenant: str) -> bool:
    """Whether a caller may call in the name of a tenant."""
    return caller.tenants is None or tenant in caller.tenants


def forbidden(tenant: str) -> Refused:
    """403: the token is for other tenants."""
    return Refused(
        403, "caller_tenant_not_allowed", f"this token may not call for tenant `{tenant[:128]}`", "auth_error"
    )


def _stated(value: object, state: ServerState, caller: Caller) -> Tenant:
    """A state that came along. Who is bound to tenants may not make one up: it would choose its own rules."""
    if caller.tenants is not None:
        message = "this token is bound to tenants of the workspace, and may not bring a tenant state of its own"
        raise Refused(403, NOT_ALLOWED, message, "auth_error")
    if not isinstance(value, dict):
        raise shapeless(("dict_type", ("body", "tenant_state"), "Input should be a valid dictionary", None))
    given = cast("dict[str, Any]", value)
    document = given if "facts" in given or given.keys() <= _DOCUMENT else {"facts": given}
    try:
        return parse_tenant(
            document,
            source=SOURCE,
            text=None,
            schema=state.session.rulebook.schema,
            file_id=STATE_ID,
            workload=default_workload(state.workspace.settings),
        )
    except TenantError as error:
        raise because(400, "invalid_tenant_state", "tenant_state can't be used", error.findings) from None


def compiled_for(tenant: Tenant, state: ServerState) -> Compiled:
    """The tenant's policy inside the envelope. Raises `Refused` 409 where tenant and rulebook give none."""
    session = state.session
    stated = tenant.source == SOURCE
    try:
        return compile_policy(tenant, session.rulebook, session.vocabulary, envelope=session.envelope)
    except CompileError as error:
        code = "invalid_tenant_state" if stated else "tenant_without_policy"
        raise because(400 if stated else 409, code, error.title, error.findings) from None
