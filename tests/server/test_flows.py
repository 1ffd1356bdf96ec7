"""Flows: several calls, one answer, one trace id; nodes at once where the graph allows."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server.faults import Faults, stream
from tests.server_x.endpoint import Served, policy, served
from workbench.server.chat.flow_run import assembled
from workbench.server.emulator import Emulator, Pace, running

CHEAP = policy(["provider_eq", "alibaba"])
OTHER = policy(["provider_eq", "mistral"], tail=[["argmax"], ["id"], ["always", {"action": "abort"}]])


def flow(**nodes: Any) -> list[Any]:
    return ["flow", {"in": {"kind": "input"}, **nodes}]


def node(*inputs: str, term: Any = None, **more: Any) -> dict[str, Any]:
    return {"kind": "llm", "system": "be brief", "policy": term or CHEAP, "inputs": list(inputs), **more}


def end(name: str) -> dict[str, Any]:
    return {"kind": "output", "inputs": [name]}


FAN = flow(a=node("in"), b=node("in", term=OTHER), c=node("a", "b", template="first $1 then $2 and $3"), out=end("c"))


@pytest.mark.parametrize(("template", "inputs", "made"), [
    (None, ["one"], "one"),
    (None, ["one", "two"], "[input 1]\none\n\n[input 2]\ntwo"),
    ("a $1 b $2 c $3 d $0 e", ["X", "Y"], "a X b Y c  d  e"),
    ("$1$1", ["$2", "Y"], "$2$2"),
    ("costs $ and $x, $12", ["X"], "costs $ and $x, "),
    ("", ["X"], ""),
])  # fmt: skip
def test_what_a_node_is_asked(template: str | None, inputs: list[str], made: str) -> None:
    assert assembled(template, inputs) == made


def test_a_flow_is_one_answer_of_several_calls(endpoint: Served) -> None:
    body = endpoint.chat(flow_ir=FAN, session="flow-1", compact=True).json()
    told = body["x_router"]
    assert told["provider"] == "flow"
    assert told["model_family"].startswith("flow:")
    trace = told["decision_trace"]
    assert told["model_family"] == f"flow:{trace['flow_fingerprint']}"
    assert trace["failed_node"] is None
    nodes = {row["node"]: row for row in trace["flow_nodes"]}
    assert nodes.keys() == {"a", "b", "c"}
    assert nodes["c"]["inputs"] == ["a", "b"]
    assert (nodes["a"]["provider"], nodes["b"]["provider"]) == ("alibaba", "mistral")
    assert nodes["a"].keys() >= {
        "node", "inputs", "policy_fingerprint", "provider", "served_model_id", "price_in", "price_out", "tokens_in",
        "tokens_out", "latency_ms", "decision_trace",
    }  # fmt: skip
    assert body["usage"]["prompt_tokens"] == sum(row["tokens_in"] for row in nodes.values())
    assert told["session_acc"]["calls"] == 1
    assert all(row["trace_id"].startswith(told["trace_id"] + ".") for row in nodes.values())
    assert "first" in body["choices"][0]["message"]["content"]


def test_every_node_is_kept_under_the_flows_trace(endpoint: Served) -> None:
    told = endpoint.chat(flow_ir=FAN, compact=True).json()["x_router"]
    store = endpoint.process.traces.store()
    endpoint.stored()
    for row in told["decision_trace"]["flow_nodes"]:
        assert store.get(row["trace_id"]).trace.head.trace_id == row["trace_id"]


def test_a_tenants_envelope_holds_for_every_node(endpoint: Served) -> None:
    answer = endpoint.chat(flow_ir=FAN, tenant="acme-eu", compact=True)
    assert answer.status_code == 503
    assert answer.json()["x_router"]["decision_trace"]["failed_node"] == "a"


def test_nodes_that_wait_for_nothing_run_at_once(tmp_path: Any) -> None:
    wide = flow(**{f"n{k}": node("in") for k in range(6)}, join=node(*(f"n{k}" for k in range(6))), out=end("join"))
    with running(Emulator(pace=Pace(300))) as slow, served(tmp_path, slow.url) as endpoint:
        body = endpoint.chat(flow_ir=wide, compact=True).json()["x_router"]["decision_trace"]
        waits = [row["latency_ms"] for row in body["flow_nodes"]]
        starts = [row["decision_trace"]["started_at_ms"] for row in body["flow_nodes"]]
    assert len(waits) == 7
    assert sorted(starts)[5] - min(starts) < min(waits)  # the six had begun before any of them was done


def test_a_node_that_fails_ends_the_flow_and_is_named(endpoint: Served, faults: Faults) -> None:
    faults.play("mistral=rate_limit")
    answer = endpoint.chat(flow_ir=FAN, compact=True)
    assert answer.status_code == 429
    assert answer.json()["error"]["code"] == "rate_limit"
    assert answer.json()["error"]["message"].startswith("node b: ")
    assert answer.json()["x_router"]["decision_trace"]["failed_node"] == "b"


def test_a_streamed_flow_is_a_role_its_text_and_the_end(endpoint: Served, faults: Faults) -> None:
    made = stream(endpoint, flow_ir=FAN)
    assert (made.finish, made.done) == ("stop", True)
    assert made.chunks[0]["choices"][0]["delta"] == {"role": "assistant"}
    assert made.text.startswith("[emulated]")
    assert made.chunks[-1]["x_router"]["decision_trace"]["flow_nodes"]
    faults.play("mistral=rate_limit")
    early = stream(endpoint, flow_ir=FAN)
    assert (early.status, early.body["error"]["code"]) == (429, "rate_limit")


@pytest.mark.parametrize("body", [
    {"messages": []}, {"messages": [{"role": "system", "content": "x"}]}, {"tools": [{"type": "function",
     "function": {"name": "x"}}]}, {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url":
     {"url": "https://x/y.png"}}]}]},
])  # fmt: skip
def test_what_a_flow_cannot_work_on_is_refused(endpoint: Served, body: dict[str, Any]) -> None:
    assert endpoint.chat(flow_ir=FAN, **body).status_code == 400


def test_what_a_flow_outvotes_is_warned_of(endpoint: Served) -> None:
    body = {"messages": [{"role": "user", "content": "hi"}], "model": "pin:azure/gpt-5.5", "policy_ir": OTHER}
    answer = endpoint.post("/default/v1/chat/completions", {**body, "flow_ir": FAN, "compact": True})
    assert answer.json()["x_router"]["warnings"] == [
        "`model` `pin:azure/gpt-5.5` had no effect: `flow_ir` decides",
        "the profile `default` in the path had no effect: `flow_ir` decides",
        "`policy_ir` had no effect: `flow_ir` decides",
    ]
