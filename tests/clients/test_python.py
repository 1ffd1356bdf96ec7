"""The OpenAI SDK and LangChain complete calls against the endpoint, and ignore what they do not know."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import openai
import pytest
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from tests.server_x.endpoint import Served, policy

WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
ASKED: Any = [{"role": "user", "content": "Say hello."}]


@pytest.fixture
def client(base_url: str, token: str) -> Any:
    with openai.OpenAI(base_url=base_url, api_key=token, max_retries=0) as made:
        yield made


def test_openai_plain(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="", messages=ASKED)
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens > 0
    extra: Any = answer.model_extra
    assert extra["x_router"]["region"] == "eu"


def test_openai_takes_the_policy_with_the_call(client: openai.OpenAI) -> None:
    term = policy(["provider_eq", "mistral"])
    answer = client.chat.completions.create(model="policy:mine", messages=ASKED, extra_body={"policy_ir": term})
    extra: Any = answer.model_extra
    assert extra["x_router"]["provider"] == "mistral"


def test_openai_streams(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(model="", messages=ASKED, stream=True)
    text, ended, usage = "", None, None
    for chunk in stream:
        text += chunk.choices[0].delta.content or ""
        ended = chunk.choices[0].finish_reason or ended
        usage = chunk.usage or usage
    assert text
    assert ended == "stop"
    assert usage is not None


def test_openai_async_streams(base_url: str, token: str) -> None:
    async def run() -> str:
        async with openai.AsyncOpenAI(base_url=base_url, api_key=token, max_retries=0) as client:
            stream = await client.chat.completions.create(model="", messages=ASKED, stream=True)
            return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    assert asyncio.run(run())


@pytest.mark.parametrize("stream", [False, True])
def test_openai_calls_a_tool(client: openai.OpenAI, *, stream: bool) -> None:
    asked: Any = [{"role": "user", "content": "What is the weather in Rome?"}]
    wanted: Any = {"model": "", "messages": asked, "tools": [WEATHER], "tool_choice": "required"}
    if stream:
        deltas = [chunk.choices[0].delta for chunk in client.chat.completions.create(**wanted, stream=True)]
        calls: list[Any] = [call for delta in deltas for call in delta.tool_calls or []]
    else:
        answer = cast("Any", client.chat.completions.create(**wanted))
        calls = list(answer.choices[0].message.tool_calls)
    assert calls
    assert calls[0].function.name == "weather"
    assert "".join(call.function.arguments or "" for call in calls).startswith("{")


def test_openai_goes_on_after_a_tool(client: openai.OpenAI) -> None:
    asked: Any = [{"role": "user", "content": "What is the weather in Rome?"}]
    first = client.chat.completions.create(model="", messages=asked, tools=[WEATHER], tool_choice="required")
    message = first.choices[0].message
    assert message.tool_calls
    said: Any = [
        *asked,
        message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "sunny"},
    ]
    assert client.chat.completions.create(model="", messages=said).choices[0].message.content


def test_openai_lists_models(client: openai.OpenAI) -> None:
    names = [model.id for model in client.models.list()]
    assert names[0] == "profile:default"
    assert client.models.retrieve("profile:default").owned_by == "profile"


def test_openai_responses(client: openai.OpenAI) -> None:
    answer = client.responses.create(model="", input="Say hello.")
    assert answer.status == "completed"
    assert answer.output_text


def test_openai_responses_stream(client: openai.OpenAI) -> None:
    kinds: list[str] = []
    text = ""
    for event in client.responses.create(model="", input="Say hello.", stream=True):
        kinds.append(event.type)
        text += event.delta if event.type == "response.output_text.delta" else ""
    assert (kinds[0], kinds[-1]) == ("response.created", "response.completed")
    assert text


def test_openai_raises_its_own_errors(client: openai.OpenAI, base_url: str, endpoint: Served) -> None:
    with pytest.raises(openai.NotFoundError) as missing:
        client.chat.completions.create(model="gpt-4o", messages=ASKED)
    assert missing.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model="policy:x", messages=ASKED, extra_body={"policy_ir": ["zap"]})
    assert refused.value.code == "invalid_policy"
    with (
        openai.OpenAI(base_url=base_url, api_key="wrong", max_retries=0) as stranger,
        pytest.raises(openai.AuthenticationError) as shut,
    ):
        stranger.models.list()
    assert shut.value.code == "caller_auth"
    slow = endpoint.token("slow", tenants=("acme-eu",), rate_per_minute=1)
    with openai.OpenAI(base_url=base_url, api_key=slow, max_retries=0) as hasty:
        hasty.chat.completions.create(model="", messages=ASKED)
        with pytest.raises(openai.RateLimitError) as limited:
            hasty.chat.completions.create(model="", messages=ASKED)
    assert limited.value.code == "caller_rate_limit"


@tool
def weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


def chat_of(base_url: str, token: str) -> ChatOpenAI:
    return ChatOpenAI(base_url=base_url, api_key=SecretStr(token), model="profile:default", max_retries=0)


def test_langchain_invokes_and_streams(base_url: str, token: str) -> None:
    chat = chat_of(base_url, token)
    assert chat.invoke("Say hello.").content
    assert "".join(str(chunk.content) for chunk in chat.stream("Say hello."))


def test_langchain_binds_tools(base_url: str, token: str) -> None:
    chat: Any = chat_of(base_url, token)
    bound = chat.bind_tools([weather], tool_choice="required")
    answer: Any = bound.invoke("What is the weather in Rome?")
    assert [call["name"] for call in answer.tool_calls] == ["weather"]
