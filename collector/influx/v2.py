"""The sink for what speaks `/api/v2/write`: InfluxDB 2.x, 3.x, Cloud, 1.8 and up, VictoriaMetrics.

influxdb_client makes the request; our transport carries it, since the client's own ignores the environment's proxy and
its timeout starts anew with each byte. Is not the client's batching writer, which drops points without an exception.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from collector.batch import Columns, Write
from collector.http import Http
from collector.influx.body import Body
from collector.influx.judge import Asked
from collector.influx.line import Encoder
from collector.influx.server import Server, Signature
from collector.settings import Influx


class V2:
    """Writes to a bucket of an organization; servers without organizations pass over the name."""

    def __init__(self, name: str, settings: Influx, http: Http) -> None:
        place = f"bucket {settings.bucket}" + (f" of organization {settings.org}" if settings.org else "")
        self.name = name
        self.target = f"v2 {settings.url}/ {place}"
        self.measurements = settings.measurements
        self.tenants = settings.tenants
        self._settings = settings
        self._encoder = Encoder()
        table = f"influxdb.{name}"
        asked = Asked(target=self.target, place=place, credential=f"{table}.token", table=table)
        self.server = Server(settings, http, asked, self._sign)

    def prepare(self, rows: Columns) -> Write:
        """Return what writes these rows, their lines made. No rows: it asks only whether the server would take some.

        It returns once the server has said 204: every row is stored. It raises Unavailable, Unauthorized, Rejected,
        Expired or TooLarge. After Rejected 2.x has kept the good rows of the batch, 3.x none. VictoriaMetrics says 204
        also to lines that it passes over.
        """
        return partial(self._write, self.server.body(self._encoder.encode(rows)))

    def write(self, rows: Columns) -> None:
        """Do at once what `prepare` makes ready."""
        self.prepare(rows)(None)

    def read(self) -> int:
        """Return how many measurements the token sees by InfluxQL; raise Unauthorized when it may not, or Unavailable.

        2.x answers InfluxQL for a bucket by its name, VictoriaMetrics shows no measurements (0).
        """
        return self.server.measurements(self._settings.bucket)

    def _sign(self) -> Signature:
        if self._settings.token is None:
            return Signature()
        token = self._settings.token.read()
        return Signature({"Authorization": f"Token {token}"}, (token,))

    def _write(self, body: Body, meanwhile: Callable[[], object] | None) -> None:
        self._client.write(self._settings.org, self._settings.bucket, body, meanwhile)

    @cached_property
    def _client(self) -> "_Client":
        return _Client(self._settings.url, self.server)


class _Client:
    """influxdb_client, from its write call down to where it would open a connection.

    It never has the token, which `Server` adds: so no repr, error or debug log of the library can show it.
    """

    def __init__(self, url: str, server: Server) -> None:
        # Here and not above: importing it costs 0.3 s, which a command without a v2 sink need not pay.
        from influxdb_client.client.influxdb_client import InfluxDBClient  # noqa: PLC0415 - as said
        from influxdb_client.service.write_service import WriteService  # noqa: PLC0415 - as said

        self._client = InfluxDBClient(url)  # kept: its end would close what the service stands on
        api: Any = self._client.api_client
        api.rest_client.pool_manager = _Pool(server)
        self._service: Any = WriteService(api)  # type: ignore[no-untyped-call]  # the library has types in part

    def write(self, org: str, bucket: str, body: Body, meanwhile: Callable[[], object] | None) -> None:
        # By the way that the client has for what is its pool's own.
        ours = {"whole": body, "meanwhile": meanwhile}
        self._service.post_write_with_http_info(org, bucket, body.lines, precision="ms", urlopen_kw=ours)


@dataclass(frozen=True, slots=True)
class _Stored:
    """The one answer that the client gets to see: whatever isn't 204 was raised before."""

    status: int = 204
    reason: str = "No Content"
    data: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class _Pool:
    """Stands where the client has urllib3's PoolManager, the one thing by which it reaches the network."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        whole: Body,
        meanwhile: Callable[[], object] | None,
        **_: object,
    ) -> _Stored:
        """Send what the client made; raise CollectorErrors, which pass through the client as they are."""
        if method != "POST":
            raise ValueError(f"{method}: the client was only asked to write")
        self._server.write(url, whole, headers, meanwhile)
        return _Stored()
