"""The sinks: what each answer of a server means for the points, whichever API was asked, and what is said of it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from columns import columns
from origins import Origin, Reply

from collector.batch import NO_ROWS
from collector.errors import CollectorError, Expired, Missing, Rejected, TooLarge, Unauthorized, Unavailable
from collector.http import Http
from collector.influx import V1, V2, open_sink
from collector.point import Point, Series
from collector.settings import Influx

POINTS = [Point(Series("exposure_score", (("tenant", "contoso"),)), 1700000000123, {"score": 33.5})]
SETTINGS: dict[str, dict[str, Any]] = {
    "v1": {"api": "v1", "database": "exposure", "username": "collector", "password": "s3cret"},
    "v2": {"api": "v2", "org": "security", "bucket": "exposure", "token": "s3cret"},
}

PAGE = b"<!doctype html><title>Sign in to Contoso</title>"
CONFLICT = 'partial write: field type conflict: input field "score" on measurement "exposure_score" is type integer'
# As InfluxDB 1.11 and 2.7 end the words of every partial write.
WHERE = "dropped=3 for database: 9f282d63c7d3a5c0 for retention policy: autogen"
BOUND = "violates a Retention Policy Lower Bound at 2025-09-02T09:04:10.7684903Z"
OUTSIDE = (
    f"partial write: dropped 3 points outside retention policy of duration 72h0m0s - oldest point dropped: {BOUND}"
)


@pytest.fixture(name="origin")
def _origin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Origin]:
    monkeypatch.setenv("NO_PROXY", "*")
    with Origin(lambda *_: Reply(status=204)) as origin:
        yield origin


@pytest.fixture(name="sink", params=SETTINGS)
def _sink(request: pytest.FixtureRequest, origin: Origin) -> Iterator[V1 | V2]:
    http = Http()
    yield open_sink("main", Influx(url=origin.url, timeout_seconds=10, **SETTINGS[request.param]), http)
    http.close()


def error(**document: object) -> bytes:
    """Return the body of an InfluxDB's error."""
    return json.dumps(document).encode()


def refused(sink: V1 | V2, origin: Origin, reply: Reply) -> CollectorError:
    """Return what a write raises at this answer; hold that it was asked once, without a retry."""
    origin.talk = lambda *_: reply
    with pytest.raises(CollectorError) as caught:
        sink.write(columns(POINTS))
    assert len(origin.requests) == 1
    return caught.value


def test_204_is_success(sink: V1 | V2, origin: Origin) -> None:
    """A 204 is the one answer that says: stored."""
    sink.write(columns(POINTS))
    assert origin.requests[0].body == b"exposure_score,tenant=contoso score=33.5 1700000000123\n"


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, PAGE, Unauthorized),
        (200, b"{}", Unauthorized),
        (202, b"", Unauthorized),
        (301, PAGE, Unauthorized),
        (302, PAGE, Unauthorized),
        (307, b"", Unauthorized),
        (400, error(error="unable to parse 'nonsense,,': missing tag key"), Rejected),
        (400, error(error=f"{CONFLICT} dropped=1"), Rejected),
        (422, error(code="unprocessable entity", message=f"failure writing points: {CONFLICT} {WHERE}"), Rejected),
        (400, b"no JSON at all", Rejected),
        (400, b"", Rejected),
        (400, b"[" * 100_000, Rejected),
        (400, b'{"error": [{"message": 1e400}, true, NaN]}', Rejected),
        (503, b'{"error":' * 100_000, Unavailable),
        (400, error(error="partial write: points beyond retention policy dropped=3"), Expired),
        (422, error(code="unprocessable entity", message=f"failure writing points: {OUTSIDE} {WHERE}"), Expired),
        (400, error(error="partial write: max-series-per-database limit exceeded: (9) dropped=3"), Unauthorized),
        (400, error(error='partial write: max-values-per-tag limit exceeded (9/9): tag="tenant"'), Unauthorized),
        (400, error(error="unable to parse 'a,n=max-values-per-tag limit exceeded': missing fields"), Rejected),
        (400, error(error="retention policy not found: nowhere"), Missing),
        (422, error(error='database not found: "nowhere"'), Missing),
        (401, error(error="authorization failed"), Unauthorized),
        (401, error(error="points beyond retention policy dropped=3"), Unauthorized),
        (402, b"", Unauthorized),
        (403, error(error="points beyond retention policy dropped=3"), Unauthorized),
        (404, error(error="points beyond retention policy dropped=3"), Unauthorized),
        (404, error(code="not found", message='bucket "exposure" not found'), Missing),
        (404, b"404 page not found\n", Unauthorized),
        (405, b"", Unauthorized),
        (407, b"", Unauthorized),
        (408, b"", Unavailable),
        (413, error(code="request too large", message="unable to read data: points batch is too large"), TooLarge),
        (418, b"", Unauthorized),
        (429, b"", Unavailable),
        (500, error(error="timeout"), Unavailable),
        (500, error(error="retention policy not found: nowhere"), Missing),
        (502, PAGE, Unavailable),
        (503, b"", Unavailable),
        (504, b"", Unavailable),
    ],
)
def test_every_answer_has_its_meaning(
    status: int, body: bytes, expected: type[CollectorError], sink: V1 | V2, origin: Origin
) -> None:
    """Nothing but 204 is success; what is kept, halved, dead-lettered or passed over is told by the table alone."""
    raised = refused(sink, origin, Reply(body, status, {"Location": "/elsewhere"}))
    assert type(raised) is expected
    assert str(raised).startswith(f"{sink.target}: {status}")
    assert bool(raised.mend) == issubclass(expected, Unauthorized)


