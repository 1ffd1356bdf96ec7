"""The body of a call, read strictly: what goes out to a provider, what is ours, and what is refused with a reason.

Every key is one of three kinds, and none is dropped in silence. What could move a request elsewhere (RELIABILITY R56)
is refused before anything else is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, cast

from workbench.language.runnable import REQUEST_PARAMETERS
from workbench.server.errors import Refused, invalid, said, unprocessable
from workbench.server.x.requirements import checked

MOST_MESSAGES: Final = 4_096
MOST_TOOLS: Final = 256
MOST_STOPS: Final = 16
MOST_NAME: Final = 512
"""Characters of a model's, a session's, a tenant's name."""
MOST_TEXT: Final = 1024
"""Characters of a parameter that is a short text."""
ROLES: Final = frozenset(("system", "developer", "user", "assistant", "tool", "function"))

Body = Mapping[str, Any]

STEERING: Final = frozenset((
    "base_url", "api_base", "api_key", "api_version", "api_type", "headers", "extra_headers", "extra_query",
    "extra_body", "proxy", "proxies", "timeout", "organization", "project", "deployment_id", "custom_llm_provider",
    "mock_response", "fallbacks", "num_retries", "auth", "auth_env", "provider_id", "served_model_id", "api_kind",
))  # fmt: skip
"""Never forwarded, and refused so that nobody believes they were: they steer a client, not a call."""

UNSUPPORTED: Final[Mapping[str, str]] = {
    "logprobs": "answers here carry no log probabilities",
    "top_logprobs": "answers here carry no log probabilities",
    "audio": "answers here are text and tool calls",
    "modalities": "answers here are text and tool calls",
    "web_search_options": "no provider's own tools are called from here",
    "functions": "it is the old form of `tools`; send `tools`",
    "function_call": "it is the old form of `tool_choice`; send `tool_choice`",
    "store": "nothing is kept at a provider",
    "background": "calls are answered while the connection is open",
    "moderation": "it is not part of a call here",
}
"""Parameters of OpenAI's that cannot be kept here, and why."""
_HARMLESS: Final[Mapping[str, tuple[Any, ...]]] = {
    "logprobs": (False,), "store": (False,), "modalities": (["text"],), "n": (1,), "background": (False,),
}  # fmt: skip
"""Values that ask for what is done anyway."""

OURS: Final = frozenset((
    "model", "stream", "stream_options", "policy_ir", "flow_ir", "session", "tenant", "tenant_state", "requirements",
    "scope", "caller", "compact", "n",
))  # fmt: skip


@dataclass(slots=True)
class Call:
    """A call as it was asked for."""

    model: str
    neutral: dict[str, Any]
    """What the gateway takes: messages, tools, numbers, the two time limits, requirements."""
    stream: bool
    session: str | None
    compact: bool
    """Whether `rejected` is to be counts by reason instead of rows."""
    body: Body
    """The whole, for `policy_ir`, `flow_ir`, `tenant` and `tenant_state`."""

    def name_session(self, header: bytes | None) -> None:
        """Take the session's name from a header, where the body has none."""
        if self.session is None and header is not None:
            self.session = header.decode("latin-1")[:MOST_NAME]


def read_call(body: Body, default_max_tokens: int) -> Call:
    """The call that a body asks for. Raises `Refused`: 400, or 422 for a policy or flow that is no list."""
    neutral: dict[str, Any] = {}
    for name, value in body.items():
        if value is None and name in _NAMES:
            continue  # clients write null for what they do not set
        check = _CHECKS.get(name)
        if check is not None:
            neutral[name] = check(name, value)
        elif name not in OURS or name == "n":
            _refuse(name, value)
    _ours(body)
    if "max_completion_tokens" in neutral:
        if neutral.get("max_tokens", neutral["max_completion_tokens"]) != neutral["max_completion_tokens"]:
            raise invalid(
                "`max_tokens` and `max_completion_tokens` are one thing, and differ; give one", param="max_tokens"
            )
        neutral["max_tokens"] = neutral.pop("max_completion_tokens")
    if "max_tokens" not in neutral and default_max_tokens:
        neutral["max_tokens"] = default_max_tokens
    if "messages" not in neutral:
        neutral["messages"] = []
    return Call(
        model=body.get("model") or "",
        neutral=neutral,
        stream=body.get("stream") is True,
        session=body.get("session"),
        compact=body.get("compact") is True,
        body=body,
    )


def _refuse(name: str, value: object) -> None:
    if name in STEERING:
        raise _unsupported(name, "it steers a client, and is never forwarded")
    if any(type(value) is type(known) and value == known for known in _HARMLESS.get(name, ())):
        return
    if name == "n":
        raise _unsupported(name, "one choice is made per call")
    if name in UNSUPPORTED:
        raise _unsupported(name, UNSUPPORTED[name])
    close = get_close_matches(name, (*_CHECKS, *OURS), 1)
    hint = f"did you mean `{close[0]}`?" if close else "no such parameter is known here"
    raise _unsupported(name, hint)


def _unsupported(name: str, reason: str) -> Refused:
    return invalid(
        f"unsupported parameter `{name[:80]}`: {reason}", param=said(name[:80]), code="unsupported_parameter"
    )


