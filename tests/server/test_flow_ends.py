"""How flows and streams end: what is refused before a call, what is counted once, what is told, what can be read later;
and a stream that breaks inside a tool call."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.gateway.wire import ROLE, choice, text
from tests.server.faults import WEATHER, Faults, Streamed, stream
from tests.server.test_flows import CHEAP, end, flow, node
from tests.server_x.endpoint import HELLO, TAIL, Served, policy, served
from workbench.engine.faults import parse_faults
from workbench.server.emulator import Emulator, Running, running
from workbench.server.emulator.wire import Exchange, Request, Script

ANY = policy(["top"])
NEXT: list[Any] = TAIL[2]
CUSTOM = policy(["top"], tail=[["argmax"], ["custom", "x"], NEXT])
TWO = flow(first=node("in", term=ANY), second=node("first", term=ANY), out=end("second"))
PINNED = policy(["and", ["provider_eq", "mistral"], ["family_eq", "glm-5.3"]])
ABORT = [["argmax"], ["id"], ["always", {"action": "abort"}]]


def asked_so_far(emulation: Running) -> int:
    """How many calls reached the providers."""
    return emulation.tell(lambda emulator: emulator.requests)


def either(endpoint: Served, streamed: bool, **body: Any) -> tuple[int, dict[str, Any], dict[str, Any]]:
    """Status, error and `x_router` of a call that is answered plain or as a stream."""
    if streamed:
        made = stream(endpoint, **body)
        if made.chunks:
            return made.status, made.body, made.chunks[-1]["x_router"]
        return made.status, made.body["error"], made.body.get("x_router", {})
    answer = endpoint.chat(compact=True, **body)
    found = answer.json()
    return answer.status_code, found.get("error", {}), found.get("x_router", {})


@pytest.mark.parametrize("streamed", [False, True])
def test_a_later_node_that_cannot_run_is_refused_before_anybody_is_called(
    endpoint: Served, emulation: Running, streamed: bool
) -> None:
    before = asked_so_far(emulation)
    broken = flow(first=node("in"), second=node("first", term=CUSTOM), out=end("second"))
    status, error, _ = either(endpoint, streamed, flow_ir=broken)
    assert (status, error["code"]) == (400, "invalid_policy")
    assert "custom" in error["message"]
    assert asked_so_far(emulation) == before


@pytest.mark.parametrize("streamed", [False, True])
def test_a_pin_holds_for_every_node(endpoint: Served, streamed: bool) -> None:
    pin = {"pin": {"provider": "mistral", "model": "glm-5.3"}}
    _, _, told = either(endpoint, streamed, flow_ir=TWO, requirements=pin)
    rows = told["decision_trace"]["flow_nodes"]
    assert [row["node"] for row in rows] == ["first", "second"]
    (alone,) = {row["served_model_id"] for row in endpoint.post("/x/rank", {"policy_ir": PINNED}).json()["ranked"]}
    assert {(row["provider"], row["served_model_id"]) for row in rows} == {("mistral", alone)}
    nobody = {"pin": {"provider": "zz", "model": "glm-5.3"}}
    status, _, told = either(endpoint, streamed, flow_ir=TWO, requirements=nobody)
    assert (status, told["decision_trace"]["failed_node"]) == (503, "first")


def test_a_flows_session_may_be_named_by_the_header_and_is_counted_once(endpoint: Served) -> None:
    body = {**HELLO, "flow_ir": TWO, "compact": True}
    header = {"x-unhardcoded-session": "by-header"}
    plain = endpoint.post("/v1/chat/completions", body, **header).json()
    assert plain["x_router"]["session_acc"]["calls"] == 1
    assert plain["x_router"]["session_acc"]["tokens_in"] == plain["usage"]["prompt_tokens"]
    streamed = stream(endpoint, flow_ir=TWO, session="by-header").chunks[-1]
    assert streamed["x_router"]["session_acc"]["calls"] == 2
    assert stream(endpoint, flow_ir=TWO, session="by-body").chunks[-1]["x_router"]["session_acc"]["calls"] == 1


@pytest.mark.parametrize("streamed", [False, True])
def test_a_flow_says_what_its_nodes_left_out_and_that_they_were_emulated(endpoint: Served, streamed: bool) -> None:
    mixed = flow(
        first=node("in", term=policy(["provider_eq", "anthropic"])), second=node("first"), third=node("first"),
        join=node("second", "third"), out=end("join"),
    )  # fmt: skip
    _, _, told = either(endpoint, streamed, flow_ir=mixed, logit_bias={"50": 1}, requirements={"min_context": 1000})
    rows = {row["node"]: row["provider"] for row in told["decision_trace"]["flow_nodes"]}
    assert rows == {"first": "anthropic", "second": "alibaba", "third": "alibaba", "join": "alibaba"}
    assert told["emulated"] is True
    unread = "the policy has no `meets_req`, so nothing reads `min_context`"
    assert sorted(told["warnings"]) == ["dropped:logit_bias", unread]  # each once, whoever else says it


@pytest.mark.parametrize("streamed", [False, True])
def test_a_flow_that_nobody_can_answer_now_says_when(endpoint: Served, faults: Faults, streamed: bool) -> None:
    faults.play("openai=auth_error")
    tail = [["argmax"], ["id"], ["always", {"action": "disable_provider"}]]
    term = policy(["and", ["provider_eq", "openai"], ["family_eq", "gpt-5.5"]], tail=tail)
    asked = {**HELLO, "compact": True, "stream": streamed, "flow_ir": flow(a=node("in", term=term), out=end("a"))}
    first = endpoint.post("/v1/chat/completions", asked)
    assert (first.status_code, "retry-after" in first.headers) == (401, False)
    held = endpoint.post("/v1/chat/completions", asked)
    plain = endpoint.chat(policy_ir=term, compact=True)
    assert (held.status_code, plain.status_code) == (503, 503)
    assert held.json()["error"]["code"] == plain.json()["error"]["code"] == "exhausted: no_candidates"
    assert held.json()["error"]["message"].startswith("node a: ")
    assert int(held.headers["retry-after"]) >= int(plain.headers["retry-after"]) > 200


def test_a_key_that_is_no_part_of_a_node_is_told_of(endpoint: Served) -> None:
    noted = flow(a={**node("in"), "zz": 1, "template": "$1", "tempalte": "x"}, out=end("a"))
    told = endpoint.chat(flow_ir=noted, compact=True).json()["x_router"]["warnings"]
    said = endpoint.post("/x/flow/normalize", {"flow_ir": noted}).json()["warnings"]
    assert (
        said == told == [f"node 'a': '{key}' is no key of an llm node, and has no effect" for key in ("zz", "tempalte")]
    )
    slip = endpoint.chat(flow_ir=flow(a={**node("in"), "tempalte": "x"}, out=end("a"))).json()["error"]
    assert (slip["code"], "did you mean 'template'?" in str(slip["errors"])) == ("invalid_flow", True)


def test_a_flow_that_would_always_fail_says_so_as_a_call_does(endpoint: Served) -> None:
    never = endpoint.chat(flow_ir=flow(a=node("in", term=policy(["bot"])), out=end("a")), compact=True)
    assert (never.status_code, never.headers["x-should-retry"]) == (503, "false")


def test_who_was_calling_when_another_failed_is_among_the_nodes(endpoint: Served, faults: Faults) -> None:
    faults.play("alibaba=hang", "mistral=rate_limit")
    fails = policy(["provider_eq", "mistral"], tail=ABORT)
    wide = flow(a=node("in"), b=node("in", term=fails), c=node("a", "b", template="$1 $2"), out=end("c"))
    answer = endpoint.chat(flow_ir=wide, compact=True)
    told = answer.json()["x_router"]
    rows = {row["node"]: row for row in told["decision_trace"]["flow_nodes"]}
    assert (answer.status_code, told["decision_trace"]["failed_node"]) == (429, "b")
    assert rows.keys() == {"a", "b"}  # `c` never began
    assert (rows["a"]["provider"], rows["a"]["tokens_in"]) == (None, None)
    kept = endpoint.get(f"/x/traces/{rows['a']['trace_id']}").json()
    assert kept["outcome"] == "cancelled"


def test_a_flows_id_means_the_traces_of_its_nodes(endpoint: Served) -> None:
    mine = endpoint.token("mine", tenants=("acme-eu",))
    others = endpoint.token("others", tenants=("ladle-free",))
    told = endpoint.chat(mine, flow_ir=TWO, compact=True).json()["x_router"]
    trace_id = told["trace_id"]
    seen = endpoint.get(f"/x/traces/{trace_id}", authorization=f"Bearer {mine}")
    found = seen.json()
    rows = told["decision_trace"]["flow_nodes"]
    assert (seen.status_code, found.keys(), found["trace_id"]) == (200, {"trace_id", "nodes"}, trace_id)
    assert [each["trace_id"] for each in found["nodes"]] == [row["trace_id"] for row in rows]
    assert {each["tenant"] for each in found["nodes"]} == {"acme-eu"}
    alone = endpoint.get(f"/x/traces/{trace_id}.n1", authorization=f"Bearer {mine}")
    assert alone.json() == found["nodes"][0]
    unknown = endpoint.get(f"/x/traces/{trace_id[:-6]}aaaaaa", authorization=f"Bearer {others}")
    for place in (trace_id, f"{trace_id}.n1"):
        foreign = endpoint.get(f"/x/traces/{place}", authorization=f"Bearer {others}")
        assert (foreign.status_code, foreign.content) == (404, unknown.content)


SPELLINGS = [
    (["eq", "region", "eu"], ["is", "region_eu"]),
    (["in", "provider", ["alibaba"]], ["provider_eq", "alibaba"]),
]


@pytest.mark.parametrize(("spelled", "plain"), SPELLINGS, ids=str)
def test_a_nodes_policy_may_be_spelled_as_any_other(endpoint: Served, spelled: Any, plain: Any) -> None:
    told, meant = (flow(x=node("in", term=policy(term)), out=end("x")) for term in (spelled, plain))
    called, same = (endpoint.chat(flow_ir=each, compact=True).json()["x_router"] for each in (told, meant))
    assert called["decision_trace"]["flow_nodes"][0]["provider"] == same["decision_trace"]["flow_nodes"][0]["provider"]
    assert called["model_family"] == same["model_family"]
    normal = endpoint.post("/x/flow/normalize", {"flow_ir": told})
    assert normal.status_code == 200
    assert normal.json() == endpoint.post("/x/flow/normalize", {"flow_ir": meant}).json()
    assert normal.json()["flow_ir"][1]["n1"]["policy"][1] == plain


@pytest.mark.parametrize("wrong", [["eq", "region", "xx"], ["in", "provider", "alibaba"], ["frobnicate"]], ids=str)
def test_a_spelling_that_means_nothing_is_refused_with_its_place(endpoint: Served, wrong: Any) -> None:
    told = flow(fine=node("in"), broken=node("fine", term=policy(wrong)), out=end("broken"))
    for answer in (endpoint.chat(flow_ir=told), endpoint.post("/x/flow/normalize", {"flow_ir": told})):
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (400, "invalid_flow")
        assert all(each["path"].startswith("$.flow[1].broken.policy.policy[1]") for each in error["errors"])
        assert error["errors"]


def sums(endpoint: Served, token: str | None, **body: Any) -> dict[str, Any]:
    """The session's totals after one more call."""
    return endpoint.chat(token, session="same", compact=True, **body).json()["x_router"]["session_acc"]


