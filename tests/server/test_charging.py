"""What a budget is charged, over real sockets: prices that are known, the hold where nobody knows one, else nothing."""

from __future__ import annotations

import json
import socket
import time
from dataclasses import dataclass, replace
from typing import Any, cast

import httpx
import pytest

from tests.server.faults import Faults, under_way
from tests.server_x.endpoint import Served, policy, spent
from workbench.server.callers.gate import FIRST_HOLD, Gate
from workbench.server.callers.token import id_of
from workbench.server.chat import flows
from workbench.server.emulator.emulator import Counts
from workbench.server.shared.base import NANO, month_of

ABORT: list[Any] = [["argmax"], ["id"], ["always", {"action": "abort"}]]
ALONE = policy(["provider_eq", "alibaba"], tail=ABORT)
PAIR = policy(["or", ["provider_eq", "alibaba"], ["provider_eq", "mistral"]])
OTHER = policy(["provider_eq", "mistral"], tail=ABORT)
NOBODY = policy(["cmp", "price_in", "lt", -1.0])
LONG: list[Any] = [{"role": "user", "content": "a word " * 1_000}]
"""A prompt whose price is no rounding of nothing."""
SOON_MS = 80


@dataclass(frozen=True)
class Payer:
    """A token with a budget, nothing of it spent, whose next call holds `FIRST_HOLD`."""

    endpoint: Served
    secret: str

    def chat(self, **body: Any) -> httpx.Response:
        """One call."""
        return self.endpoint.chat(self.secret, compact=True, **{"messages": LONG, **body})

    def asks(self, **body: Any) -> socket.socket:
        """A connection that has asked for something and reads nothing yet."""
        data = json.dumps({"messages": LONG, **body}).encode()
        head = "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {}\r\ncontent-length: {}"
        connection = socket.create_connection(("127.0.0.1", self.endpoint.port), timeout=20)
        connection.sendall(f"{head.format(self.secret, len(data))}\r\n\r\n".encode() + data)
        return connection

    @property
    def charged(self) -> tuple[int, int]:
        """Billionths of a dollar, and how many calls."""
        found = spent(self.endpoint.folder, month_of(time.time() * 1000)).get(id_of(self.secret.encode()) or "")
        return (0, 0) if found is None else (found.nano_usd, found.calls)


@pytest.fixture
def payer(endpoint: Served) -> Payer:
    """Whose hold, once it is charged, leaves room for one more call."""
    return new_payer(endpoint)


def new_payer(endpoint: Served) -> Payer:
    """One that the gate knows already: it looks up few strangers a second."""
    made = Payer(endpoint, endpoint.token("payer", budget_usd=1.5 * FIRST_HOLD / NANO, concurrency=1))
    endpoint.tell(lambda process: cast("Gate", process.host.callers).refresh())
    return made


def wait_until(test: Any) -> None:
    """Look again and again, for as long as a busy machine may need, until it holds."""
    latest = time.monotonic() + 30
    while not test():
        assert time.monotonic() < latest, "it never came"


def read_until(connection: socket.socket, word: bytes) -> None:
    """Read what comes until it holds a word."""
    found = b""
    while word not in found:
        piece = connection.recv(65536)
        assert piece, found
        found += piece


def price(answer: httpx.Response) -> int:
    """What an answer says that it cost, in billionths of a dollar."""
    assert answer.status_code == 200, answer.text
    found = round(answer.json()["x_router"]["cost_usd"] * NANO)
    assert found > 0
    return found


def flow(first: Any, second: Any) -> list[Any]:
    """Two nodes, one after the other."""
    return ["flow", {
        "in": {"kind": "input"},
        "a": {"kind": "llm", "system": "be brief", "policy": first, "inputs": ["in"]},
        "b": {"kind": "llm", "system": "be brief", "policy": second, "inputs": ["a"]},
        "out": {"kind": "output", "inputs": ["b"]},
    }]  # fmt: skip


@pytest.mark.parametrize(("fault", "body"), [
    ("drip", {"stream": True, "policy_ir": ALONE}), ("hang", {"stream": True, "policy_ir": ALONE}),
    ("hang", {"policy_ir": ALONE}), ("hang", {"flow_ir": flow(ALONE, OTHER)}),
    ("hang", {"flow_ir": flow(ALONE, OTHER), "stream": True}),
], ids=["after the first word", "before it", "a plain call", "a flow", "a streamed flow"])  # fmt: skip
def test_a_call_that_is_hung_up_on_is_charged_its_hold(
    payer: Payer, faults: Faults, fault: str, body: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flows, "GRACE_S", 0.01)
    faults.play(f"alibaba={fault}")
    with payer.asks(**body) as connection:
        if fault == "drip":
            read_until(connection, b'"content"')
        elif "flow_ir" in body and "stream" in body:
            read_until(connection, b'"role"')
        else:
            wait_until(lambda: under_way(payer.endpoint) == 1)
        assert payer.charged == (0, 0)
    wait_until(lambda: payer.charged[1])
    assert payer.charged == (FIRST_HOLD, 1)
    faults.none()
    assert payer.chat(policy_ir=OTHER).status_code == 200  # its place is free, and nothing is held any more


@pytest.mark.parametrize("streamed", [False, True])
def test_an_answer_without_usage_is_charged_its_hold(payer: Payer, faults: Faults, streamed: bool) -> None:
    faults.play("*=no_usage")
    answer = payer.chat(policy_ir=PAIR, stream=streamed)
    assert answer.status_code == 200
    assert '"cost_usd":null' in answer.text
    assert payer.charged == (FIRST_HOLD, 1)


