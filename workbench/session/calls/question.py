"""What is asked in a test call: a prompt and the few parameters that a person may set.

Owns the neutral request, and the files that a person names for it (tools, a schema, pictures). Nothing else can be
set: the address, the key, the provider and the model are the policy's and the catalog's.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from workbench.boundary import files, strict_json
from workbench.engine.fallback import DEADLINE_MS
from workbench.engine.values import record
from workbench.errors import DocumentError, FileRefused, Finding, Place, UsageError
from workbench.language.runnable import REQUEST_PARAMETERS

MAX_TOKENS: Final = 1024
"""The longest answer where nothing else is said, so that a test call has a price one can foresee."""
MOST_PROMPT: Final = 4 * 1024 * 1024
MOST_JSON: Final = 256 * 1024
MOST_IMAGE: Final = 8 * 1024 * 1024
MOST_IMAGES: Final = 16
_MAGIC: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
)


@dataclass(frozen=True, slots=True)
class Question:
    """One question, ready to be asked of any candidate."""

    prompt: str
    system: str | None = None
    tools: tuple[Mapping[str, Any], ...] = ()
    """In OpenAI's shape."""
    json_mode: bool = False
    schema: Mapping[str, Any] | None = None
    """A JSON schema that the answer shall follow."""
    images: tuple[str, ...] = ()
    """`data:` addresses."""
    temperature: float | None = None
    max_tokens: int = MAX_TOKENS
    deadline_ms: float = DEADLINE_MS
    """Of the whole call, waits included."""
    stream: bool = True

    @property
    def request(self) -> dict[str, Any]:
        """The neutral request, with what it needs of a model among its requirements."""
        made: dict[str, Any] = {"messages": self._messages(), "max_tokens": self.max_tokens}
        if self.tools:
            made["tools"] = [dict(tool) for tool in self.tools]
        if self.schema is not None:
            made["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": dict(self.schema)},
            }
        elif self.json_mode:
            made["response_format"] = {"type": "json_object"}
        if self.temperature is not None:
            made["temperature"] = self.temperature
        needs = self.needs
        if needs:
            made["requirements"] = {"needs": needs}
        return made

    @property
    def needs(self) -> list[str]:
        """What it needs of a model, in the language's words."""
        wanted = (("vision", self.images), ("tools", self.tools), ("json_mode", self.json_mode or self.schema))
        return [name for name, needed in wanted if needed]

    def _messages(self) -> list[dict[str, Any]]:
        content: Any = self.prompt
        if self.images:
            parts = [{"type": "image_url", "image_url": {"url": url}} for url in self.images]
            content = [{"type": "text", "text": self.prompt}, *parts]
        said = [{"role": "user", "content": content}]
        return said if not self.system else [{"role": "system", "content": self.system}, *said]

    def checked(self) -> Question:
        """Itself; raises `UsageError` with every finding where it cannot be asked."""
        found: list[Finding] = []
        if not self.prompt.strip():
            found.append(Finding("the prompt is empty", "prompt", hint="write what to ask"))
        size = len(self.prompt.encode("utf-8", "surrogatepass")) + len((self.system or "").encode("utf-8", "replace"))
        if size > MOST_PROMPT:
            found.append(Finding(f"the prompt has {size} bytes, more than {MOST_PROMPT}", "prompt"))
        if any(0xD800 <= ord(char) <= 0xDFFF for char in self.prompt + (self.system or "")):
            found.append(Finding("the prompt is not UTF-8", "prompt"))
        if self.json_mode and self.schema is not None:
            found.append(Finding("JSON mode and a schema exclude each other", "json_mode", hint="give one of them"))
        if len(self.images) > MOST_IMAGES:
            found.append(Finding(f"{len(self.images)} pictures, more than {MOST_IMAGES}", "image"))
        bounds = {**REQUEST_PARAMETERS, "deadline_ms": (1.0, float(DEADLINE_MS))}
        for name in ("temperature", "max_tokens", "deadline_ms"):
            value: float | None = getattr(self, name)
            low, high = bounds[name]
            if value is not None and not low <= value <= high:
                found.append(Finding(f"{name} {value:g} is not from {low:g} to {high:g}", name))
        if found:
            raise UsageError("this cannot be asked", found)
        return self


def read_tools(path: Path) -> tuple[Mapping[str, Any], ...]:
    """The tools in a JSON file: a list in OpenAI's shape, or of bare functions. Raises `UsageError`."""
    value = _json(path)
    tools = [record(tool) for tool in cast("list[Any]", value)] if isinstance(value, list) else []
    made = tuple(tool if "function" in tool else {"type": "function", "function": dict(tool)} for tool in tools)
    named = [record(tool["function"]).get("name") for tool in made]
    if not made or not all(isinstance(name, str) and name for name in named):
        hint = 'write `[{"type": "function", "function": {"name": ..., "parameters": {...}}}]`'
        raise UsageError("no tools", [Finding("this is no list of tools, each with a name", "tools", _at(path), hint)])
    return made


def read_schema(path: Path) -> Mapping[str, Any]:
    """The JSON schema in a file. Raises `UsageError`."""
    value = _json(path)
    if not isinstance(value, dict) or not value:
        raise UsageError("no schema", [Finding("this is no JSON schema", "schema", _at(path), "write a JSON object")])
    return cast("dict[str, Any]", value)


def read_image(path: Path) -> str:
    """A picture as a `data:` address: PNG, JPEG, GIF or WebP by its bytes. Raises `UsageError` or `FileRefused`."""
    data = files.read_bytes(path, max_bytes=MOST_IMAGE)
    media = next((media for magic, media in _MAGIC if data.startswith(magic)), None)
    if media is None and data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        media = "image/webp"
    if media is None:
        hint = "PNG, JPEG, GIF and WebP are"
        raise UsageError("no picture", [Finding("this is no picture that models take", "image", _at(path), hint)])
    return f"data:{media};base64,{base64.b64encode(data).decode('ascii')}"


def _json(path: Path) -> object:
    try:
        return strict_json.loads(files.read_bytes(path, max_bytes=MOST_JSON), source=str(path), bom=True)
    except (DocumentError, FileRefused) as error:
        raise UsageError(error.title, error.findings) from None


def _at(path: Path) -> Place:
    return Place(str(path))
