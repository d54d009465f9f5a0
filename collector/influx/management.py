"""Exchanges that look at what a server has, or change it. Is not the way of points (`server.py`), and knows no plan."""

import json
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from collector.errors import Unauthorized, Unavailable
from collector.http import Answer
from collector.influx.judge import Asked, message, refusal, words
from collector.influx.server import Server

_NO_PING = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS})
_DONE = frozenset({HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT})
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_JSON = {"Content-Type": "application/json"}


class Forbidden(Unauthorized):
    """Whoever asked is not known there, or may not; somebody else may. Never leaves this room."""


class Management:
    """Asks one server. `credential`: what the caller knows us by, where that isn't what the settings say."""

    def __init__(self, server: Server, credential: str = "") -> None:
        self._server = server
        self._asked = replace(server.asked, credential=credential) if credential else server.asked

    @property
    def asked(self) -> Asked:
        """Who is asked, for messages."""
        return self._asked

    def ping(self) -> Answer:
        """Return what the server says of itself; raise Forbidden where it tells only whom it knows, or Unavailable."""
        answer, asked = self._server.send("GET", f"{self._server.url}/ping", self._asked, {}, None)
        if answer.status in _NO_PING or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise _refused(answer, asked)
        return answer

    def influxql(self, statement: str) -> list[dict[str, Any]]:
        """Return the rows of an InfluxQL statement; raise Forbidden, Unauthorized (also for its error), Unavailable."""
        body = urlencode({"q": statement}).encode()
        answer, asked = self._server.send("POST", f"{self._server.url}/query", self._asked, _FORM, body)
        if answer.status != HTTPStatus.OK:
            raise _refused(answer, asked)
        try:
            (result,) = json.loads(answer.body)["results"]
            rows = [
                dict(zip(series["columns"], row, strict=True))
                for series in result.get("series", ())
                for row in series.get("values", ())
            ]
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            raise self.strange(answer, asked) from None
        if "error" in result:
            raise Unauthorized(message(answer.status, words(answer), asked), mend="see what the server says")
        return rows

    def get(self, path: str, query: Mapping[str, str], *, missing: object = None) -> Any:  # noqa: ANN401 - it is JSON
        """Return the JSON at a path, `missing` where 2.x says that there is no such thing; raise as `influxql` does."""
        url = f"{self._server.url}{path}?{urlencode(query)}"
        answer, asked = self._server.send("GET", url, self._asked, {"Accept": "application/json"}, None)
        try:
            document = json.loads(answer.body)
        except (ValueError, RecursionError):
            document = None
        if answer.status == HTTPStatus.OK and document is not None:
            return document
        # Anything may answer 404 to a path that it doesn't know.
        lacks = answer.status == HTTPStatus.NOT_FOUND and isinstance(document, dict) and "code" in document
        if lacks and missing is not None:
            return missing
        raise self.strange(answer, asked) if answer.status == HTTPStatus.OK else _refused(answer, asked)

    def change(self, method: str, path: str, document: Mapping[str, object]) -> None:
        """Return once the server has said yes, which only a further look proves; raise as `influxql` does."""
        body = json.dumps(document).encode()
        answer, asked = self._server.send(method, f"{self._server.url}{path}", self._asked, _JSON, body)
        if answer.status not in _DONE:
            raise _refused(answer, asked)

    def strange(self, answer: Answer | None = None, asked: Asked | None = None) -> Unauthorized:
        """Return the error of an answer that no InfluxDB gives."""
        if answer and asked:
            return Unauthorized(str(refusal(answer, asked)), mend=self._elsewhere())
        return Unauthorized(f"{self._asked.target}: an answer of another shape", mend=self._elsewhere())

    def _elsewhere(self) -> str:
        return f"see {self._asked.table}.url: what answers there, or a proxy before it, is no InfluxDB"


def _refused(answer: Answer, asked: Asked) -> Unavailable:
    if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return Forbidden(message(answer.status, words(answer), asked))
    error = refusal(answer, asked)
    if not isinstance(error, Unauthorized):
        return error
    if answer.status in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED):
        mend = f"see {asked.table}.url and {asked.table}.api: another server may answer there, or one that can't do it"
    else:
        mend = error.mend if answer.status < HTTPStatus.BAD_REQUEST else "see what the server says"
    return Unauthorized(str(error), mend=mend)
