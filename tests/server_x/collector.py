"""A collector of OpenTelemetry on a real socket: keeps what it is sent, or misbehaves."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(slots=True)
class Collected:
    """What came in."""

    url: str = ""
    traces: list[Any] = field(default_factory=list[Any])
    metrics: list[Any] = field(default_factory=list[Any])
    raw: list[bytes] = field(default_factory=list[bytes])
    """Each body as it came, unpacked."""
    headers: list[str] = field(default_factory=list[str])
    """The `authorization` of each request."""
    asked: threading.Event = field(default_factory=threading.Event)
    """Set once anything came."""
    leave: threading.Event = field(default_factory=threading.Event)
    """Ends those who hang."""

    @property
    def spans(self) -> list[Any]:
        """Every span, in the order in which they came."""
        return [
            span
            for request in self.traces
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def resources(self) -> Iterator[dict[str, Any]]:
        """What each request says of its sender."""
        for request in self.traces:
            yield from (plain(each.resource.attributes) for each in request.resource_spans)
        for request in self.metrics:
            yield from (plain(each.resource.attributes) for each in request.resource_metrics)

    @property
    def figures(self) -> dict[str, Any]:
        """The last state of each figure, by name."""
        return {
            metric.name: metric
            for request in self.metrics
            for resource in request.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


def plain(attributes: Any) -> dict[str, Any]:
    """Attributes as values of Python."""
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


@contextmanager
def collector(status: int = 200, *, hangs: bool = False) -> Generator[Collected]:
    """One that answers everything with `status`, or takes what comes and never answers."""
    made = Collected()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["content-length"]))
            data = gzip.decompress(data) if self.headers.get("content-encoding") == "gzip" else data
            made.raw.append(data)
            made.headers.append(self.headers.get("authorization", ""))
            made.asked.set()
            if hangs:
                made.leave.wait(60)
                return
            if self.path == "/v1/traces":
                made.traces.append(ExportTraceServiceRequest.FromString(data))
            elif self.path == "/v1/metrics":
                made.metrics.append(ExportMetricsServiceRequest.FromString(data))
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as above
            """Nothing is written."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield made
        finally:
            made.leave.set()
            server.shutdown()
            thread.join(30)
