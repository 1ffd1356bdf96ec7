"""OpenTelemetry, where it is asked for: a span for each request, one below it for each call, figures of calls.

Needs the extra `otel`. Names follow OpenTelemetry's conventions for HTTP and for generative AI; what is ours begins
with `workbench.`. Spans hold names of offers, numbers and closed words. No prompt and no answer is ever in one, and a
tenant is named only where its text may be kept at all. Where they go is OpenTelemetry's own business:
`OTEL_EXPORTER_OTLP_ENDPOINT` and the other variables of its specification. A collector that is down or slow costs what
was measured, and never a call.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable
from threading import Thread
from typing import Any, Final

from workbench.errors import Finding, UsageError
from workbench.server.exchange import Message, Receive, Scope, Send
from workbench.server.watching.metrics import Application
from workbench.traces.record import Record

NAME: Final = "policy-workbench"
CLOSE_S: Final = 3.0
"""Longest that the end of the process waits for a collector."""
COMPLAIN_S: Final = 60.0
"""Between two lines about a collector that cannot be reached."""
LOG: Final = logging.getLogger("workbench.server")
_ROUTES: Final = ("/v1/chat/completions", "/v1/responses", "/v1/models", "/x/policy/templates", "/x/traces")
_PLAIN: Final = frozenset((
    "/healthz", "/metrics", "/openapi.json", "/x/fields", "/x/rank", "/x/compile", "/x/explain", "/x/policy/normalize",
    "/x/policy/build", "/x/flow/normalize",
))  # fmt: skip
_SECONDS: Final = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_TOKENS: Final = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864)


class Telemetry:
    """The providers of spans and figures of one process."""

    def __init__(self, spans: Any, meters: Any, *, own: bool) -> None:
        self._spans = spans
        self._meters = meters
        self._own = own
        self.tracer: Any = spans.get_tracer(NAME)
        meter: Any = meters.get_meter(NAME)
        self._calls: Any = meter.create_counter("workbench.calls", unit="{call}", description="Calls, by outcome.")
        self._cost: Any = meter.create_counter("workbench.cost", unit="USD", description="What calls cost.")
        self._tokens: Any = meter.create_histogram(
            "gen_ai.client.token.usage", unit="{token}", description="Tokens of a call, by kind.",
            explicit_bucket_boundaries_advisory=_TOKENS,
        )  # fmt: skip
        self._duration: Any = meter.create_histogram(
            "gen_ai.client.operation.duration", unit="s", description="Whole calls, every attempt in them.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )  # fmt: skip

    @classmethod
    def otlp(cls) -> Telemetry:
        """Sent over OTLP/HTTP to where OpenTelemetry's own variables say.

        Raises `UsageError` without the extra, and for a variable that can't be read.
        """
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
        _Complaints.instead()
        try:
            resource = Resource.create({"service.name": NAME})
            spans = TracerProvider(resource=resource, shutdown_on_exit=False)
            spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
            reader = PeriodicExportingMetricReader(OTLPMetricExporter())
            meters = MeterProvider([reader], resource=resource, shutdown_on_exit=False)
        except ValueError:
            reason = "a variable of OpenTelemetry's can't be read"
            raise UsageError(reason, [Finding(reason, "otel", hint="look at those that begin with OTEL_")]) from None
        return cls(spans, meters, own=True)

    def ended(self, record: Record) -> None:
        """A call is over: its span, its figures, and what the request's span should say of it."""
        from opentelemetry import trace  # noqa: PLC0415 - the extra is there by now

        told = ours(record)
        if "." not in record.trace.head.trace_id:  # a flow's nodes are no request of their own
            trace.get_current_span().set_attributes(told)
        result = record.trace.result
        if result is None:
            return
        called, usage = operation(record), result.usage
        self._span(record, {**told, **called})
        self._calls.add(1, {"workbench.outcome": str(result.outcome), **_only(called, "gen_ai.provider.name")})
        kinds = _only(called, "gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "error.type")
        for kind, count in (("input", usage.tokens_in), ("output", usage.tokens_out)):
            if count is not None:
                self._tokens.record(int(count), {**kinds, "gen_ai.token.type": kind})
        if usage.cost_usd is not None:
            self._cost.add(usage.cost_usd, _only(called, "gen_ai.provider.name"))
        if result.total_latency_ms is not None:
            self._duration.record(result.total_latency_ms / 1000, kinds)

    def _span(self, record: Record, told: dict[str, Any]) -> None:
        """The call as a span of its own, below the request's."""
        from opentelemetry.trace import SpanKind, StatusCode  # noqa: PLC0415 - the extra is there by now

        result, end = record.trace.result, time.time_ns()
        took = None if result is None else result.total_latency_ms
        model = told.get("gen_ai.request.model")
        span = self.tracer.start_span(
            "chat" if model is None else f"chat {model}", kind=SpanKind.CLIENT, attributes=told,
            start_time=end - round((took or 0.0) * 1e6),
        )  # fmt: skip
        if "error.type" in told:
            span.set_status(StatusCode.ERROR)
        span.end(end)

    def close(self) -> None:
        """Send what waits, and end; a collector that does not answer is left after `CLOSE_S` seconds."""
        if not self._own:
            return
        latest = time.monotonic() + CLOSE_S
        ending = [Thread(target=_end, args=(each.shutdown,), daemon=True) for each in (self._spans, self._meters)]
        for thread in ending:
            thread.start()
        for thread in ending:
            thread.join(max(latest - time.monotonic(), 0.0))


def _end(shutdown: Callable[[], None]) -> None:
    with contextlib.suppress(Exception):  # whatever a collector does: the process is ending, and calls are over
        shutdown()


class _Complaints(logging.Handler):
    """What OpenTelemetry's parts complain of, in a line of ours once in a while: theirs may hold headers."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._next = 0.0

    @classmethod
    def instead(cls) -> None:
        """Say it in the place of what they would write."""
        theirs = logging.getLogger("opentelemetry")
        theirs.handlers, theirs.propagate = [cls()], False

    def emit(self, record: logging.LogRecord) -> None:
        del record
        now = time.monotonic()
        if now >= self._next:
            self._next = now + COMPLAIN_S
            LOG.warning("telemetry: what was measured may not arrive; look at the collector and at OTEL_*; calls go on")


def ours(record: Record) -> dict[str, Any]:
    """What a span says of a call in our own words: ids, names of the catalog, closed words and numbers."""
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
        told["workbench.model_family"] = str(offer.get("model_family"))
        told["workbench.region"] = str(offer.get("region"))
    figures = {"workbench.cost_usd": result.usage.cost_usd, "workbench.latency_ms": result.total_latency_ms}
    return {**told, **{name: value for name, value in figures.items() if value is not None}}


def operation(record: Record) -> dict[str, Any]:
    """What a span says of a call in the words of the conventions for generative AI."""
    result = record.trace.result
    told: dict[str, Any] = {"gen_ai.operation.name": "chat"}
    if result is None:
        return told
    if result.chosen is not None:
        offer = record.material.catalog.candidates[result.chosen]
        told["gen_ai.provider.name"] = str(offer.get("provider_id"))
        told["gen_ai.request.model"] = str(offer.get("served_model_id"))
    if result.outcome != "ok":
        told["error.type"] = str(result.outcome).removeprefix("exhausted: ")
    tokens = {
        "gen_ai.usage.input_tokens": result.usage.tokens_in,
        "gen_ai.usage.output_tokens": result.usage.tokens_out,
    }
    return {**told, **{name: int(count) for name, count in tokens.items() if count is not None}}


def _only(told: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: told[name] for name in names if name in told}


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
        with self._tracer.start_as_current_span(
            f"{method} {route}", kind=SpanKind.SERVER, record_exception=False, set_status_on_exception=False
        ) as span:  # an exception's words may be anybody's
            span.set_attribute("http.request.method", method)
            span.set_attribute("http.route", route)

            async def seen(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                    if message["status"] >= 500:
                        span.set_attribute("error.type", str(message["status"]))
                        span.set_status(StatusCode.ERROR)
                await send(message)

            try:
                await self._app(scope, receive, seen)
            except Exception as error:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(StatusCode.ERROR)
                raise


def route_of(path: str) -> str:
    """The route of a path, without what a caller may have written into it."""
    for route in _ROUTES:
        if path == route or path.endswith(route):
            return route
        if path.startswith(f"{route}/"):
            return f"{route}/{{id}}"
    return path if path in _PLAIN else "other"
