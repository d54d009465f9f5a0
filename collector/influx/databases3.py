"""What InfluxDB 3.x lacks of a database, by its own API. Is not for 1.x (`databases.py`): 3.x has no such InfluxQL."""

import shlex
from typing import Any

from collector.errors import Unauthorized
from collector.influx.management import Forbidden, Management
from collector.influx.plan import DAY, Plan, Step, shorter, span
from collector.settings import Influx

_PATH = "/api/v3/configure/database"
_NANOSECONDS = 10**9


class Databases3:
    """The databases of one server of 3.x; a bucket of the v2 API is a database there."""

    right = "it takes an admin token"

    def __init__(self, settings: Influx, management: Management) -> None:
        self._database = settings.bucket
        self._management = management

    def plan(self, keep: int | None) -> Plan:
        """Return what the server lacks; raise Forbidden, Unauthorized or Unavailable."""
        rows = self._rows(self._management.get(_PATH, {"format": "json"}))
        if self._database not in [row.get("iox::database") for row in rows]:
            return self.whole(keep)
        if keep is None:
            return Plan()
        now = self._seconds()
        if keep == now:
            return Plan()
        update = ["influxdb3", "update", "database", "--database", self._database]
        step = Step(
            what="keep",
            words=f"keep the database {self._database} {span(keep)} instead of {span(now)}",
            statement=shlex.join([*update, "--retention-period", _period(keep) or "none"]),
            seconds=keep,
            shortens=shorter(now, keep),
        )
        return Plan(steps=[step])

    def whole(self, keep: int | None) -> Plan:
        """Return what a server lacks that has nothing yet."""
        period = _period(keep or 0)
        retention = ["--retention-period", period] if period else []
        step = Step(
            what="create",
            words=f"create the database {self._database}, kept {span(keep or 0)}",
            statement=shlex.join(["influxdb3", "create", "database", *retention, self._database]),
            seconds=keep or 0,
        )
        return Plan(steps=[step])

    def do(self, step: Step) -> None:
        """Return once the server has said yes; raise as `plan` does."""
        period = _period(step.seconds)
        document = {"db": self._database, **({"retention_period": period} if period else {})}
        if step.what == "create":
            self._management.change("POST", _PATH, document)
            return
        try:
            self._management.change("PUT", _PATH, document)
        except Forbidden:
            raise
        except Unauthorized as error:
            # Core's manual says that the retention of a database can't be changed; not each version holds to that.
            mend = "this server may keep a database as it was created: create another one, and name it as the bucket"
            raise Unauthorized(str(error), mend=mend) from error

    def _seconds(self) -> int:
        """Return for how long the database keeps its points, 0 for ever."""
        name = self._database.replace("'", "''")
        statement = f"SELECT retention_period_ns FROM system.databases WHERE database_name = '{name}'"  # noqa: S608 - escaped
        query = {"db": "_internal", "q": statement, "format": "json"}
        rows = self._rows(self._management.get("/api/v3/query_sql", query))
        if len(rows) != 1:
            raise self._management.strange()
        # Left out where it is null.
        period = rows[0].get("retention_period_ns") or 0
        if not isinstance(period, int):
            raise self._management.strange()
        return period // _NANOSECONDS

    def _rows(self, document: object) -> list[dict[str, Any]]:
        if not isinstance(document, list) or not all(isinstance(row, dict) for row in document):
            raise self._management.strange()
        return document


def _period(seconds: int) -> str:
    """Return a retention as 3.x takes it; nothing for one that never ends, since 0 would hide every point."""
    return f"{seconds // DAY}d" if seconds else ""
