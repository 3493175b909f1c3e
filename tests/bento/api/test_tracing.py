"""With a collector named, each request leaves one span; without one, no span is made and nothing is imported."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from bento.api import tracing

TRACE_ID, PARENT_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SWITCHES = (*tracing.ENDPOINT_VARIABLES, "OTEL_SDK_DISABLED", "OTEL_TRACES_EXPORTER", "OTEL_SERVICE_NAME")
ASK = f"""
import logging
from tests.support.small_service import ask
from bento.api import tracing
for path in ("/predict", "/decisions/Camille", "/livez", "/broken"):
    answer = ask("GET" if "/decisions" in path or "/livez" in path else "POST", path,
                 traceparent="00-{TRACE_ID}-{PARENT_ID}-01", baggage="name=Camille")
    assert answer.headers["X-Request-ID"] == "{TRACE_ID}", answer.headers
tracing.close()
"""


class Collector(ThreadingHTTPServer):
    """Receives spans as an OpenTelemetry collector does."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Receiver)
        self.requests: list[ExportTraceServiceRequest] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def spans(self) -> list[Span]:
        resources = [resource for request in self.requests for resource in request.resource_spans]
        return [span for resource in resources for scope in resource.scope_spans for span in scope.spans]


class _Receiver(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        assert self.path == "/v1/traces"
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append(ExportTraceServiceRequest.FromString(body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(autouse=True)
def _no_switches(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SWITCHES:
        monkeypatch.delenv(name, raising=False)


def asked() -> None:
    """Ask a small service in a new process: spans are switched on as it starts."""
    done = subprocess.run([sys.executable, "-c", ASK], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.promise("spans go to the collector that OTEL_EXPORTER_OTLP_ENDPOINT names, one a request")
def test_each_request_leaves_one_span_in_the_trace_of_its_sender(collector: Collector, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)

    asked()

    spans = {span.name: span for span in collector.spans}
    assert sorted(spans) == ["GET /decisions/{decision_id}", "POST /predict", "POST elsewhere"]
    assert len(collector.spans) == len(spans)
    assert {(span.trace_id.hex(), span.parent_span_id.hex()) for span in spans.values()} == {(TRACE_ID, PARENT_ID)}
    assert spans["POST elsewhere"].status.code == 2
    assert "Camille" not in str(collector.requests)


def test_resource_and_sampler_follow_the_standard_variables(collector: Collector, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"{collector.url}/v1/traces")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "scores")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test")

    asked()

    attributes = collector.requests[0].resource_spans[0].resource.attributes
    named = {attribute.key: attribute.value.string_value for attribute in attributes}
    assert named["service.name"] == "scores"
    assert named["deployment.environment"] == "test"

    collector.requests.clear()
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    asked()
    assert collector.requests == []


@pytest.mark.parametrize(
    "switches",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_SDK_DISABLED": "true"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_off_no_exporter_is_imported(switches: dict[str, str], monkeypatch: pytest.MonkeyPatch):
    for name, value in switches.items():
        monkeypatch.setenv(name, value)
    script = (
        "import sys; from tests.support.small_service import ask; assert ask('POST', '/predict').status_code == 200;"
        "print('opentelemetry.exporter' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)

    assert done.stdout.splitlines()[-1] == "False"
