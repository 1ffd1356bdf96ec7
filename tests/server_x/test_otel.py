"""`serve --otel` against a real collector: what is sent and by which names, what never is, a collector that fails."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.cli.command import run
from tests.server_x.collector import Collected, collector, plain
from tests.server_x.endpoint import TAIL
from tests.server_x.processes import Child, child
from workbench.server.routes import ROUTES
from workbench.server.watching.otel import CLOSE_S, route_of

CANARY = "canary5e1f"
"""Stands in prompts, in paths, in a tenant's name, in keys."""
QUIET = "corvane-bank"
PINNED = "pin:openai/gpt-5.5"


@contextmanager
def serving(emulator: str, folder: Path, url: str, **more: str) -> Generator[tuple[Child, httpx.Client]]:
    """The program, which sends to `url`."""
    variables: dict[str, Any] = {
        "XDG_STATE_HOME": str(folder), "OPENAI_API_KEY": f"sk-{CANARY}", "OTEL_EXPORTER_OTLP_ENDPOINT": url,
        "OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer%20{CANARY}", **more,
    }  # fmt: skip
    words = ["--emulator", emulator, "--traces", str(folder / "t.db"), "--otel"]
    with (
        child(*words, **variables) as made,
        httpx.Client(base_url=made.url, timeout=60, trust_env=False) as client,
    ):
        yield made, client


def ended(made: Child) -> str:
    """End it; gives what it said on stderr."""
    made.process.send_signal(signal.SIGTERM)
    assert made.process.wait(60) == 128 + signal.SIGTERM
    assert made.process.stderr is not None
    return made.process.stderr.read()


def say(client: httpx.Client, path: str = "/v1/chat/completions", **body: Any) -> httpx.Response:
    asked = [{"role": "user", "content": f"hello {CANARY}"}]
    secret = {"authorization": f"Bearer sk-{CANARY}"}
    return client.post(path, json={"messages": asked, "compact": True, **body}, headers=secret)


@pytest.fixture(scope="module")
def told(emulator: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Collected, dict[str, Any]]]:
    """Everything that one process has sent, to its end; and what callers were answered."""
    answers: dict[str, Any] = {}
    with collector() as collected:
        with serving(emulator, tmp_path_factory.mktemp("told"), collected.url) as (made, client):
            answers["plain"] = say(client, tenant="acme-eu").json()
            answers["quiet"] = say(client, tenant=QUIET).json()
            stream = say(client, model=PINNED, stream=True).text
            answers["stream"] = [json.loads(each[6:]) for each in stream.split("\n\n") if each.startswith("data: {")][
                -1
            ]
            say(client, "/v1/responses", input=f"hello {CANARY}", messages=None)
            state = {"facts": {"plan": "free", "region": "eu", "data_class": "public", "dpa_signed": False,
                               "vip_support": False, "no_log": True}}  # fmt: skip
            answers["state"] = say(client, tenant_state=state).json()
            nobody = ["policy", ["provider_eq", CANARY], ["zero"], *TAIL]
            answers["nobody"] = say(client, policy_ir=nobody).json()
            client.get(f"/x/traces/{CANARY}")
            client.get(f"/x/{CANARY}")
            client.get(f"/{CANARY}/v1/models")
            client.get("/healthz")
            assert ended(made) == ""
        yield collected, answers


def of_kind(collected: Collected, kind: int) -> list[Any]:
    return [span for span in collected.spans if span.kind == kind]


def call_of(collected: Collected, answer: dict[str, Any]) -> dict[str, Any]:
    """The attributes of the call that was answered so."""
    wanted = answer["x_router"]["trace_id"]
    calls = [plain(span.attributes) for span in of_kind(collected, Span.SPAN_KIND_CLIENT)]
    (found,) = [call for call in calls if call["workbench.trace_id"] == wanted]
    return found


