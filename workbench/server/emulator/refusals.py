"""The errors that faults are played with: a status, and the words that each provider's API has for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Refusal:
    """One error in all the protocols' words."""

    status: int
    openai: str
    """The code."""
    anthropic: str
    """The type."""
    gemini: str
    """The status' name."""
    aws: str
    """The exception."""
    says: str

    @property
    def message(self) -> str:
        """What it says, labelled."""
        return f"emulated: {self.says}"


REFUSALS: Final[Mapping[str, Refusal]] = {
    "rate_limit": Refusal(
        429, "rate_limit_exceeded", "rate_limit_error", "RESOURCE_EXHAUSTED", "ThrottlingException",
        "too many requests",
    ),
    "timeout": Refusal(
        504, "timeout", "timeout_error", "DEADLINE_EXCEEDED", "ModelTimeoutException", "the model took too long",
    ),
    "server_error": Refusal(
        500, "server_error", "api_error", "INTERNAL", "InternalServerException", "something broke",
    ),
    "auth_error": Refusal(
        401, "invalid_api_key", "authentication_error", "UNAUTHENTICATED", "UnrecognizedClientException",
        "the key is not accepted",
    ),
    "bad_request": Refusal(
        400, "invalid_value", "invalid_request_error", "INVALID_ARGUMENT", "ValidationException",
        "the request is not accepted",
    ),
    "content_filter": Refusal(
        400, "content_filter", "invalid_request_error", "INVALID_ARGUMENT", "ValidationException",
        "the prompt was blocked by the content filtering policy",
    ),
    "model_unavailable": Refusal(
        404, "model_not_found", "not_found_error", "NOT_FOUND", "ResourceNotFoundException", "there is no such model",
    ),
    "context_overflow": Refusal(
        400, "context_length_exceeded", "invalid_request_error", "INVALID_ARGUMENT", "ValidationException",
        "the prompt is longer than the maximum context length",
    ),
    "payment_required": Refusal(
        402, "billing_not_active", "billing_error", "FAILED_PRECONDITION", "AccessDeniedException", "no credit is left",
    ),
    "unknown": Refusal(418, "teapot", "teapot", "TEAPOT", "TeapotException", "a status that nobody expects"),
    "overloaded": Refusal(
        503, "overloaded", "overloaded_error", "UNAVAILABLE", "ServiceUnavailableException", "too much to do",
    ),
    "quota": Refusal(
        429, "insufficient_quota", "billing_error", "RESOURCE_EXHAUSTED", "ServiceQuotaExceededException",
        "the account is out of credits",
    ),
    "forbidden": Refusal(
        403, "permission_denied", "permission_error", "PERMISSION_DENIED", "AccessDeniedException",
        "this key may not do that",
    ),
}  # fmt: skip
"""By the fault's name."""

EVENT: Final = REFUSALS["server_error"]
"""What breaks an answer from inside."""
