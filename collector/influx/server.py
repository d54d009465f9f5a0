"""Exchanges with one InfluxDB: each signed anew, whole within the sink's timeout, and judged. Knows no points."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from urllib.parse import urlencode

from collector.errors import BadResponse, Unauthorized, Unavailable
from collector.http import Answer, Http
from collector.influx.body import NO_POINTS, Body, Packing
from collector.influx.judge import Asked, judge, lacks_points, message, refusal, words
from collector.log import logger
from collector.settings import Influx

_GZIP = {"Content-Encoding": "gzip"}

_log = logger()


@dataclass(frozen=True, slots=True)
class Signature:
    """The headers that show the server who asks, and what no message may show of them; its repr shows neither."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    hidden: tuple[str, ...] = field(default=(), repr=False)


class Server:
    """One server. `sign` is called for each exchange, so that a renewed secret is used at once."""

    def __init__(self, settings: Influx, http: Http, asked: Asked, sign: Callable[[], Signature]) -> None:
        self.url = settings.url
        self.packing = Packing(settings.url)
        self._seconds = settings.timeout_seconds
        self._http = http
        self.asked = asked
        self._sign = sign

    def body(self, lines: bytes) -> Body:
        """Return what carries the lines, ready to be written; none: what only asks."""
        return self.packing.body(lines)

    def write(
        self, url: str, body: Body, headers: Mapping[str, str], meanwhile: Callable[[], object] | None = None
    ) -> None:
        """Return once every line of `body` is stored (or, for `NO_POINTS`, would be); raise what `judge` raises.

        What a compressed body is refused for is asked again without: no point is judged by how it was sent.
        """
        packed = body.packed if self.packing.wanted else None
        if packed is not None:
            if self._took(url, packed, headers, meanwhile):
                return
            meanwhile = None
        answer, asked = self.send("POST", url, self.asked, headers, body.lines, meanwhile)
        if packed is not None and answer.status == HTTPStatus.NO_CONTENT:
            self.packing.wanted = False
            _log.info("sink.uncompressed", target=self.asked.target, what="it takes lines, and no gzip of them")
        if not (body.lines == NO_POINTS and lacks_points(answer)):
            judge(answer, asked)

    def _took(
        self, url: str, packed: bytes, headers: Mapping[str, str], meanwhile: Callable[[], object] | None
    ) -> bool:
        """Whether every line of a compressed body is stored; False: send them as they are. Raise for an outage."""
        try:
            answer, asked = self.send("POST", url, self.asked, {**headers, **_GZIP}, packed, meanwhile)
        except Unavailable:
            if self.packing.doubtful(None):
                return False
            raise
        if answer.status != HTTPStatus.NO_CONTENT and self.packing.doubtful(answer):
            return False
        judge(answer, asked)
        self.packing.taken()
        return True

    def measurements(self, database: str) -> int:
        """Return how many measurements InfluxQL shows in `database`; 0 too where the server has no such database.

        Raise Unauthorized when they may not be read or there is no InfluxQL, Unavailable when not now.
        """
        query = urlencode({"db": database, "q": "SHOW MEASUREMENTS"})
        reading = replace(self.asked, right="read")
        answer, asked = self.send("GET", f"{self.url}/query?{query}", reading, {}, None)
        if answer.status != HTTPStatus.OK:
            raise refusal(answer, asked)
        try:
            result = json.loads(answer.body)["results"][0]
            series = result.get("series", ())
            seen = sum(len(shown["values"]) for shown in series if shown["name"] == "measurements")
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            raise refusal(answer, asked) from None
        if "error" in result:
            said = message(answer.status, words(answer), asked)
            raise Unauthorized(said, mend=f"grant read on the {asked.place}, if there is one")
        return seen

    def send(
        self,
        method: str,
        url: str,
        asked: Asked,
        headers: Mapping[str, str],
        body: bytes | None,
        meanwhile: Callable[[], object] | None = None,
    ) -> tuple[Answer, Asked]:
        """Return whatever is answered, and what an error about it has to hide; raise as `Http` and the secret do."""
        signature = self._sign()
        try:
            answer = self._http.send(
                method,
                url,
                seconds=self._seconds,
                headers={**headers, **signature.headers},
                content=body,
                meanwhile=meanwhile,
            )
        except BadResponse as error:
            # No InfluxDB answers so; the points are good whoever it was.
            raise Unauthorized(
                f"{asked.target}: {error}", mend=f"see {asked.table}.url: what answers is no InfluxDB"
            ) from error
        return answer, replace(asked, hidden=signature.hidden)