@pytest.mark.parametrize("flowing", [{}, {"flow_ir": TWO}], ids=["call", "flow"])
def test_two_callers_or_two_tenants_of_one_share_no_session(endpoint: Served, flowing: dict[str, Any]) -> None:
    tenants = ("acme-eu", "ladle-free")
    one, two = endpoint.token("one", tenants=tenants), endpoint.token("two", tenants=tenants)
    for token in (one, two):
        for tenant in tenants:
            assert [sums(endpoint, token, tenant=tenant, **flowing)["calls"] for _ in range(2)] == [1, 2]
    assert sums(endpoint, one, tenant="acme-eu", **flowing)["calls"] == 3


def test_a_call_and_a_flow_of_one_caller_share_its_session(endpoint: Served) -> None:
    token = endpoint.token("both", tenants=("acme-eu",))
    assert [sums(endpoint, token, **body)["calls"] for body in ({}, {"flow_ir": TWO}, {})] == [1, 2, 3]


@pytest.mark.parametrize("streamed", [False, True])
def test_an_answer_that_counts_no_tokens_counts_as_a_call(endpoint: Served, faults: Faults, streamed: bool) -> None:
    faults.play("alibaba=no_usage")
    _, _, told = either(endpoint, streamed, policy_ir=CHEAP, session=f"uncounted-{streamed}")
    assert told["session_acc"] == {
        "calls": 1, "tokens_in": 0, "tokens_out": 0, "tokens_cached": 0, "cost_usd": 0.0,
    }  # fmt: skip


