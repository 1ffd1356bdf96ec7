"""A policy as it comes with a request: lowered, admitted, runnable here, inside the envelope; or refused in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, cast

from workbench.boundary.sanitiser import one_line
from workbench.errors import AdmissionError, Finding, NotRunnable, Place
from workbench.language.admission import Admitted, check, compose, find
from workbench.language.flow import MAX_FLOW_NODES, AdmittedFlow, check_flow, find_flow
from workbench.language.lowering import lower
from workbench.language.runnable import DEFAULT_HOST, Host, require_runnable
from workbench.language.vocabulary import Vocabulary
from workbench.server.x.refusal import because

AT_ADMISSION: Final = "policy_ir rejected at admission"
NOT_RUNNABLE: Final = "policy_ir can't run here"


def admit_policy(
    term: object, vocabulary: Vocabulary, envelope: Admitted | None = None, host: Host = DEFAULT_HOST
) -> Admitted:
    """The policy, inside `envelope` where there is one. Raises `Refused` (400 `invalid_policy`) with all findings."""
    admitted = admit_term(term, vocabulary)
    try:
        require_runnable(admitted, host)
    except NotRunnable as error:
        errors = [finding for finding in error.findings if finding.severity == "error"]
        raise because(400, "invalid_policy", NOT_RUNNABLE, errors) from None
    if envelope is None:
        return admitted
    try:
        return compose(admitted, envelope, vocabulary)
    except AdmissionError as error:
        raise because(400, "invalid_policy", AT_ADMISSION, error.findings) from None


def admit_term(term: object, vocabulary: Vocabulary) -> Admitted:
    """The policy as it stands, admitted. Raises `Refused` (400 `invalid_policy`)."""
    plain: object = term
    try:
        plain = lower(term, vocabulary)
        return check(plain, vocabulary, sort="Policy")
    except AdmissionError as error:
        found = find(plain, vocabulary, sort="Policy") or error.findings
        if error.findings[0] not in found:  # a spelling that could not be lowered
            found = error.findings
    raise because(400, "invalid_policy", AT_ADMISSION, found)


def admit_flow(term: object, vocabulary: Vocabulary) -> AdmittedFlow:
    """The flow, admitted. Raises `Refused` (400 `invalid_flow`) with all findings."""
    plain, found = _lowered(term, vocabulary)
    try:
        if not found:
            return check_flow(plain, vocabulary)
    except AdmissionError:
        pass
    said = tuple(f"{each.place.path}".partition(".policy")[0] + ".policy" for each in found)
    others = [each for each in find_flow(plain, vocabulary) if not f"{each.place.path}".startswith(said)]
    raise because(400, "invalid_flow", "flow_ir rejected at admission", (*found, *others))


def _lowered(term: object, vocabulary: Vocabulary) -> tuple[object, list[Finding]]:
    """The flow with its nodes' policies in plain terms, and what could not be lowered; what is no flow, as it is."""
    found: list[Finding] = []
    items: list[Any] = cast("list[Any]", term) if isinstance(term, list) else []
    if len(items) != 2 or not isinstance(items[1], dict) or len(cast("dict[str, Any]", items[1])) > MAX_FLOW_NODES:
        return cast("object", term), found
    nodes: dict[str, Any] = {}
    for name, node in cast("dict[str, Any]", items[1]).items():
        nodes[name] = node
        if isinstance(node, dict) and "policy" in node:
            record = cast("dict[str, Any]", node)
            try:
                nodes[name] = {**record, "policy": lower(record["policy"], vocabulary)}
            except AdmissionError as error:
                for each in error.findings:
                    path = f"$.flow[1].{one_line(name, limit=40)}.policy{(each.place.path or '$')[1:]}"
                    found.append(replace(each, place=Place(path=path)))
    return [items[0], nodes], found
