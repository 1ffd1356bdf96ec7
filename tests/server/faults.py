"""Telling the emulator what to do wrong, and reading what an endpoint streams."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.server_x.endpoint import HELLO, Served
from workbench.engine.faults import parse_faults
from workbench.server.emulator import Running
from workbench.server.net.assembly import Process

PINNED = "pin:openai/gpt-5.5"


@dataclass(frozen=True)
class Faults:
    """The faults of one emulator."""

    running: Running

    def play(self, *texts: str) -> None:
        """These faults and no others."""
        self.running.tell(lambda emulator: emulator.replace(parse_faults(texts, emulator.names)))

    def none(self) -> None:
        """No fault."""
        self.running.tell(lambda emulator: emulator.replace(()))


@dataclass(frozen=True)
class Streamed:
    """What came of a stream."""

    status: int
    chunks: list[dict[str, Any]]
    done: bool
    body: dict[str, Any]
    """Of an answer that was no stream."""

    @property
    def text(self) -> str:
        """All pieces of text."""
        return "".join(
            choice["delta"].get("content", "") for chunk in self.chunks for choice in chunk.get("choices", ())
        )

    @property
    def finish(self) -> str | None:
        """The last finish reason."""
        found = [choice["finish_reason"] for chunk in self.chunks for choice in chunk.get("choices", ())]
        return next((reason for reason in reversed(found) if reason is not None), None)


WEATHER: list[Any] = [
    {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
]
"""A tool, in OpenAI's shape."""


def under_way(endpoint: Served) -> int:
    """How many calls are being made."""

    def count(process: Process) -> int:
        assert process.host.engine is not None
        return len(process.host.engine.traces.calls)

    return endpoint.tell(count)


def stream(endpoint: Served, **body: Any) -> Streamed:
    """One streamed completion, read to its end."""
    answer = endpoint.post("/v1/chat/completions", {**HELLO, "stream": True, "compact": True, **body})
    if not answer.headers["content-type"].startswith("text/event-stream"):
        return Streamed(answer.status_code, [], False, answer.json())
    events = [line.removeprefix("data: ") for line in answer.text.split("\n\n") if line.startswith("data: ")]
    done = bool(events) and events[-1] == "[DONE]"
    return Streamed(answer.status_code, [json.loads(event) for event in events if event != "[DONE]"], done, {})
