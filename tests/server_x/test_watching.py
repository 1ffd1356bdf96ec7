"""Counters and spans: under the known names, true, and without a tenant, a prompt or a token in them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from prometheus_client.parser import text_string_to_metric_families

from tests.server_x.endpoint import Served, served
from workbench.server.callers.gate import Settings
from workbench.server.net.assembly import Process
from workbench.server.watching.otel import Telemetry

CANARY = "canary-5e1f"


def samples(made: Served, token: str | None = None) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    answer = made.get("/metrics", **headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]
    return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in found}


def test_the_known_names_are_there_and_no_label_tells_who(emulator: str, tmp_path: Path) -> None:
    with served(tmp_path, emulator, settings=Settings(required=True, capacity=9)) as made:
        secret = made.token(CANARY, tenants=("acme-eu",), rate_per_minute=1)
        made.chat(secret)
        made.chat(secret)
        made.chat("wrong")
        found = samples(made, made.token("reader"))
    names = {name for name, _ in found}
    assert names >= {
        "llm_router_inflight_requests", "llm_router_pending_requests", "llm_router_capacity_requests",
        "llm_router_requests_total", "llm_router_rejections_total", "llm_router_store_errors_total",
        "llm_router_request_duration_seconds_bucket", "llm_router_process_uptime_seconds",
    }  # fmt: skip
    labels = {label for _, pairs in found for label, _ in pairs}
    assert labels == {"status", "reason", "kind", "le"}
    assert not any(CANARY in value or "acme" in value for _, pairs in found for _, value in pairs)
    assert found["llm_router_requests_total", (("status", "200"),)] == 1
    assert found["llm_router_requests_total", (("status", "429"),)] == 1
    assert found["llm_router_rejections_total", (("reason", "caller_rate_limit"),)] == 1
    assert found["llm_router_rejections_total", (("reason", "caller_auth"),)] == 1
    assert found["llm_router_capacity_requests", ()] == 9
    assert found["llm_router_inflight_requests", ()] == 1  # the question itself
    bounds = sorted(float(dict(pairs)["le"]) for name, pairs in found if name.endswith("_bucket"))
    assert (bounds[0], bounds[-2]) == (0.1, 120.0)


def test_metrics_are_not_public(emulator: str, tmp_path: Path) -> None:
    with served(tmp_path, emulator, settings=Settings(required=True)) as made:
        assert made.get("/metrics").status_code == 401


@pytest.fixture
def memory() -> tuple[Telemetry, InMemorySpanExporter, InMemoryMetricReader]:
    spans, reader, provider = InMemorySpanExporter(), InMemoryMetricReader(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return Telemetry(provider, MeterProvider([reader]), own=False), spans, reader


def test_a_call_has_a_span_with_its_decision_and_none_of_its_words(
    emulator: str, tmp_path: Path, memory: tuple[Telemetry, InMemorySpanExporter, InMemoryMetricReader]
) -> None:
    telemetry, spans, reader = memory

    def watched(process: Process) -> None:
        process.telemetry = telemetry
        process.listeners.append(telemetry.ended)

    with served(tmp_path, emulator, prepare=watched) as made:
        said = [{"role": "user", "content": CANARY}]
        for tenant in ("acme-eu", "corvane-bank"):
            made.chat(None, tenant=tenant, messages=said)
        made.get(f"/x/traces/{CANARY}")
        made.get(f"/{CANARY}")
    every: list[Any] = list(spans.get_finished_spans())
    found = [span for span in every if span.kind is SpanKind.SERVER]
    assert [span.name for span in found] == [
        "POST /v1/chat/completions", "POST /v1/chat/completions", "GET /x/traces/{id}", "GET other",
    ]  # fmt: skip
    first, quiet = found[0].attributes, found[1].attributes
    assert first["workbench.tenant"] == "acme-eu"
    assert (first["workbench.outcome"], first["workbench.region"], first["http.response.status_code"]) == (
        "ok",
        "eu",
        200,
    )
    assert re.fullmatch(r"[0-9]+-[0-9]+", first["workbench.policy_fingerprint"])
    assert quiet["workbench.no_log"] is True
    assert "workbench.tenant" not in quiet
    data: Any = reader.get_metrics_data()
    assert CANARY not in f"{[span.to_json() for span in every]}{data.to_json()}"
    assert "workbench.calls" in data.to_json()


def test_each_answer_is_counted_once(endpoint: Served) -> None:
    metrics = endpoint.process.host.metrics
    endpoint.get("/healthz")
    before = samples(endpoint)["llm_router_requests_total", (("status", "200"),)]
    for _ in range(100):
        metrics.answered(200, 0.01)
    assert samples(endpoint)["llm_router_requests_total", (("status", "200"),)] == before + 101
