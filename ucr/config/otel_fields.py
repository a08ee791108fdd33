"""The section of the configuration file about traces for OpenTelemetry."""

from ucr.config.field import Field, Section
from ucr.config.kinds import Flag, HeaderTable, Number, Text, Url
from ucr.config.model import Otel

_OTEL = Otel()

OTEL = Section(
    "otel",
    'Traces for OpenTelemetry; needs `pip install "ucr-trio[otel]"`; see [observability.md](observability.md).',
    (
        Field("enabled", Flag(), _OTEL.enabled, "Whether spans of requests are made and sent."),
        Field("endpoint", Url(), _OTEL.endpoint, "Where they are sent, by OTLP over HTTP."),
        Field("headers", HeaderTable(), {}, "Headers of what is sent, such as the key of the receiver."),
        Field("service_name", Text(), _OTEL.service_name, "The name under which the router appears."),
        Field(
            "sample",
            Number(0, 1),
            _OTEL.sample,
            "Part of the traces that begin here; those of clients follow the client.",
        ),
    ),
    '[otel]\nenabled = true\nendpoint = "http://127.0.0.1:4318/v1/traces"',
)