def test_each_request_is_a_span_with_its_route(told: tuple[Collected, dict[str, Any]]) -> None:
    collected, _ = told
    assert [span.name for span in of_kind(collected, Span.SPAN_KIND_SERVER)] == [
        *["POST /v1/chat/completions"] * 3, "POST /v1/responses", *["POST /v1/chat/completions"] * 2,
        "GET /x/traces/{id}", "GET other", "GET /v1/models", "GET /healthz",
    ]  # fmt: skip
    for span in of_kind(collected, Span.SPAN_KIND_SERVER):
        known = plain(span.attributes)
        assert span.name == f"{known['http.request.method']} {known['http.route']}"
        assert isinstance(known["http.response.status_code"], int)
        failed = known["http.response.status_code"] >= 500
        assert (span.status.code == Status.STATUS_CODE_ERROR) is failed
        assert known.get("error.type") == (str(known["http.response.status_code"]) if failed else None)
    assert {each["service.name"] for each in collected.resources()} == {"policy-workbench"}


def test_each_call_is_a_span_below_its_request_by_the_conventions_names(told: tuple[Collected, dict[str, Any]]) -> None:
    collected, answers = told
    requests = {span.span_id: span for span in of_kind(collected, Span.SPAN_KIND_SERVER)}
    for span in of_kind(collected, Span.SPAN_KIND_CLIENT):
        parent = requests[span.parent_span_id]
        assert span.trace_id == parent.trace_id
        assert parent.start_time_unix_nano <= span.end_time_unix_nano <= parent.end_time_unix_nano
        known = plain(span.attributes)
        assert span.name == " ".join(["chat", *filter(None, [known.get("gen_ai.request.model")])])
        assert plain(parent.attributes)["workbench.trace_id"] == known["workbench.trace_id"]
    for name in ("plain", "stream", "quiet", "state"):
        router = answers[name]["x_router"]
        found = call_of(collected, answers[name])
        assert found["gen_ai.operation.name"] == "chat"
        assert found["gen_ai.provider.name"] == router["provider"]
        assert found["gen_ai.request.model"] == router["served_model_id"]
        assert found["gen_ai.usage.input_tokens"] == answers[name]["usage"]["prompt_tokens"]
        assert found["gen_ai.usage.output_tokens"] == answers[name]["usage"]["completion_tokens"]
        assert found["workbench.cost_usd"] == router["cost_usd"]
        assert (found["workbench.outcome"], found["workbench.region"]) == ("ok", router["region"])
        assert re.fullmatch(r"[0-9]+-[0-9]+", found["workbench.policy_fingerprint"])
        assert "error.type" not in found
    failed = call_of(collected, answers["nobody"])
    assert failed["error.type"] == "no_candidates"
    assert "gen_ai.request.model" not in failed


def test_figures_of_calls_are_sent_too(told: tuple[Collected, dict[str, Any]]) -> None:
    collected, answers = told
    figures = collected.figures
    assert set(figures) == {
        "workbench.calls", "workbench.cost", "gen_ai.client.token.usage", "gen_ai.client.operation.duration",
    }  # fmt: skip
    calls = {plain(each.attributes)["workbench.outcome"]: 0 for each in figures["workbench.calls"].sum.data_points}
    for each in figures["workbench.calls"].sum.data_points:
        calls[plain(each.attributes)["workbench.outcome"]] += each.as_int
    assert calls == {"ok": 5, "no_candidates": 1}
    used = figures["gen_ai.client.token.usage"]
    assert used.unit == "{token}"
    points = [(plain(each.attributes), each) for each in used.histogram.data_points]
    assert {known["gen_ai.token.type"] for known, _ in points} == {"input", "output"}
    assert sum(each.count for known, each in points if known["gen_ai.token.type"] == "output") == 5
    took = figures["gen_ai.client.operation.duration"]
    assert took.unit == "s"
    known = [plain(each.attributes) for each in took.histogram.data_points]
    assert all(each["gen_ai.operation.name"] == "chat" for each in known)
    assert {each["gen_ai.provider.name"] for each in known if "error.type" not in each} >= {"openai"}
    assert answers["plain"]["x_router"]["provider"] in {each.get("gen_ai.provider.name") for each in known}