def test_an_attempt_that_timed_out_is_charged_its_hold(payer: Payer, faults: Faults) -> None:
    faults.play("alibaba=hang")
    assert payer.chat(policy_ir=ALONE, timeout_ms=SOON_MS).status_code == 504
    assert payer.charged == (FIRST_HOLD, 1)


@pytest.mark.parametrize(("fault", "streamed"), [("hang", False), ("drip", False), ("drip", True)])
def test_an_attempt_that_our_own_deadline_ended_is_charged_its_hold(
    payer: Payer, faults: Faults, fault: str, streamed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = payer.endpoint.process.host
    monkeypatch.setattr(host, "options", replace(host.options, deadline_ms=SOON_MS))
    faults.play(f"alibaba={fault}")
    answer = payer.chat(policy_ir=ALONE, stream=streamed)
    assert ("stream_interrupted" if streamed else '"code":"timeout"') in answer.text
    assert payer.charged == (FIRST_HOLD, 1)


@pytest.mark.parametrize("fault", ["auth_error", "server_error", "rate_limit", "down"])
@pytest.mark.parametrize("body", [{}, {"stream": True}, {"flow_ir": flow(PAIR, PAIR)}], ids=["plain", "stream", "flow"])
def test_a_call_that_everybody_refuses_costs_nothing(
    payer: Payer, faults: Faults, fault: str, body: dict[str, Any]
) -> None:
    faults.play(f"*={fault}")
    term = {} if "flow_ir" in body else {"policy_ir": PAIR}
    answer = payer.chat(**body, **term)
    assert answer.status_code >= 400
    assert "x_router" in answer.json()
    assert payer.charged == (0, 1)


@pytest.mark.parametrize(("fault", "body"), [
    ("malformed", {}), ("cut_after:1", {}), ("cut_after:0", {"stream": True}), ("hang", {"timeout_ms": 5 * SOON_MS}),
])  # fmt: skip
def test_an_attempt_that_broke_is_charged_its_hold_beside_the_price_of_the_next(
    payer: Payer, faults: Faults, fault: str, body: dict[str, Any]
) -> None:
    known = price(payer.chat(policy_ir=OTHER))
    faults.play(f"alibaba={fault}")
    second = new_payer(payer.endpoint)
    assert second.chat(policy_ir=PAIR, **body).status_code == 200
    assert second.charged == (known + FIRST_HOLD, 1)


def test_an_attempt_that_was_refused_costs_nothing_beside_the_next(payer: Payer, faults: Faults) -> None:
    faults.play("alibaba=server_error")
    answer = payer.chat(policy_ir=PAIR)
    assert answer.json()["x_router"]["provider"] == "mistral"
    assert payer.charged == (price(answer), 1)


@pytest.mark.parametrize("body", [{"policy_ir": NOBODY}, {"flow_ir": flow(NOBODY, PAIR)}], ids=["plain", "flow"])
def test_a_call_that_reaches_nobody_costs_nothing(payer: Payer, body: dict[str, Any]) -> None:
    assert payer.chat(**body).status_code == 503
    assert payer.charged == (0, 1)


def test_a_flow_is_charged_the_price_of_one_node_and_the_hold_for_the_other(payer: Payer, faults: Faults) -> None:
    known = price(payer.chat(flow_ir=flow(OTHER, OTHER)))
    assert payer.charged == (known, 1)
    for nodes in (flow(ALONE, OTHER), flow(OTHER, ALONE)):
        second = new_payer(payer.endpoint)
        faults.play("alibaba=no_usage")
        known = price(second.chat(flow_ir=nodes))
        assert second.charged == (known + FIRST_HOLD, 1)


def test_a_flow_that_is_hung_up_on_at_its_second_node_is_charged_for_both(payer: Payer, faults: Faults) -> None:
    faults.play("alibaba=hang")
    before = asked(faults)
    with payer.asks(flow_ir=flow(OTHER, ALONE)):
        wait_until(lambda: asked(faults) > before)
    wait_until(lambda: payer.charged[1])
    assert FIRST_HOLD < payer.charged[0] < 2 * FIRST_HOLD


def asked(faults: Faults) -> int:
    """How many calls have come to the provider that hangs."""
    return faults.running.tell(lambda emulator: emulator.providers.get("alibaba", Counts()).requests)


def test_a_node_that_is_cut_short_by_another_one_is_charged_its_hold(payer: Payer, faults: Faults) -> None:
    faults.play("alibaba=hang", "mistral=server_error")
    beside = flow(ALONE, OTHER)
    nodes = beside[1]
    nodes["c"] = {**nodes["b"], "inputs": ["a", "b"]}
    nodes["b"]["inputs"], nodes["out"]["inputs"] = ["in"], ["c"]
    answer = payer.chat(flow_ir=beside)
    assert answer.json()["x_router"]["decision_trace"]["failed_node"] == "b"
    assert payer.charged == (FIRST_HOLD, 1)


@pytest.mark.parametrize("second", [NOBODY, ALONE], ids=["nobody", "refused"])
def test_a_flow_that_fails_is_charged_for_the_node_that_answered(payer: Payer, faults: Faults, second: Any) -> None:
    faults.play("alibaba=server_error")
    answer = payer.chat(flow_ir=flow(OTHER, second))
    assert answer.json()["x_router"]["decision_trace"]["failed_node"] == "b"
    known = round(answer.json()["x_router"]["cost_usd"] * NANO)
    assert known > 0
    assert payer.charged == (known, 1)
