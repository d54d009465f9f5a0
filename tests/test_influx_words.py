"""collector.influx.judge: what a message says of a server's words, and what it never shows."""

import html
import json
import urllib.parse
from collections.abc import Callable

import httpx
import pytest
from leaks import know

from collector.errors import CollectorError
from collector.http import Answer
from collector.influx.judge import Asked, judge

SECRET = know('qz"ky/wörd\\ & <=jvx>')
ASKED = Asked(target="v2 http://h/ bucket b", place="bucket b", credential="token", hidden=("", SECRET))


def message(body: bytes, status: int = 400, headers: dict[str, str] | None = None) -> str:
    """Return what is said of an answer, without the target before it."""
    with pytest.raises(CollectorError) as caught:
        judge(Answer(status, httpx.Headers(headers), body), ASKED)
    assert "qz" not in repr(caught.value)
    return str(caught.value).removeprefix(f"{ASKED.target}: {status}")


@pytest.mark.parametrize(
    "written",
    [
        str,
        json.dumps,
        html.escape,
        urllib.parse.quote,
        urllib.parse.quote_plus,
        lambda secret: urllib.parse.quote(secret, safe="").lower(),
        lambda secret: json.dumps({"error": secret}),
        lambda secret: "x" * 130 + secret,
    ],
)
@pytest.mark.parametrize("status", [200, 400, 401, 413, 500])
def test_a_secret_that_is_said_back_is_not_shown(written: Callable[[str], str], status: int) -> None:
    """A server that says the token or the password back, in whatever form, does not bring it into a message."""
    said = message(f"no such user: {written(SECRET)}".encode() + b"x" * 400, status)
    assert "***" in said
    assert not any(part in said for part in ("qz", "ky", "jvx"))


def test_a_secret_is_not_in_the_repr_of_who_was_asked() -> None:
    """What a message must not show is not in a repr either."""
    assert SECRET not in repr(ASKED)
    assert "qz" not in repr(ASKED)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", ""),
        (b"{}", ": {}"),
        (b'{"error": ["not", "text"]}', ': {"error": ["not", "text"]}'),
        (b'{"error": "database is required"}', ": database is required"),
        (b'{"code": "invalid", "message": "bad timestamp"}', ": bad timestamp"),
        (b'{"error": "first", "message": "second"}', ": first; second"),
        (b'{"error": "partial write", "data": [{"error_message": "bad", "line_number": 1}]}', ": partial write; bad"),
        (b"a\x1b[31m\r\nb\x00c\xff", ": a [31m b c\N{REPLACEMENT CHARACTER}"),
        (b'{"error": "half \\ud800 and \\u202e turned"}', ": half and turned"),
        (b"[" * 100_000, ": " + "[" * 149 + "…" + "[" * 149),
    ],
)
def test_a_message_is_one_printable_line(body: bytes, said: str) -> None:
    """A message has the server's words from JSON or from plain text, on one line, without control characters."""
    assert message(body) == said


def test_long_words_keep_their_begin_and_their_end() -> None:
    """Of long words 300 characters are shown: a line of ours that is said back does not hide what is wrong with it."""
    said = message(b"unable to parse '" + b"n" * 70_000 + b"': max key length exceeded")
    assert said.startswith(": unable to parse 'nnn")
    assert said.endswith("nnn': max key length exceeded")
    assert len(said) <= len(": ") + 300


def test_words_of_a_header_are_heard() -> None:
    """InfluxDB 1.x says what is wrong in a header too; it is shown where there is no body."""
    assert message(b"", headers={"X-Influxdb-Error": "unable to parse"}) == ": unable to parse"