def test_no_prompt_no_answer_no_key_and_no_quiet_tenant_is_in_anything_sent(
    told: tuple[Collected, dict[str, Any]],
) -> None:
    collected, answers = told
    sent = b"".join(collected.raw)
    said = answers["plain"]["choices"][0]["message"]["content"]
    assert CANARY in said, "the emulator repeats what it was asked"
    for secret in (CANARY, QUIET, said, "hello", "[emulated]", "sk-", "Bearer"):
        assert secret.encode() not in sent, secret
    assert call_of(collected, answers["plain"])["workbench.tenant"] == "acme-eu"
    for name in ("quiet", "state"):
        quiet = call_of(collected, answers[name])
        assert quiet["workbench.no_log"] is True
        assert "workbench.tenant" not in quiet
    assert set(collected.headers) == {f"Bearer {CANARY}"}, "its own key is sent where it belongs"


@pytest.mark.parametrize("how", ["down", "hangs"])
def test_a_collector_that_fails_fails_no_call_and_is_told_of_once(emulator: str, tmp_path: Path, how: str) -> None:
    small = {"OTEL_BSP_SCHEDULE_DELAY": "20", "OTEL_BSP_MAX_QUEUE_SIZE": "8", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "4",
             "OTEL_METRIC_EXPORT_INTERVAL": "50"}  # fmt: skip
    with ExitStack() as stack:
        bad = _bad(stack, how)
        made, client = stack.enter_context(serving(emulator, tmp_path, bad.url, **small))
        for _ in range(40):  # many times more than may wait
            assert say(client, tenant="acme-eu").status_code == 200
        if how != "down":
            assert bad.asked.wait(60)
        began = time.monotonic()
        errors = ended(made)
        assert time.monotonic() - began < CLOSE_S + 20  # a hang, not a figure
    assert errors.count("telemetry") == 1
    assert len(errors.splitlines()) == 1, errors
    assert CANARY not in errors


def _bad(stack: ExitStack, how: str) -> Collected:
    if how == "down":
        with socket.create_server(("127.0.0.1", 0)) as free:
            return Collected(f"http://127.0.0.1:{free.getsockname()[1]}")
    return stack.enter_context(collector(503, hangs=how == "hangs"))


ENDING = """
import time
from workbench.server.watching import otel
otel.CLOSE_S = 0.4
telemetry = otel.Telemetry.otlp()
telemetry.tracer.start_span("one").end()
began = time.monotonic()
telemetry.close()
print(time.monotonic() - began, flush=True)
"""
"""In a process of its own: what is still trying to send would go on among other tests."""


@pytest.mark.parametrize("how", ["down", "hangs", "refuses"])
def test_ending_waits_for_a_collector_no_longer_than_it_says(how: str) -> None:
    took: list[float] = []
    with ExitStack() as stack:
        environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": _bad(stack, how).url}
        while len(took) < 3 and min(took, default=9.0) > 0.6:
            ended = subprocess.run(
                [sys.executable, "-c", ENDING], env=environment, capture_output=True, text=True, check=True
            )
            took.append(float(ended.stdout))
    assert min(took) <= 0.6


def test_a_variable_that_cannot_be_read_is_a_usage_error(tmp_path: Path) -> None:
    found = run("serve", "--port", "0", "--otel", "--traces", tmp_path / "t.db", OTEL_METRIC_EXPORT_INTERVAL="0")
    assert found.code == 2
    assert "OTEL_" in found.err
    assert "Traceback" not in found.err


def test_every_route_has_its_name_and_nothing_else_has_one() -> None:
    for route in ROUTES:
        shape = re.sub(r"{\w+}", "{id}", route.path.removeprefix("/{profile}"))
        assert route_of(re.sub(r"{\w+}", "secret", route.path)) == shape
    for path in ("/x/secret", "/secret", "/x/rank/secret", "/secret/v1/chat", "/x/secret/rank"):
        assert route_of(path) == "other"
