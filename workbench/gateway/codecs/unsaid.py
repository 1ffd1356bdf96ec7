"""Why a request can't be said in a provider's protocol: closed words for traces, and our own sentences for people.

Neither holds anything of the request, so both may be told of a tenant whose text is not kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from workbench.gateway.codecs.neutral import LocalFault

Unsaid = Literal[
    "local_no_messages", "local_no_turn", "local_role", "local_content", "local_part", "local_picture",
    "local_picture_address", "local_picture_place", "local_tool", "local_tool_call", "local_tool_choice",
    "local_response_format", "local_number", "local_value",
]  # fmt: skip

SENTENCES: Final[Mapping[str, str]] = {
    "local_no_messages": "`messages` is missing or empty: send at least one message",
    "local_no_turn": "`messages` has no user, assistant or tool that says anything: send one",
    "local_role": "`messages` has a role with no place here: send user, assistant, tool, system",
    "local_content": "the content of a message is neither a string nor a list of parts",
    "local_part": "`content` has a part with no place here: send text (with `text`) or image_url",
    "local_picture": "an `image_url` has to be https://... or data:image/...;base64,...",
    "local_picture_address": "pictures go to this provider as data:image/...;base64,... alone",
    "local_picture_place": "a picture has no place in a system message or a tool's result",
    "local_tool": "each of `tools` needs a function with a name",
    "local_tool_call": "a tool call in `messages` needs a name, and arguments that are JSON",
    "local_tool_choice": "`tool_choice` has to be auto, none, required, or one function's name",
    "local_response_format": "`response_format` has to be text, json_object, or json_schema with a schema",
    "local_number": "a parameter that has to be a number is none",
    "local_value": "a value can't be written as JSON: NaN, or half a character",
}


def unsaid(why: Unsaid) -> LocalFault:
    """The fault of a request that this protocol has no way to say."""
    return LocalFault("bad_request", why)
