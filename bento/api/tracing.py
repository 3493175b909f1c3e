"""Spans by OTLP over HTTP, switched on by the standard variables of OpenTelemetry; off, nothing of it is imported."""

import os
from functools import cache
from typing import TYPE_CHECKING

from bento import NAME

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

ENDPOINT_VARIABLES = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


def is_on() -> bool:
    """Return whether a collector is named, and OTEL_SDK_DISABLED and OTEL_TRACES_EXPORTER do not switch spans off."""
    is_disabled = os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    exporter = os.environ.get("OTEL_TRACES_EXPORTER", "").strip().lower() or "otlp"
    return not is_disabled and exporter == "otlp" and any(map(os.environ.get, ENDPOINT_VARIABLES))


@cache
def _provider() -> "TracerProvider":
    # The exporter, the sampler and the limits read their OTEL_* variables themselves.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    name = os.environ.get("OTEL_SERVICE_NAME") or NAME
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: name}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


def start(name: str, traceparent: str | None) -> "Span":
    """Start the span of a request, in the trace that its header `traceparent` names."""
    from opentelemetry.trace import SpanKind  # noqa: PLC0415
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

    context = TraceContextTextMapPropagator().extract({} if traceparent is None else {"traceparent": traceparent})
    return _provider().get_tracer(NAME).start_span(name, context, SpanKind.SERVER)


def end(span: "Span", attributes: dict[str, str | int | float], status: int) -> None:
    """End the span of a request; a status from 500 is an error of the service."""
    from opentelemetry.trace import StatusCode  # noqa: PLC0415

    span.set_attributes({**attributes, "http.response.status_code": status})
    if status >= 500:
        span.set_status(StatusCode.ERROR)
    span.end()


def close() -> None:
    """Send the spans that still wait."""
    if _provider.cache_info().currsize:
        _provider().shutdown()