@pytest.mark.parametrize(
    "body",
    [
        error(error="unable to parse 'a,n=points beyond retention policy': missing fields"),
        error(
            error="partial write of line protocol occurred",
            data=[{"original_line": 'a text="points beyond retention policy"', "error_message": "invalid column type"}],
        ),
        error(error="parsing failed", data={"original_line": "points beyond retention policy", "line_number": 1}),
    ],
)
def test_a_line_that_is_said_back_does_not_make_it_expired(body: bytes, sink: V1 | V2, origin: Origin) -> None:
    """A rejected point is dead-lettered even if its own text reads like the words for a point that is too old."""
    assert type(refused(sink, origin, Reply(body, 400))) is Rejected


@pytest.mark.parametrize(
    ("words", "dropped"),
    [
        ("partial write: points beyond retention policy dropped=17", 17),
        (f"{OUTSIDE} {WHERE}", 3),
        ("time is outside the retention period", None),
    ],
)
def test_expired_says_how_many_were_dropped(words: str, dropped: int | None, sink: V1 | V2, origin: Origin) -> None:
    """An Expired says how many points the server says it dropped, or that it doesn't say."""
    raised = refused(sink, origin, Reply(error(message=words), 422))
    assert isinstance(raised, Expired)
    assert raised.dropped == dropped


@pytest.mark.parametrize(
    ("status", "headers", "retry_after", "throttled"),
    [
        (429, {"Retry-After": "17"}, 17.0, True),
        (429, {}, None, True),
        (503, {"Retry-After": "120"}, 120.0, False),
        (500, {}, None, False),
    ],
)
def test_a_server_that_asks_for_time_is_given_it(
    status: int,
    headers: dict[str, str],
    retry_after: float | None,
    sink: V1 | V2,
    origin: Origin,
    *,
    throttled: bool,
) -> None:
    """An Unavailable carries the seconds of Retry-After, and whether it was a 429."""
    raised = refused(sink, origin, Reply(b"", status, headers))
    assert isinstance(raised, Unavailable)
    assert (raised.retry_after, raised.throttled) == (retry_after, throttled)


@pytest.mark.parametrize(
    ("status", "body", "mend"),
    [
        (200, PAGE, "see influxdb.main.url (http or https"),
        (301, b"", "see influxdb.main.url (http or https"),
        (401, b"", "correct {credential}"),
        (403, b"", "grant write on the {place}"),
        (404, b"", "see influxdb.main.url and influxdb.main.api"),
        (404, error(message='bucket "exposure" not found'), "create the {place} with `exposure-collector provision`"),
        (404, error(code="not found", message='organization name "exile" not found'), "correct influxdb.main.org"),
        (400, b"Client sent an HTTP request to an HTTPS server.\n", "write influxdb.main.url with https://"),
        (400, b"<h1>The plain HTTP request was sent to HTTPS port</h1>", "write influxdb.main.url with https://"),
        (405, b"", "see influxdb.main.url and influxdb.main.api"),
        (407, b"", "put user and password into the proxy's URL"),
        (418, b"", "see what the server says"),
    ],
)
def test_unauthorized_says_what_to_look_at(status: int, body: bytes, mend: str, sink: V1 | V2, origin: Origin) -> None:
    """Each Unauthorized names what a person has to look at, grant or create."""
    names = {
        "v1": {"place": "database exposure", "credential": "influxdb.main.username and its password"},
        "v2": {"place": "bucket exposure of organization security", "credential": "influxdb.main.token"},
    }
    assert refused(sink, origin, Reply(body, status)).mend.startswith(mend.format(**names[sink.target[:2]]))