class Breaking(Emulator):
    """Of one provider come these bytes, and then the connection is closed."""

    bytes_of_alibaba: bytes = b""

    def answer(self, request: Request) -> bytes | Script:
        if "/p/alibaba/" not in request.target or not self.bytes_of_alibaba:
            return super().answer(request)
        written = self.bytes_of_alibaba

        async def script(exchange: Exchange) -> None:
            exchange.cut()
            await exchange.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n")
            await exchange.send(b"transfer-encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(written), written))

        return script


@pytest.fixture(scope="module")
def breaking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Running]]:
    """An endpoint over providers one of which stops in the middle."""
    with running(Breaking()) as made, served(tmp_path_factory.mktemp("breaking"), made.url) as endpoint:
        yield endpoint, made


def begun(arguments: str | None) -> bytes:
    """The beginning of a tool call: its name, and some of its arguments."""
    named = {"index": 0, "id": "call_a", "type": "function", "function": {"name": "weather", "arguments": ""}}
    first = choice({"tool_calls": [named]})
    if arguments is None:
        return ROLE + first
    return ROLE + first + choice({"tool_calls": [{"index": 0, "function": {"arguments": arguments}}]})


PAIR = policy(["or", ["provider_eq", "alibaba"], ["provider_eq", "mistral"]])


