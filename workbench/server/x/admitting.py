"""A policy as it comes with a request: lowered, admitted, runnable here, inside the envelope; or refused in words."""

from __future__ import annotations

from typing import Final

from workbench.errors import AdmissionError, NotRunnable
from workbench.language.admission import Admitted, check, compose, find
from workbench.language.flow import AdmittedFlow, check_flow, find_flow
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
    try:
        return check_flow(term, vocabulary)
    except AdmissionError:
        found = find_flow(term, vocabulary)
    raise because(400, "invalid_flow", "flow_ir rejected at admission", found)