def test_a_sign_in_that_is_said_back_is_not_shown(sink: V1 | V2, origin: Origin) -> None:
    """A server that says the Authorization header back does not bring it into a message."""
    origin.talk = lambda request, _: Reply(error(error=request.headers["authorization"]), 401)
    with pytest.raises(Unauthorized, match=r"401: (Basic|Token) \*\*\*$"):
        sink.write(columns(POINTS))


@pytest.mark.parametrize("words", ["writing requires points", "incoming write was empty"])
def test_asking_is_answered_by_a_server_that_only_lacks_points(words: str, sink: V1 | V2, origin: Origin) -> None:
    """A write without points is well where 2.x or 3.x misses nothing but points; with points it is a rejection."""
    origin.talk = lambda *_: Reply(error(code="invalid", message=words), 400)
    sink.write(NO_ROWS)
    with pytest.raises(Rejected):
        sink.write(columns(POINTS))


@pytest.mark.parametrize(
    ("status", "words", "expected"),
    [
        (200, "writing requires points", Unauthorized),
        (400, "unable to parse '#'", Rejected),
        (401, "writing requires points", Unauthorized),
        (503, "writing requires points", Unavailable),
    ],
)
def test_asking_fails_as_a_write_would(
    status: int, words: str, expected: type[CollectorError], sink: V1 | V2, origin: Origin
) -> None:
    """A write without points raises what a write with points would raise."""
    origin.talk = lambda *_: Reply(error(error=words), status)
    with pytest.raises(expected) as caught:
        sink.write(NO_ROWS)
    assert type(caught.value) is expected


def test_a_body_that_no_influxdb_sends_is_unauthorized(sink: V1 | V2, origin: Origin) -> None:
    """An answer that can't be read comes from something else: the points are kept, and a person is told."""
    raised = refused(sink, origin, Reply(b"?", 200, {"Content-Encoding": "br"}))
    assert type(raised) is Unauthorized
    assert raised.mend.startswith("see influxdb.main.url")


@pytest.mark.parametrize(
    ("status", "body", "seen"),
    [
        (200, {"results": [{"statement_id": 0}]}, 0),
        (200, {"results": [{"series": [{"name": "measurements", "values": [["a"], ["b"]]}]}]}, 2),
        (200, {"results": [{"series": [{"name": "databases", "values": [["_internal"]]}]}]}, 0),
        (200, {"results": [{"error": "not authorized to read"}]}, Unauthorized),
        (200, {"results": []}, Unauthorized),
        (200, {"results": ["?"]}, Unauthorized),
        (200, [], Unauthorized),
        (204, {}, Unauthorized),
        (400, {"error": "database not found"}, Missing),
        (401, {}, Unauthorized),
        (403, {}, Unauthorized),
        (404, {}, Unauthorized),
        (429, {}, Unavailable),
        (503, {}, Unavailable),
    ],
)
def test_reading_is_answered_by_a_number(
    status: int, body: object, seen: int | type[CollectorError], sink: V1 | V2, origin: Origin
) -> None:
    """A read says how many measurements there are, or that a person has to grant it."""
    origin.talk = lambda *_: Reply(json.dumps(body).encode(), status)
    if isinstance(seen, int):
        assert sink.read() == seen
        assert origin.requests[0].target == "/query?db=exposure&q=SHOW+MEASUREMENTS"
    else:
        with pytest.raises(seen) as caught:
            sink.read()
        assert type(caught.value) is seen


def test_a_page_instead_of_measurements_is_unauthorized(sink: V1 | V2, origin: Origin) -> None:
    """A sign-in page where measurements should be is not a number of them."""
    origin.talk = lambda *_: Reply(PAGE)
    with pytest.raises(Unauthorized, match="Sign in to Contoso"):
        sink.read()
