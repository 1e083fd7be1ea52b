"""Receivers of spans over OTLP/HTTP: a small one that decodes by the protocol's own types, and the real collector."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from deploy.local.process.daemon import Daemon, Program
from deploy.local.process.ports import free_ports

SERVICE_NAME = "service.name"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedSpan:
    """A span as a receiver has it: who exported it, its place in a trace, and its length in nanoseconds."""

    service: str
    name: str
    trace_id: str
    parent_id: str
    nanoseconds: int


@dataclass(frozen=True, slots=True)
class SpanReceiver:
    """A running receiver: where spans are sent to, and the requests that have come out of it."""

    endpoint: str
    bodies: list[bytes] = field(default_factory=list)

    def read(self) -> list[ReceivedSpan]:
        """Return the spans received so far."""
        return [span for body in list(self.bodies) for span in _decode(body)]


@contextmanager
def run_small_receiver() -> Iterator[SpanReceiver]:
    """Run a receiver in a thread of this process."""
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200 if self.path == "/v1/traces" else 404)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:  # its lines are nobody's
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.05))
        thread.start()
        try:
            yield SpanReceiver(f"http://127.0.0.1:{server.server_port}", bodies)
        finally:
            server.shutdown()
            thread.join()


def _decode(body: bytes) -> Iterator[ReceivedSpan]:
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        service = next(one.value.string_value for one in resource.resource.attributes if one.key == SERVICE_NAME)
        for span in (one for scope in resource.scope_spans for one in scope.spans):
            yield ReceivedSpan(
                service=service,
                name=span.name,
                trace_id=span.trace_id.hex(),
                parent_id=span.parent_span_id.hex(),
                nanoseconds=span.end_time_unix_nano - span.start_time_unix_nano,
            )


@contextmanager
def run_collector(program: Path, folder: Path) -> Iterator[SpanReceiver]:
    """Run the OpenTelemetry collector that `make clients` has built as *program*; a small receiver takes its spans."""
    (port,) = free_ports(1)
    endpoint, settings = f"http://127.0.0.1:{port}", folder / "collector.yaml"
    with run_small_receiver() as receiver:
        settings.write_text(
            f"receivers: {{otlp: {{protocols: {{http: {{endpoint: '127.0.0.1:{port}'}}}}}}}}\n"
            f"exporters: {{otlp_http: {{endpoint: '{receiver.endpoint}', compression: none}}}}\n"
            "service: {pipelines: {traces: {receivers: [otlp], exporters: [otlp_http]}}}\n",
            encoding="utf-8",
        )
        command = (str(program), "--config", f"file:{settings}")
        daemon = Daemon(Program(name="collector", command=command, folder=folder, is_ready=lambda: _answers(endpoint)))
        daemon.start()
        try:
            yield SpanReceiver(endpoint, receiver.bodies)
        finally:
            daemon.stop()


def _answers(endpoint: str) -> bool:
    try:
        return httpx.get(endpoint).status_code == httpx.codes.NOT_FOUND
    except httpx.TransportError:
        return False
