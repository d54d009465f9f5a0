"""The sink for any InfluxDB 1.x: `/write`, with user and password. Is not the client of 2.x (`v2.py`)."""

from base64 import b64encode
from functools import partial
from urllib.parse import urlencode

from collector.batch import Columns, Write
from collector.http import Http
from collector.influx.judge import Asked
from collector.influx.line import Encoder
from collector.influx.server import Server, Signature
from collector.settings import Influx

_HEADERS = {"Content-Type": "text/plain; charset=utf-8"}


class V1:
    """Writes to a database, and to its default retention policy unless the settings name one."""

    def __init__(self, name: str, settings: Influx, http: Http) -> None:
        policy = f", retention policy {settings.retention_policy}" if settings.retention_policy else ""
        place = f"database {settings.database}{policy}"
        query = {"db": settings.database, "rp": settings.retention_policy, "precision": "ms"}
        self.name = name
        self.target = f"v1 {settings.url}/ {place}"
        self.measurements = settings.measurements
        self.tenants = settings.tenants
        self._settings = settings
        self._url = f"{settings.url}/write?{urlencode({key: value for key, value in query.items() if value})}"
        self._encoder = Encoder()
        table = f"influxdb.{name}"
        asked = Asked(
            target=self.target,
            place=place,
            credential=f"{table}.username and its password",
            table=table,
            api="v1",
            nameless="" if settings.username else f"{table}.username and password_file",
        )
        self.server = Server(settings, http, asked, self._sign)

    def prepare(self, rows: Columns) -> Write:
        """Return what writes these rows, their lines made. No rows: it asks only whether the server would take some.

        It returns once the server has said 204: every row is stored. It raises Unavailable, Unauthorized, Rejected,
        Expired or TooLarge. After Rejected and Expired the server has kept the good rows of the batch. Without rows
        database, retention policy, user and right are checked.
        """
        return partial(self.server.write, self._url, self.server.body(self._encoder.encode(rows)), _HEADERS)

    def write(self, rows: Columns) -> None:
        """Do at once what `prepare` makes ready."""
        self.prepare(rows)(None)

    def read(self) -> int:
        """Return how many measurements the user sees; raise Unauthorized when it may not read, or Unavailable."""
        return self.server.measurements(self._settings.database)

    def _sign(self) -> Signature:
        if not self._settings.username:
            return Signature()
        password = self._settings.password.read() if self._settings.password else ""
        basic = b64encode(f"{self._settings.username}:{password}".encode()).decode()
        return Signature({"Authorization": f"Basic {basic}"}, (password, basic))