def called(breaking: tuple[Served, Running], written: bytes, *faults: str) -> Streamed:
    endpoint, emulation = breaking

    def change(emulator: Any) -> None:
        emulator.bytes_of_alibaba = written
        emulator.replace(parse_faults(faults))

    emulation.tell(change)
    endpoint.tell(lambda process: process.host.health.reset())
    return stream(endpoint, policy_ir=PAIR, tools=WEATHER, tool_choice="required")


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        (begun(None), None), (begun('{"to'), None), (begun("{}"), None), (b"", "cut_after:1"),
        (b"", "error_event_after:1"), (b"", "eof_after:1"),
    ],
    ids=["name", "half", "whole", "cut", "error", "eof"],
)  # fmt: skip
def test_a_stream_that_breaks_inside_a_tool_call_falls_to_the_next(
    breaking: tuple[Served, Running], written: bytes, fault: str | None
) -> None:
    made = called(breaking, written, *([f"alibaba={fault}"] if fault else []))
    assert (made.status, made.finish, made.done) == (200, "tool_calls", True)
    deltas = [each["choices"][0]["delta"] for each in made.chunks]
    (calls,) = [delta["tool_calls"] for delta in deltas if "tool_calls" in delta]
    assert [(call["index"], call["function"]["name"]) for call in calls] == [(0, "weather")]
    assert json.loads(calls[0]["function"]["arguments"]) == {}
    assert calls[0]["id"] != "call_a"
    told = made.chunks[-1]["x_router"]
    path = told["decision_trace"]["decision_path"]
    assert told["provider"] == "mistral"
    assert [step["provider_id"] for step in path] == ["alibaba", "mistral"]
    assert not path[0].get("committed")


def test_after_a_word_has_gone_out_it_does_not(breaking: tuple[Served, Running]) -> None:
    broken = begun('{"to')
    made = called(breaking, ROLE + text("Let me look. ") + broken.removeprefix(ROLE))
    assert (made.status, made.finish, made.done) == (200, "error", True)
    assert made.text == "Let me look. "
    assert made.chunks[-1]["error"]["code"] == "stream_interrupted"
    assert not any("tool_calls" in choice["delta"] for each in made.chunks for choice in each.get("choices", ()))
    path = next(each["x_router"] for each in made.chunks if "x_router" in each)["decision_trace"]["decision_path"]
    assert [(step["provider_id"], step["committed"]) for step in path] == [("alibaba", True)]


def test_a_response_that_breaks_inside_a_function_call_falls_to_the_next(breaking: tuple[Served, Running]) -> None:
    called(breaking, begun('{"to'))
    endpoint, _ = breaking
    endpoint.tell(lambda process: process.host.health.reset())
    tool = {"type": "function", **WEATHER[0]["function"]}
    body = {"input": "hello", "stream": True, "policy_ir": PAIR, "tools": [tool], "tool_choice": "required"}
    events = endpoint.post("/v1/responses", {**body, "compact": True}).text.split("\n\n")
    last = json.loads(events[-2].partition("data: ")[2])
    assert last["type"] == "response.completed"
    assert [(item["type"], item["arguments"]) for item in last["response"]["output"]] == [("function_call", "{}")]
    assert last["response"]["x_router"]["provider"] == "mistral"
    assert sum("response.function_call_arguments.done" in each.partition("\n")[0] for each in events) == 1
