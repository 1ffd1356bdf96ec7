"""Providers' wire formats, sans I/O: a neutral request to one HTTP request, bytes to a neutral reply or its events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, Protocol

from workbench.gateway.codecs.anthropic import AnthropicCodec
from workbench.gateway.codecs.bedrock import BedrockCodec
from workbench.gateway.codecs.gemini import GeminiCodec
from workbench.gateway.codecs.neutral import EventReader, HttpRequest, LocalFault, Reply
from workbench.gateway.codecs.openai import OpenAiCodec
from workbench.gateway.codecs.responses import ResponsesCodec
from workbench.gateway.codecs.route import Route


class Codec(Protocol):
    """One protocol."""

    @property
    def framing(self) -> Literal["sse", "aws"]:
        """How its streams are cut into documents."""
        ...

    def request(self, route: Route, request: Mapping[str, Any], *, stream: bool) -> HttpRequest:
        """The call of a catalog row; raises `LocalFault` where nothing may be sent."""
        ...

    def reply(self, document: object) -> Reply:
        """The answer of a plain call; raises `Flawed`."""
        ...

    def reader(self) -> EventReader:
        """A reader for one stream."""
        ...


CODECS: Final[Mapping[str, Codec]] = {
    "openai_compatible": OpenAiCodec(),
    "openai_responses": ResponsesCodec(),
    "anthropic": AnthropicCodec(),
    "vertex_anthropic": AnthropicCodec(vertex=True),
    "gemini": GeminiCodec(),
    "bedrock": BedrockCodec(),
}
"""By the catalog's `api_kind`."""


def codec_of(route: Route) -> Codec:
    """The codec of a route; `LocalFault` for a protocol that is not spoken here."""
    codec = CODECS.get(route.api_kind)
    if codec is None:
        raise LocalFault("model_unavailable", "local_api_kind")
    return codec


def request_of(candidate: Mapping[str, Any], request: Mapping[str, Any], *, stream: bool = False) -> HttpRequest:
    """The HTTP request of a catalog row in wire form, for showing it (as curl) or sending it."""
    route = Route.of(candidate)
    return codec_of(route).request(route, request, stream=stream)
