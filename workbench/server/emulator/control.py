"""The emulator's own addresses: the faults in force, changeable while it runs, and what was asked so far.

GET  /emulator/faults      what is in force, and every fault that there is
POST /emulator/faults      {"faults": ["openai=rate_limit"], "seed": 1} replaces them; counting begins anew
GET  /emulator/requests    counts by provider
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from workbench.boundary import strict_json
from workbench.engine.faults import FAULTS, parse_faults
from workbench.errors import Finding, WorkbenchError
from workbench.server.emulator.dialects.text import js
from workbench.server.emulator.wire import Request, whole

if TYPE_CHECKING:
    from workbench.server.emulator.emulator import Emulator

SCHEMA: Final = 1
_KEYS: Final = frozenset(("faults", "seed"))


def control(emulator: Emulator, request: Request) -> bytes:
    """The answer of one of these addresses."""
    if b"origin" in request.headers:  # a page in a browser has no business here
        return _wrong(403, [Finding("a web page may not do this", "emulator_origin")])
    match request.target.partition("?")[0], request.method:
        case "/emulator/faults", "GET":
            return whole(200, js(faults_document(emulator)))
        case "/emulator/faults", "POST":
            return _replace(emulator, request.body)
        case "/emulator/requests", "GET":
            return whole(200, js(requests_document(emulator)))
        case _:
            hint = "GET or POST /emulator/faults, GET /emulator/requests"
            return _wrong(404, [Finding("the emulator has no such address", "emulator_address", hint=hint)])


def faults_document(emulator: Emulator) -> dict[str, Any]:
    """What is in force, and what there is."""
    kinds = [{"name": kind.name, "form": kind.form, "help": kind.help} for kind in FAULTS.values()]
    faults = [str(fault) for fault in emulator.plan.faults]
    return {"schema": SCHEMA, "seed": emulator.plan.seed, "faults": faults, "kinds": kinds}


def requests_document(emulator: Emulator) -> dict[str, Any]:
    """Counts by provider, in order of their names."""
    providers = {
        name: {
            "requests": counts.requests,
            "streamed": counts.streamed,
            "faulted": counts.faults.total(),
            "faults": dict(sorted(counts.faults.items())),
            "models": dict(sorted(counts.models.items())),
        }
        for name, counts in sorted(emulator.providers.items())
    }
    return {"schema": SCHEMA, "requests": emulator.requests, "providers": providers}


def _replace(emulator: Emulator, body: bytes) -> bytes:
    try:
        document: object = strict_json.loads(body, source="<request>")
        if not isinstance(document, dict):
            return _wrong(400, [Finding("the body is no JSON object", "emulator_body")])
        told = cast("dict[str, Any]", document)
        findings = _shape(told)
        if findings:
            return _wrong(400, findings)
        faults = parse_faults(told["faults"], emulator.names)
    except WorkbenchError as error:
        return _wrong(400, error.findings or (Finding(error.title, "emulator_body"),))
    emulator.replace(faults, seed=told.get("seed"))
    return whole(200, js(faults_document(emulator)))


def _shape(told: Mapping[str, Any]) -> list[Finding]:
    found = [
        Finding(f"`{name[:80]}` is not known here", "emulator_body", hint="known are `faults` and `seed`")
        for name in sorted(told.keys() - _KEYS)
    ]
    faults: object = told.get("faults")
    if not isinstance(faults, list) or not all(isinstance(fault, str) for fault in cast("list[Any]", faults)):
        found.append(Finding("`faults` is no list of texts", "emulator_body", hint='write ["openai=rate_limit"]'))
    seed = told.get("seed", 0)
    if isinstance(seed, bool) or not isinstance(seed, int):
        found.append(Finding("`seed` is no whole number", "emulator_body"))
    return found


def _wrong(status: int, findings: Any) -> bytes:
    told = [{"code": each.code, "reason": each.reason, "hint": each.hint} for each in findings]
    return whole(status, js({"schema": SCHEMA, "error": {"title": "not done", "findings": told}}))
