"""What several tests of provisioning do: provision a database of InfluxDB 1.x, and look at what became of it."""

import uuid
from typing import Any

from servers import Influxd

from collector.http import Http
from collector.influx.provision import Done, Provision
from collector.settings import Influx


def provided(site: Provision, keep: int | None, *, shorten: bool = False) -> Done:
    """Plan, carry it out, and return what came of it; fail where a second time would not find nothing to do."""
    done = site.carry_out(site.plan(keep), keep, shorten=shorten)
    assert done.error is None
    assert [step.words for step in site.plan(keep).steps] == [step.words for step in done.held]
    return done


def provision(server: Influxd, http: Http, database: str, policy: str = "", **more: Any) -> Provision:
    """Return what provisions a database of this server."""
    sink = Influx(api="v1", url=server.url, database=database, retention_policy=policy, **more)
    return Provision("main", sink, http)


def policies(server: Influxd, database: str) -> dict[str, tuple[str, str, bool]]:
    """Return retention, duration of shards, and whether it is the default, of each retention policy."""
    rows = server.query(f'SHOW RETENTION POLICIES ON "{database}"')
    return {row["name"]: (row["duration"], row["shardGroupDuration"], row["default"]) for row in rows}


def new() -> str:
    """Return a name that no database has."""
    return f"new_{uuid.uuid4().hex[:12]}"
