"""Parameters of OpenAI's that few protocols have a place for: sent where they have one, and named where they have not.

Nothing that a caller asked for is left out in silence: what a protocol does not take is a warning of its call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from workbench.engine.values import items, record

_EVERYWHERE: Final = ("reasoning_effort", "logit_bias")
"""Taken by most providers that speak chat completions."""
_OPENAI: Final = (
    "metadata", "prediction", "prompt_cache_key", "prompt_cache_retention", "safety_identifier", "service_tier",
    "verbosity",
)  # fmt: skip
EXTRAS: Final = (*_EVERYWHERE, *_OPENAI)
_ALL: Final = frozenset(EXTRAS)
_OWN: Final = frozenset(("openai", "azure"))
_RESPONSES: Final = frozenset((
    "metadata", "prompt_cache_key", "prompt_cache_retention", "safety_identifier", "service_tier", "user",
))  # fmt: skip
"""Those that the Responses protocol has under the same name."""
_UNPLACED: Final[Mapping[str, tuple[str, ...]]] = {
    "openai_responses": ("logit_bias", "prediction", "verbosity"),
    "anthropic": (*EXTRAS, "user"),
    "vertex_anthropic": (*EXTRAS, "user"),
    "gemini": (*EXTRAS, "user", "parallel_tool_calls"),
    "bedrock": (*EXTRAS, "user", "parallel_tool_calls"),
}
"""What a protocol has no place for, beside the numbers that its codec names itself."""


def chat_extras(request: Mapping[str, Any], provider: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What goes into a chat completion's body for this provider, and the warnings for what does not."""
    taken: dict[str, Any] = {}
    if _ALL.isdisjoint(request):
        return taken, ()
    dropped: list[str] = []
    for name in EXTRAS:
        value = request.get(name)
        if value is None:
            continue
        if name in _EVERYWHERE or provider in _OWN:
            taken[name] = value
        else:
            dropped.append(f"dropped:{name}")
    return taken, tuple(dropped)


def responses_extras(request: Mapping[str, Any]) -> dict[str, Any]:
    """What goes into the body of a Responses call."""
    taken = {name: request[name] for name in sorted(_RESPONSES) if request.get(name) is not None}
    if request.get("reasoning_effort") is not None:
        taken["reasoning"] = {"effort": request["reasoning_effort"]}
    return taken


def unplaced(api_kind: str, request: Mapping[str, Any]) -> tuple[str, ...]:
    """A warning for each parameter of the request that a protocol has no place for."""
    names = _UNPLACED.get(api_kind)
    if names is None:
        return ()
    found = [name for name in names if request.get(name) is not None]
    if api_kind != "openai_responses":
        tools = (record(record(tool).get("function")) for tool in items(request.get("tools")))
        found += ["tools.strict"] if any(function.get("strict") is True for function in tools) else []
        found += ["image_url.detail"] if _says_detail(request) else []
    return tuple(f"dropped:{name}" for name in found)


def _says_detail(request: Mapping[str, Any]) -> bool:
    """Whether a picture says how closely it is to be looked at."""
    contents = (record(message).get("content") for message in items(request.get("messages")))
    parts = (record(part) for content in contents if not isinstance(content, str) for part in items(content))
    return any(record(part.get("image_url")).get("detail") is not None for part in parts)
