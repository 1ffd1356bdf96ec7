"""The official SDKs, pointed at the emulator: what it writes is what their types read."""

from __future__ import annotations

import json
from typing import Any

import anthropic
import openai
import pytest
from google import genai
from google.genai import errors, types

from tests.emulator.calls import play
from workbench.server.emulator import Running

KEY = "no-key"
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
SAID = "was asked: “say it”"


def openai_at(emulator: Running) -> Any:
    play(emulator)
    return openai.OpenAI(api_key=KEY, base_url=f"{emulator.url}/p/openai/v1", max_retries=0)


def anthropic_at(emulator: Running) -> Any:
    play(emulator)
    return anthropic.Anthropic(api_key=KEY, base_url=f"{emulator.url}/p/anthropic", max_retries=0)


def genai_at(emulator: Running) -> Any:
    play(emulator)
    return genai.Client(api_key=KEY, http_options=types.HttpOptions(base_url=f"{emulator.url}/p/google"))


def test_openai_chat(emulator: Running) -> None:
    with openai_at(emulator) as client:
        asked: Any = {"model": "gpt-5.5", "messages": [{"role": "user", "content": "say it"}]}
        made = client.chat.completions.create(**asked)
        assert SAID in (made.choices[0].message.content or "")
        assert made.usage is not None
        with client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True}) as stream:
            chunks = list(stream)
        assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == made.choices[0].message.content
        assert chunks[-1].usage == made.usage
        tool = {"type": "function", "function": {"name": "weather", "parameters": PARAMETERS}}
        called = client.chat.completions.create(**asked, tools=[tool], tool_choice="required")
        call: Any = called.choices[0].message.tool_calls[0]
        assert json.loads(call.function.arguments) == {"city": "emulated"}
        assert [model.id for model in client.models.list()] == []


def test_openai_responses(emulator: Running) -> None:
    with openai_at(emulator) as client:
        made = client.responses.create(model="gpt-5.5", input="say it")
        assert SAID in made.output_text
        assert made.usage is not None
        with client.responses.create(model="gpt-5.5", input="say it", stream=True) as stream:
            events = list(stream)
        assert "".join(e.delta for e in events if e.type == "response.output_text.delta") == made.output_text
        assert events[-1].type == "response.completed"
        tool: Any = {"type": "function", "name": "weather", "parameters": PARAMETERS, "strict": False}
        with client.responses.stream(model="gpt-5.5", input="call the tool", tools=[tool]) as stream:
            final = stream.get_final_response()
        assert [item.type for item in final.output] == ["function_call"]


def test_anthropic_messages(emulator: Running) -> None:
    with anthropic_at(emulator) as client:
        asked: Any = {"model": "claude", "max_tokens": 100, "messages": [{"role": "user", "content": "say it"}]}
        made = client.messages.create(**asked)
        assert made.content[0].type == "text"
        assert SAID in made.content[0].text
        with client.messages.stream(**asked) as stream:
            said = "".join(stream.text_stream)
            final = stream.get_final_message()
        assert said == made.content[0].text
        assert final.usage.output_tokens == made.usage.output_tokens
        tool: Any = {"name": "weather", "input_schema": PARAMETERS}
        with client.messages.stream(**asked, tools=[tool], tool_choice={"type": "any"}) as stream:
            block = stream.get_final_message().content[0]
        assert block.type == "tool_use"
        assert block.input == {"city": "emulated"}


def test_gemini(emulator: Running) -> None:
    client = genai_at(emulator)
    asked: Any = {"model": "gemini-3", "contents": "say it"}
    made = client.models.generate_content(**asked)
    assert SAID in (made.text or "")
    assert "".join(chunk.text or "" for chunk in client.models.generate_content_stream(**asked)) == made.text
    declared = types.FunctionDeclaration(name="weather", parameters_json_schema=PARAMETERS)
    config = types.GenerateContentConfig(
        tools=[types.Tool(function_declarations=[declared])],
        tool_config=types.ToolConfig(
            function_calling_config=types.FunctionCallingConfig(mode=types.FunctionCallingConfigMode.ANY)
        ),
    )
    called = client.models.generate_content(**asked, config=config)
    calls: list[Any] = list(called.function_calls)
    assert [call.args for call in calls] == [{"city": "emulated"}]
    client.close()


def test_their_errors_are_theirs(emulator: Running) -> None:
    with openai_at(emulator) as ours, anthropic_at(emulator) as theirs:
        play(emulator, "*=rate_limit:7s")
        with pytest.raises(openai.RateLimitError) as limited:
            ours.responses.create(model="gpt-5.5", input="x")
        assert limited.value.response.headers["retry-after"] == "7"
        assert limited.value.response.headers["x-workbench-emulated"] == "1"
        play(emulator, "*=auth_error")
        with pytest.raises(anthropic.AuthenticationError):
            theirs.messages.create(model="claude", max_tokens=5, messages=[{"role": "user", "content": "x"}])
        google = genai_at(emulator)
        play(emulator, "*=forbidden")
        with pytest.raises(errors.ClientError) as refused:
            google.models.generate_content(model="gemini-3", contents="x")
        assert refused.value.status == "PERMISSION_DENIED"
        google.close()
