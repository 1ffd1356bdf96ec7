"""`GET /metrics`: counters under the public host's names. No caller, tenant or model is a label, on purpose.

One registry for each process of the endpoint; what is read only when somebody looks costs a request nothing.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Iterator
from itertools import accumulate
from typing import Any, Final

from workbench.server.exchange import Message, Receive, Scope, Send
from workbench.server.installed import missing

try:
    import prometheus_client as prometheus
    from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
    from prometheus_client.metrics_core import Metric
    from prometheus_client.registry import Collector
except ImportError:
    raise missing("prometheus-client") from None

CONTENT_TYPE: Final = b"text/plain; version=0.0.4; charset=utf-8"
BUCKETS: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
REASONS: Final = (
    "caller_auth", "caller_key_revoked", "caller_key_expired", "caller_route_not_allowed", "caller_tenant_not_allowed",
    "caller_rate_limit", "consumer_budget_exhausted", "router_overloaded", "caller_auth_unavailable",
    "caller_rate_limit_unavailable", "consumer_budget_unavailable",
)  # fmt: skip
STORES: Final = ("tokens", "limits", "traces", "health")

prometheus.disable_created_metrics()


class Metrics:
    """The counters of one process."""

    def __init__(self) -> None:
        self.registry = prometheus.CollectorRegistry()
        self.inflight = 0
        """Requests being answered."""
        self._began = time.monotonic()
        known: Any = {"registry": self.registry, "namespace": "llm_router"}
        self._rejections = prometheus.Counter("rejections", "Requests refused at the gate.", ["reason"], **known)
        self._store_errors = prometheus.Counter("store_errors", "Stores that did not answer.", ["kind"], **known)
        self._statuses: dict[int, int] = {}
        self._durations = [0] * (len(BUCKETS) + 1)
        self._seconds = 0.0
        self.registry.register(_Answers(self.answers))
        for reason in REASONS:
            self._rejections.labels(reason)
        for kind in STORES:
            self._store_errors.labels(kind)
        self._gauge("inflight_requests", "Requests being answered.", lambda: self.inflight)
        self._gauge("process_uptime_seconds", "Since this process began.", lambda: time.monotonic() - self._began)
        self.pending = 0
        """Requests that wait for leave to call."""
        self.capacity = 0
        """Most calls at once; 0 is no limit."""
        self._gauge("pending_requests", "Requests that wait for leave to call.", lambda: self.pending)
        self._gauge("capacity_requests", "Most calls at once; 0 is no limit.", lambda: self.capacity)
        self._lost: Callable[[], int] = lambda: 0
        self._lost_told = 0

    def _gauge(self, name: str, words: str, look: Callable[[], float]) -> None:
        gauge = prometheus.Gauge(name, words, registry=self.registry, namespace="llm_router")
        gauge.set_function(look)

    def traces(self, lost: Callable[[], int]) -> None:
        """Where it is read how many writes of traces were lost."""
        self._lost = lost

    def rejected(self, reason: str) -> None:
        """A request was refused at the gate."""
        self._rejections.labels(reason if reason in REASONS else "other").inc()

    def store_error(self, kind: str, count: int = 1) -> None:
        """A store did not answer."""
        self._store_errors.labels(kind).inc(count)

    def answered(self, status: int, seconds: float) -> None:
        """A request was answered to its end; sums alone, because every request pays for it."""
        self._statuses[status] = self._statuses.get(status, 0) + 1
        self._durations[bisect_left(BUCKETS, seconds)] += 1
        self._seconds += seconds

    def answers(self) -> Iterator[Metric]:
        """The counters of answers, as they are now."""
        words = "Requests answered, by status."
        counter = CounterMetricFamily("llm_router_requests", words, labels=["status"])
        for status, count in sorted(self._statuses.items()):
            counter.add_metric([str(status)], count)
        yield counter
        bounds = [*map(str, BUCKETS), "+Inf"]
        buckets = list(zip(bounds, accumulate(self._durations), strict=True))
        words = "From a request to the end of its answer."
        yield HistogramMetricFamily("llm_router_request_duration_seconds", words, buckets, self._seconds)

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        lost = self._lost()
        if lost > self._lost_told:
            self.store_error("traces", lost - self._lost_told)
            self._lost_told = lost
        return prometheus.generate_latest(self.registry)


class _Answers(Collector):
    """Asks when somebody looks."""

    def __init__(self, look: Callable[[], Iterator[Metric]]) -> None:
        self._look = look

    def collect(self) -> Iterator[Metric]:
        return self._look()

    def describe(self) -> list[Metric]:
        """Nothing is asked before somebody looks."""
        return []


Application = Callable[[Scope, Receive, Send], Awaitable[None]]
"""ASGI."""


class Measured:
    """An ASGI application whose requests are counted."""

    def __init__(self, app: Application, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        metrics = self._metrics
        status = 499  # nobody was answered: the client had gone

        async def seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        metrics.inflight += 1
        began = time.perf_counter()
        try:
            await self._app(scope, receive, seen)
        finally:
            metrics.inflight -= 1
            metrics.answered(status, time.perf_counter() - began)
