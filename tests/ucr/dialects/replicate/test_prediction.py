import json

import pytest

from tests.world.replicate import ID, prediction, streaming
from ucr.dialects.replicate.prediction import Place, Prediction, read_prediction, stream_of
from ucr.errors import UpstreamError

HOME = "https://api.replicate.com/v1"


def read(fields: object) -> Prediction:
    return read_prediction(json.dumps(fields).encode(), "p")


ENDED = ["succeeded", "failed", "canceled", "aborted"]


@pytest.mark.parametrize("status", ["starting", "processing", "novel", *ENDED])
def test_a_prediction_has_ended_or_goes_on(status: str) -> None:
    found = read(prediction(status))
    assert (found.id, found.status, found.has_ended) == (ID, status, status in ENDED)


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b"{}", b'{"id":"a/../b","status":"x"}', b'{"id":"a"}', b'{"id":1,"status":"x"}']
)
def test_what_is_no_prediction_is_refused(body: bytes) -> None:
    with pytest.raises(UpstreamError, match="provider 'p' answered what is"):
        read_prediction(body, "p")


@pytest.mark.parametrize(
    ("base_url", "url", "place"),
    [
        (
            HOME,
            "https://stream.replicate.com/v1/files/a?b=c",
            Place("https", "stream.replicate.com", 443, "/v1/files/a?b=c"),
        ),
        (
            HOME,
            "https://stream-b.svc.ric1.c.replicate.net/v1/x",
            Place("https", "stream-b.svc.ric1.c.replicate.net", 443, "/v1/x"),
        ),
        (HOME, "https://api.replicate.com", Place("https", "api.replicate.com", 443, "/")),
        ("http://up.test/v1", "http://stream.up.test:8000/x", Place("http", "stream.up.test", 8000, "/x")),
        ("http://127.0.0.1:9/v1", "http://127.0.0.1:9/x", Place("http", "127.0.0.1", 9, "/x")),
        (HOME, "http://stream.replicate.com/x", None),
        (HOME, "https://evil.example/x", None),
        (HOME, "https://evilreplicate.com/x", None),
        (HOME, "https://stream.replicate.com.evil.example/x", None),
        (HOME, "https://169.254.169.254/latest", None),
        (HOME, "file:///etc/passwd", None),
        (HOME, "https://stream.replicate.com/a b", None),
        (HOME, "https://stream.replicate.com/a\r\nx: y", None),
        (HOME, "https://stream.replicate.com:99999/", None),
        ("http://up.test/v1", "http://other.test/x", None),
        ("http://127.0.0.1:9/v1", "http://1.127.0.0.2/x", None),
        ("http://127.0.0.1:9/v1", "http://10.0.0.1/x", None),
        ("http://127.0.0.1:9/v1", "http://x.127.0.0.1/x", None),
    ],
)
def test_a_stream_is_only_where_the_provider_is(base_url: str, url: str, place: Place | None) -> None:
    assert stream_of(read(streaming(url)), base_url) == place


def test_a_prediction_may_have_no_stream() -> None:
    assert stream_of(read(prediction()), HOME) is None
    assert stream_of(read(prediction(urls=None)), HOME) is None
