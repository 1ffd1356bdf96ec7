"""Where a call goes and what it may say: the catalog row, and the closed list of request parameters (RELIABILITY R7).

A transform, a caller's request or a model's answer never reaches the address, the provider, the model or the key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, cast
from urllib.parse import quote, urlsplit

from workbench.boundary.strict_json import encoder
from workbench.catalog.checks import address_fault
from workbench.engine.values import items, number, record, text
from workbench.gateway.codecs.neutral import LocalFault
from workbench.gateway.codecs.unsaid import unsaid
from workbench.language.runnable import DEFAULT_HOST

WHOLE: Final = frozenset(("top_k", "seed", "max_tokens"))
SAMPLING: Final = (
    "temperature", "top_p", "top_k", "seed", "max_tokens", "presence_penalty", "frequency_penalty",
    "repetition_penalty",
)  # fmt: skip
"""The numbers that go out; the two time limits of the same list stay here."""

FIXED: Final = frozenset(("inference_geo",))
"""What an offer itself may fix in the body."""

_SAMPLING: Final = frozenset(SAMPLING)

_PORTS: Final = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Route:
    """All of a catalog row that a call is built from."""

    provider: str
    family: str
    model: str
    """The id on the wire."""
    api_kind: str
    base_url: str
    """Without a slash at its end."""
    key_name: str | None
    region: str | None = None
    fixed: Mapping[str, str] = field(default_factory=dict[str, str])
    """Parameters without which it is not a call of this offer."""

    @classmethod
    def of(cls, candidate: Mapping[str, Any], *, allow_http: bool = False) -> Route:
        """The route of a catalog row in wire form; `LocalFault` where it has none that may be called."""
        provider, model = text(candidate.get("provider_id")), text(candidate.get("served_model_id"))
        base = text(candidate.get("base_url"))
        if not provider or not model or base is None:
            raise LocalFault("model_unavailable", "local_url", unconfigured=base is None)
        judged = base.replace("http://", "https://", 1) if allow_http and base.startswith("http://") else base
        if address_fault(judged) is not None:
            raise LocalFault("model_unavailable", "local_url")
        return cls(
            provider=provider,
            family=str(candidate.get("model_family")),
            model=model,
            api_kind=text(candidate.get("api_kind")) or "openai_compatible",
            base_url=base.rstrip("/"),
            key_name=text(candidate.get("auth_env")),
            region=text(candidate.get("region")),
            fixed={name: str(value) for name, value in record(candidate.get("request")).items() if name in FIXED},
        )

    @property
    def origin(self) -> str:
        """`scheme://host:port`, the port always said: what a key is bound to."""
        return origin_of(self.base_url)

    def url(self, suffix: str) -> str:
        """The address of one operation."""
        return f"{self.base_url}{suffix}"

    @property
    def model_in_path(self) -> str:
        """The model's id as one segment of a path."""
        return quote(self.model, safe=":@.-_~")


@lru_cache(4_096)
def origin_of(url: str) -> str:
    """`scheme://host:port` of an address that has passed `address_fault`."""
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}:{parts.port or _PORTS.get(parts.scheme, 0)}"


def sampling(request: Mapping[str, Any]) -> dict[str, float | int]:
    """The numbers of a request that may go out, inside this host's bounds; `LocalFault` for one that is none."""
    found: dict[str, float | int] = {}
    if _SAMPLING.isdisjoint(request):
        return found
    for name in SAMPLING:
        value = request.get(name)
        if value is None:
            continue
        known = number(value)
        if known is None:
            raise unsaid("local_number")
        held = DEFAULT_HOST.clamp(name, known)
        found[name] = int(held) if name in WHOLE or held.is_integer() else held
    return found


def messages_of(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The request's messages, at least one, each a record with a role; else a `LocalFault`."""
    found: list[dict[str, Any]] = []
    for message in items(request.get("messages")):
        if not isinstance(message, Mapping) or not isinstance(cast("dict[str, Any]", message).get("role"), str):
            raise unsaid("local_role")
        found.append(dict(cast("dict[str, Any]", message)))
    if not found:
        raise unsaid("local_no_messages")
    return found


def tools_of(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The functions of the request's tools: `name`, and maybe `description`, `parameters`."""
    functions = [dict(record(record(tool).get("function"))) for tool in items(request.get("tools"))]
    if any(not text(function.get("name")) for function in functions):
        raise unsaid("local_tool")
    return functions


def stops_of(request: Mapping[str, Any]) -> list[str]:
    """The stop sequences: one or several in the request, a list here."""
    stop = request.get("stop")
    if isinstance(stop, str):
        return [stop]
    return [word for word in items(stop) if isinstance(word, str)]


_encode: Final = encoder()


def body_of(document: Mapping[str, Any]) -> bytes:
    """The body's bytes; a `LocalFault` for NaN, a lone surrogate or a value that is not JSON."""
    try:
        return _encode(document).encode("utf-8")
    except (TypeError, ValueError, RecursionError):
        raise unsaid("local_value") from None


def headers_of(*, stream: bool, accept: str = "text/event-stream") -> tuple[tuple[str, str], ...]:
    """The headers of every call: no compression is asked for, so that no bomb can be sent."""
    if not stream:
        return PLAIN
    return (PLAIN[0], ("accept", accept), *PLAIN[2:])


PLAIN: Final = (
    ("content-type", "application/json"),
    ("accept", "application/json"),
    ("accept-encoding", "identity"),
    ("user-agent", "policy-workbench"),
)
