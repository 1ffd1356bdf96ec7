"""A stream's events put together to the reply that the same call would have given whole."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from workbench.gateway.codecs.neutral import (
    Delta,
    FinishReason,
    FinishSeen,
    Flawed,
    ModelSeen,
    Reply,
    StreamEvent,
    ToolCall,
    ToolDelta,
    Usage,
    UsageSeen,
    Warned,
)  # fmt: skip


@dataclass(slots=True)
class _Call:
    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list[str])


class Assembly:
    """Grows with each event; `reply` judges whether it is an answer."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._calls: dict[int, _Call] = {}
        self._warnings: dict[str, None] = {}
        self._usage: Usage | None = None
        self._model: str | None = None
        self.finish: FinishReason | None = None

    @property
    def begun(self) -> bool:
        """Whether there is any content."""
        return bool(self._text or self._calls)

    @property
    def in_tool_call(self) -> bool:
        """Whether the answer so far is a tool call."""
        return bool(self._calls)

    def add(self, event: StreamEvent) -> None:
        """One more event."""
        match event:
            case Delta(text):
                self._text.append(text)
            case ToolDelta(index, call_id, name, arguments):
                call = self._calls.setdefault(index, _Call())
                call.id = call.id or call_id or ""
                call.name = call.name or name or ""
                call.arguments.append(arguments)
            case UsageSeen(usage):
                self._usage = usage
            case ModelSeen(model):
                self._model = self._model or model
            case FinishSeen(reason):
                self.finish = reason
            case Warned(word):
                self._warnings[word] = None
            case _:
                pass

    def warn(self, word: str) -> None:
        """Something was off; a word from a closed list."""
        self._warnings[word] = None

    def reply(self) -> Reply:
        """The whole answer; raises `Flawed` for one without content."""
        calls = tuple(
            ToolCall(call.id or f"call_{index}", call.name, "".join(call.arguments))
            for index, call in sorted(self._calls.items())
        )
        return judged(
            Reply(
                "".join(self._text), calls, self.finish or ("tool_calls" if calls else "stop"), self._usage,
                self._model, tuple(self._warnings),
            )
        )  # fmt: skip


def judged(reply: Reply) -> Reply:
    """The reply with what is odd about it in its warnings; raises `Flawed` where it holds no answer."""
    if reply.finish_reason == "content_filter":
        raise Flawed("output_filtered")
    if not reply.text and not reply.tool_calls:
        raise Flawed("empty_length" if reply.finish_reason == "length" else "empty")
    if all(_is_json(call.arguments) for call in reply.tool_calls):
        return reply
    warnings = (*reply.warnings, "tool_arguments")
    return Reply(reply.text, reply.tool_calls, reply.finish_reason, reply.usage, reply.model, warnings)


def _is_json(arguments: str) -> bool:
    try:
        json.loads(arguments or "{}")
    except (ValueError, RecursionError):
        return False
    return True
