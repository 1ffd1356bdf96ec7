"""Every event of a stream is as the OpenAPI document has it, however the stream ends; schemathesis judges."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from schemathesis.core.failures import FailureGroup

from tests.server.faults import WEATHER, Faults
from tests.server_x.endpoint import HELLO, Served, policy, served
from tests.server_x.test_openapi import WANTED
from workbench.server.emulator import Running, running

CHAT, RESPONSES = "/v1/chat/completions", "/v1/responses"
ASK: dict[str, Any] = {"input": "hello"}
CALLING = {"tools": [{"type": "function", "name": "weather"}], "tool_choice": "required"}
ALIBABA = policy(["provider_eq", "alibaba"])


@pytest.fixture(scope="module")
def emulation() -> Iterator[Running]:
    with running() as made:
        yield made


@pytest.fixture(scope="module")
def endpoint(emulation: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("streams"), emulation.url) as made:
        yield made


@pytest.fixture(scope="module")
def schema(endpoint: Served) -> Any:
    made: Any = schemathesis.openapi.from_url(f"{endpoint.url}/openapi.json")
    made.config.max_stream_events = 1_000  # to the last one
    return made


def streamed(schema: Any, path: str, **body: Any) -> tuple[Any, Any]:
    """A case and the stream that answers it."""
    case = schema[path]["POST"].Case(body={**(HELLO if path == CHAT else ASK), **body, "stream": True})
    answer = case.call()
    assert answer.headers["content-type"][0].startswith("text/event-stream")
    return case, answer


@pytest.mark.parametrize(("path", "body", "holds"), [
    (CHAT, {}, b"data: [DONE]"),
    (CHAT, {"tools": WEATHER, "tool_choice": "required"}, b'"tool_calls"'),
    (RESPONSES, {"input": ""}, b"event: response.completed"),
    (RESPONSES, {"max_output_tokens": 1}, b"event: response.incomplete"),
    (RESPONSES, CALLING, b"event: response.function_call_arguments.done"),
])  # fmt: skip
def test_every_event_is_as_described(schema: Any, path: str, body: dict[str, Any], holds: bytes) -> None:
    case, answer = streamed(schema, path, **body)
    assert holds in answer.content
    case.validate_response(answer, checks=WANTED)


@pytest.mark.parametrize(("path", "fault", "holds"), [
    (CHAT, "eof_after:3", b'"error"'),
    (CHAT, "content_filter_after:3", b'"error"'),
    (RESPONSES, "eof_after:3", b"event: response.failed"),
])  # fmt: skip
def test_so_is_the_end_of_a_stream_that_fails(
    schema: Any, endpoint: Served, emulation: Running, path: str, fault: str, holds: bytes
) -> None:
    endpoint.tell(lambda process: process.host.health.reset())
    Faults(emulation).play(f"alibaba={fault}")
    case, answer = streamed(schema, path, policy_ir=ALIBABA)
    Faults(emulation).none()
    assert holds in answer.content
    case.validate_response(answer, checks=WANTED)


@pytest.mark.parametrize(("path", "said", "instead"), [
    (CHAT, b'"finish_reason"', b'"finished"'),
    (CHAT, b"[DONE]", b"[OVER]"),
    (RESPONSES, b'"sequence_number"', b'"number"'),
    (RESPONSES, b"event: response.completed", b"event: response.finished"),
])  # fmt: skip
def test_an_event_that_is_not_as_described_is_found(schema: Any, path: str, said: bytes, instead: bytes) -> None:
    case, answer = streamed(schema, path)
    assert said in answer.content
    answer.content = answer.content.replace(said, instead)
    with pytest.raises(FailureGroup) as caught:
        case.validate_response(answer, checks=WANTED)
    assert {failure.title.partition(" violates")[0] for failure in caught.value.exceptions} <= {
        "SSE event", "SSE event payload",
    }  # fmt: skip
