"""Parameters of OpenAI's that few protocols have a place for: sent where they have one, and named where they have not.

Nothing that a caller asked for is left out in silence: what a protocol does not take is a warning of its call.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from workbench.engine.values import items, record, text

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
CACHING: Final = frozenset(("anthropic", "vertex_anthropic"))
"""Where a part may be marked for the cache."""
_MESSAGE: Final = frozenset(("role", "content", "tool_calls", "tool_call_id"))
_PART: Final = frozenset(("type", "text", "image_url"))
_CALL: Final = frozenset(("id", "type", "function", "index"))
_TOOL: Final = frozenset(("type", "function"))
_FUNCTION: Final = frozenset(("name", "description", "parameters", "strict"))
_NAME: Final = frozenset(("name",))
_KNOWN: Final = frozenset((
    "name", "refusal", "reasoning_content", "reasoning", "reasoning_details", "annotations", "audio", "function_call",
    "cache_control", "extra_content", "provider_specific_fields", "thinking_blocks",
))  # fmt: skip
"""What clients and providers are known to put there."""


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
    found += _inside(request, api_kind)
    return tuple(f"dropped:{name}" for name in found)


def _inside(request: Mapping[str, Any], api_kind: str) -> dict[str, None]:
    """What stands inside messages, their parts, tool calls and tools, and has no place; each name once, in order."""
    found: dict[str, None] = {}
    for message in map(record, items(request.get("messages"))):
        found.update(_named("messages", message, message.keys() - _MESSAGE - _used(message, api_kind)))
        content = message.get("content")
        for part in () if isinstance(content, str) else map(record, items(content)):
            found.update(_of_part(part, api_kind))
        for call in map(record, items(message.get("tool_calls"))):
            found.update(_named("tool_calls", call, call.keys() - _CALL))
    for tool in map(record, items(request.get("tools"))):
        function = record(tool.get("function"))
        found.update(_named("tools", tool, tool.keys() - _TOOL))
        found.update(_named("tools", function, function.keys() - _FUNCTION))
    return found


def _of_part(part: Mapping[str, Any], api_kind: str) -> dict[str, None]:
    strange = part.keys() - _PART
    if api_kind in CACHING and cache_of(part) is not None:
        strange -= {"cache_control"}
    found = _named("content", part, strange)
    if api_kind != "openai_responses" and record(part.get("image_url")).get("detail") is not None:
        found["image_url.detail"] = None
    return found


def _used(message: Mapping[str, Any], api_kind: str) -> frozenset[str]:
    """The keys beside the common ones that a protocol has a use for in this message."""
    return _NAME if api_kind == "gemini" and message.get("role") == "tool" else frozenset()


def _named(where: str, told: Mapping[str, Any], strange: Collection[str]) -> dict[str, None]:
    """Those that say something; what nobody knows has no name of its own, for a name may be anybody's text."""
    if not strange:
        return {}
    saying = sorted(name for name in strange if told[name] not in (None, "", [], {}))
    return dict.fromkeys(f"{where}.{name if name in _KNOWN else 'other'}" for name in saying)


def cache_of(part: Mapping[str, Any]) -> dict[str, str] | None:
    """The mark of a prompt's part that shall be cached, as Anthropic writes it; None where there is none."""
    told = record(part.get("cache_control"))
    if text(told.get("type")) is None:
        return None
    return {name: told[name] for name in ("type", "ttl") if text(told.get(name)) is not None}