def _ours(body: Body) -> None:
    """The types of our own keys."""
    for name in ("model", "session", "tenant"):
        value = body.get(name)
        if value is not None and not isinstance(value, str):
            raise _wrong(name, "a string")
        if len(value or "") > MOST_NAME:
            raise _wrong(name, f"at most {MOST_NAME} characters")
    for name in ("stream", "compact"):
        value = body.get(name)
        if value is not None and not isinstance(value, bool):
            raise _wrong(name, "true or false")
    options = body.get("stream_options")
    if options is not None and not isinstance(options, dict):
        raise _wrong("stream_options", "an object")
    if "requirements" in body:
        checked(body["requirements"])
    for name in ("policy_ir", "flow_ir"):
        value = body.get(name)
        if value is not None and not isinstance(value, list):
            raise unprocessable("Input should be a valid list", ["body", name], "list_type")


def _wrong(name: str, wanted: str) -> Refused:
    return invalid(f"`{name}` must be {wanted}", param=name, code="invalid_type")


def _number(name: str, value: object) -> Any:
    low, high = REQUEST_PARAMETERS.get(_LIMITS.get(name, name), (0.0, 1e6))
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(name, "a number")
    if not low <= value <= high:
        raise invalid(f"`{name}` must lie between {low:g} and {high:g}", param=name, code="out_of_range")
    return value


_LIMITS: Final = {"max_completion_tokens": "max_tokens", "max_output_tokens": "max_tokens"}
"""Other names of a number, whose bounds are the same."""


def whole(name: str, value: object) -> Any:
    """A whole number within its bounds. Raises `Refused`."""
    known = _number(name, value)
    if known != int(known):
        raise _wrong(name, "a whole number")
    return int(known)


def short_text(name: str, value: object) -> str:
    """A text of no great length. Raises `Refused`."""
    if not isinstance(value, str) or len(value) > MOST_TEXT:
        raise _wrong(name, f"a string of at most {MOST_TEXT} characters")
    return value


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _wrong(name, "true or false")
    return value


def _object(name: str, value: object) -> Any:
    if not isinstance(value, dict):
        raise _wrong(name, "an object")
    return cast("dict[str, Any]", value)


def _stop(name: str, value: object) -> Any:
    words = [value] if isinstance(value, str) else _list(name, value, MOST_STOPS)
    if not all(isinstance(word, str) for word in words):
        raise _wrong(name, f"a string, or a list of at most {MOST_STOPS} strings")
    return value


def _choice(name: str, value: object) -> Any:
    if not isinstance(value, str | dict):
        raise _wrong(name, "`auto`, `none`, `required` or an object")
    return cast("Any", value)


def _tools(name: str, value: object) -> Any:
    tools = _list(name, value, MOST_TOOLS)
    for place, tool in enumerate(tools):
        function: Any = tool.get("function") if isinstance(tool, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):  # pyright: ignore[reportUnknownMemberType]
            raise invalid(
                f"`tools[{place}]` must be a function with a name", param=f"tools[{place}]", code="invalid_type"
            )
    return tools


def _list(name: str, value: object, most: int) -> list[Any]:
    if not isinstance(value, list):
        raise _wrong(name, "a list")
    found = cast("list[Any]", value)
    if len(found) > most:
        raise invalid(f"`{name}` has {len(found):,} entries, at most {most:,} are taken", param=name, code="too_many")
    return found


def _messages(name: str, value: object) -> Any:
    messages = _list(name, value, MOST_MESSAGES)
    for place, message in enumerate(messages):
        fault = message_fault(message)
        if fault is not None:
            raise bad_message(f"messages[{place}]", fault)
    return messages


def message_fault(value: object) -> str | None:
    """What is wrong with a message; None where it is one."""
    if not isinstance(value, dict):
        return "must be an object"
    told = cast("dict[str, Any]", value)
    role = told.get("role")
    if not isinstance(role, str) or role not in ROLES:
        return f"needs a role, one of {', '.join(sorted(ROLES))}"
    content = told.get("content")
    return None if content is None or isinstance(content, str) else _parts_fault(content)


def _parts_fault(content: object) -> str | None:
    if not isinstance(content, list):
        return "needs a content that is a string or a list of parts"
    whole = all(isinstance(part, dict) for part in cast("list[Any]", content))
    return None if whole else "has a part that is no object"


def bad_message(where: str, reason: str) -> Refused:
    """400 for a message, or an item of an `input`, by its place."""
    return invalid(f"`{where}` {reason}", param=where, code="invalid_message")


_CHECKS: Final[Mapping[str, Callable[[str, object], Any]]] = {
    "messages": _messages,
    "temperature": _number,
    "top_p": _number,
    "top_k": whole,
    "seed": whole,
    "max_tokens": whole,
    "max_completion_tokens": whole,
    "presence_penalty": _number,
    "frequency_penalty": _number,
    "repetition_penalty": _number,
    "timeout_ms": _number,
    "first_token_timeout_ms": _number,
    "stop": _stop,
    "user": short_text,
    "tools": _tools,
    "tool_choice": _choice,
    "parallel_tool_calls": _flag,
    "response_format": _object,
    "logit_bias": _object,
    "metadata": _object,
    "prediction": _object,
    "prompt_cache_key": short_text,
    "prompt_cache_retention": short_text,
    "reasoning_effort": short_text,
    "safety_identifier": short_text,
    "service_tier": short_text,
    "verbosity": short_text,
}
"""What goes out, where the provider's protocol has a place for it; where it has none, a warning says so."""
_NAMES: Final = frozenset((*_CHECKS, *OURS, *UNSUPPORTED, *_HARMLESS)) - STEERING
"""What null leaves unset; under any other name it is a mistake as every value is."""
SENT: Final = tuple(_CHECKS)
DONE_ANYWAY: Final = _HARMLESS
