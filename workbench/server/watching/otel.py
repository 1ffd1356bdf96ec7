"""OpenTelemetry, where it is asked for: a span for each request, figures for each call. Needs the extra `otel`.

Spans hold names of offers, numbers and closed words. No prompt and no answer is ever in one, and a tenant is named only
where its text may be kept at all. Where they go is OpenTelemetry's own business: `OTEL_EXPORTER_OTLP_ENDPOINT` and the
other variables of its specification.
"""

from __future__ import annotations

from typing import Any, Final

from workbench.errors import Finding, UsageError
from workbench.server.exchange import Message, Receive, Scope, Send
from workbench.server.watching.metrics import Application
from workbench.traces.record import Record

NAME: Final = "policy-workbench"
_ROUTES: Final = ("/v1/chat/completions", "/v1/responses", "/v1/models", "/x/policy/templates", "/x/traces")


class Telemetry:
    """The providers of spans and figures of one process."""

    def __init__(self, spans: Any, meters: Any, *, own: bool) -> None:
        self._spans = spans
        self._meters = meters
        self._own = own
        self.tracer: Any = spans.get_tracer(NAME)
        meter: Any = meters.get_meter(NAME)
        self._calls: Any = meter.create_counter("workbench.calls", unit="{call}", description="Calls, by outcome.")
        self._tokens: Any = meter.create_counter("workbench.tokens", unit="{token}", description="Tokens, by kind.")
        self._cost: Any = meter.create_counter("workbench.cost", unit="USD", description="What calls cost.")
        self._latency: Any = meter.create_histogram("workbench.call.duration", unit="ms", description="Whole calls.")

    @classmethod
    def otlp(cls) -> Telemetry:
        """Sent over OTLP/HTTP to where OpenTelemetry's own variables say. Raises `UsageError` without the extra."""
        try:
            from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter  # noqa: PLC0415
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
            from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415
            from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader  # noqa: PLC0415
            from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
            from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
            from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
        except ImportError:
            finding = Finding("--otel needs the extra `otel`", "extra", hint="pip install 'policy-workbench[otel]'")
            raise UsageError("OpenTelemetry is not there", [finding]) from None
        resource = Resource.create({"service.name": NAME})
        spans = TracerProvider(resource=resource)
        spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        reader = PeriodicExportingMetricReader(OTLPMetricExporter())
        return cls(spans, MeterProvider([reader], resource=resource), own=True)

    def ended(self, record: Record) -> None:
        """A call is over: its figures, and what the request's span should say of it."""
        from opentelemetry import trace  # noqa: PLC0415 - the extra is there by now

        told = attributes(record)
        trace.get_current_span().set_attributes(told)
        result = record.trace.result
        if result is None:
            return
        kinds = {"outcome": str(result.outcome), "provider": str(told.get("gen_ai.provider.name", "none"))}
        self._calls.add(1, kinds)
        usage = result.usage
        for kind, count in (("input", usage.tokens_in), ("output", usage.tokens_out)):
            if count is not None:
                self._tokens.add(int(count), {"kind": kind, "provider": kinds["provider"]})
        if usage.cost_usd is not None:
            self._cost.add(usage.cost_usd, {"provider": kinds["provider"]})
        if result.total_latency_ms is not None:
            self._latency.record(result.total_latency_ms, kinds)

    def close(self) -> None:
        """Send what waits, and end."""
        if self._own:
            self._spans.shutdown()
            self._meters.shutdown()


def attributes(record: Record) -> dict[str, Any]:
    """What a span says of a call: ids, names of the catalog, closed words and numbers."""
    trace, material = record.trace, record.material
    head, result = trace.head, trace.result
    told: dict[str, Any] = {
        "workbench.trace_id": str(head.trace_id),
        "workbench.policy_fingerprint": str(head.policy_fingerprint),
        "workbench.no_log": trace.no_log,
        "workbench.emulated": head.emulated,
    }
    if not trace.no_log:
        told["workbench.tenant"] = str(head.tenant)
    if result is None:
        return told
    told["workbench.outcome"] = str(result.outcome)
    told["workbench.steps"] = len(trace.steps)
    if result.chosen is not None:
        offer = material.catalog.candidates[result.chosen]
        told["gen_ai.provider.name"] = str(offer.get("provider_id"))
        told["gen_ai.request.model"] = str(offer.get("served_model_id"))
        told["workbench.model_family"] = str(offer.get("model_family"))
        told["workbench.region"] = str(offer.get("region"))
    usage = result.usage
    figures = {
        "gen_ai.usage.input_tokens": usage.tokens_in,
        "gen_ai.usage.output_tokens": usage.tokens_out,
        "workbench.cost_usd": usage.cost_usd,
        "workbench.latency_ms": result.total_latency_ms,
    }
    return {**told, **{name: value for name, value in figures.items() if value is not None}}


class Spanned:
    """An ASGI application with a span for each request."""

    def __init__(self, app: Application, telemetry: Telemetry) -> None:
        self._app = app
        self._tracer = telemetry.tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        from opentelemetry.trace import SpanKind, StatusCode  # noqa: PLC0415 - the extra is there by now

        method, route = scope["method"], route_of(scope["path"])
        with self._tracer.start_as_current_span(f"{method} {route}", kind=SpanKind.SERVER) as span:
            span.set_attribute("http.request.method", method)
            span.set_attribute("http.route", route)

            async def seen(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                    if message["status"] >= 500:
                        span.set_status(StatusCode.ERROR)
                await send(message)

            await self._app(scope, receive, seen)


def route_of(path: str) -> str:
    """The route of a path, without what a caller may have written into it."""
    for route in _ROUTES:
        if path == route or path.endswith(route):
            return route
        if path.startswith(f"{route}/"):
            return f"{route}/{{id}}"
    known = path in {"/healthz", "/metrics", "/openapi.json"} or path.startswith("/x/")
    return path[:64] if known and path.replace("/", "").isalpha() else "other"
