"""The sinks against real servers: InfluxDB 1.x, and VictoriaMetrics for /api/v2/write. Names: test_influx_names.py."""

import time
import tomllib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from columns import columns
from hypothesis import given, settings
from hypothesis import strategies as st
from servers import Influxd, Victoria

from collector.batch import NO_ROWS
from collector.errors import Expired, Missing, Rejected, Unauthorized, Unavailable
from collector.http import Http
from collector.influx import V1, V2, open_sink
from collector.point import MAX_TIME, Point, Series, Value, group_name
from collector.settings import Influx, Secret

SCHEMA: dict[str, dict[str, Any]] = tomllib.loads(
    (Path(__file__).parents[1] / "config" / "measurements.toml").read_text(encoding="utf-8")
)
SAMPLES: dict[str, Value] = {"float": 41.38041766305988, "int": 1575357833280499123, "string": 'a "b" \\ c\nd'}
KINDS = {"float": "float", "int": "integer", "string": "string"}
SLOT = 1700000000123


@pytest.fixture(scope="module")
def http() -> Iterator[Http]:
    """The transport that the sinks share."""
    http = Http()
    yield http
    http.close()


def v1(server: Influxd, database: str, http: Http, **more: Any) -> V1:
    """Return a sink of this database."""
    return V1("main", Influx(api="v1", url=server.url, database=database, **more), http)


def by_user(server: Influxd, database: str, http: Http, user: str, password: str) -> V1:
    """Return a sink that writes as this user."""
    return v1(server, database, http, username=user, password=Secret("password", inline=password))


def score(tenant: str = "contoso", value: Value = 33.5, at: int = SLOT) -> Point:
    """Return a point of a tenant of its own."""
    return Point(Series("exposure_score", (("tenant", tenant),)), at, {"score": value})


@pytest.mark.parametrize("measurement", SCHEMA)
def test_each_measurement_of_the_schema_comes_back_as_it_was(
    measurement: str, influxd: Influxd, database: str, http: Http
) -> None:
    """Every measurement comes back with its tags, its fields and their types, and its time to the millisecond."""
    kinds = SCHEMA[measurement]["fields"]
    tags = {key: f"{key}, =of the\\Größe" for key in SCHEMA[measurement]["tags"]}
    fields = {key: SAMPLES[kind] for key, kind in kinds.items()}
    v1(influxd, database, http).write(columns([Point(Series(measurement, tuple(tags.items())), SLOT, fields)]))

    assert influxd.points(measurement, database) == [{"time": SLOT, **tags, **fields}]
    types = influxd.query(f"SHOW FIELD KEYS FROM {measurement}", database)
    assert {row["fieldKey"]: row["fieldType"] for row in types} == {key: KINDS[kind] for key, kind in kinds.items()}
    keys = influxd.query(f"SHOW TAG KEYS FROM {measurement}", database)
    assert {row["tagKey"] for row in keys} == set(tags)


@pytest.fixture(scope="module")
def lasting(influxd: Influxd, http: Http) -> tuple[V1, str]:
    """A sink whose database all examples of a property share."""
    database = influxd.database()
    return v1(influxd, database, http), database


@settings(max_examples=60, deadline=None)
@given(
    number=st.floats(allow_nan=False, allow_infinity=False),
    count=st.integers(-(2**63), 2**63 - 1),
    text=st.text(st.characters(exclude_categories=["Cs"])),
    at=st.sampled_from([0, 1, SLOT, MAX_TIME - 1]),  # each week that is written to costs InfluxDB a shard
)
def test_every_value_comes_back_as_it_was(
    number: float, count: int, text: str, at: int, influxd: Influxd, lasting: tuple[V1, str]
) -> None:
    """Any finite float, any int64, any text, at any time, come back as they were written."""
    sink, database = lasting
    series = Series("any_value", (("example", uuid.uuid4().hex),))
    sink.write(columns([Point(series, at, {"number": number, "count": count, "text": text})]))
    (row,) = influxd.points("any_value", database, **dict(series.tags))
    # InfluxDB shows a large float without a point; it is one all the same.
    row["number"] = float(row["number"])
    assert row == {"time": at, **dict(series.tags), "number": number, "count": count, "text": text}


def test_writing_twice_changes_nothing(influxd: Influxd, database: str, http: Http) -> None:
    """A batch that is sent again leaves what was there, and a new value of an identity replaces the old one."""
    sink = v1(influxd, database, http)
    for value in (33.5, 33.5, 34.0):
        sink.write(columns([score(value=value)]))
    assert [row["score"] for row in influxd.points("exposure_score", database)] == [34.0]


def test_a_point_of_another_type_is_rejected_and_the_others_are_stored(
    influxd: Influxd, database: str, http: Http
) -> None:
    """A field of another type is Rejected in the server's words, and the good points of the batch are there."""
    sink = v1(influxd, database, http)
    sink.write(columns([score()]))
    with pytest.raises(Rejected, match="field type conflict") as caught:
        sink.write(columns([score("good"), score("bad", value=5)]))
    assert "dropped=1" in str(caught.value)
    assert {row["tenant"] for row in influxd.points("exposure_score", database)} == {"contoso", "good"}


def test_a_point_beyond_the_retention_is_expired_and_the_others_are_stored(
    influxd: Influxd, database: str, http: Http
) -> None:
    """A point older than the retention is Expired, with how many were dropped; the younger ones are there."""
    influxd.query(f'CREATE RETENTION POLICY short ON "{database}" DURATION 1h REPLICATION 1')
    sink = v1(influxd, database, http, retention_policy="short")
    now = time.time_ns() // 1_000_000
    with pytest.raises(Expired) as caught:
        sink.write(columns([score(at=SLOT), score(at=SLOT + 1), score("young", at=now)]))
    assert caught.value.dropped == 2
    rows = influxd.query("SELECT * FROM short.exposure_score", database)
    assert [(row["tenant"], row["time"]) for row in rows] == [("young", now)]


def test_a_conflict_beside_an_expired_point_is_rejected(influxd: Influxd, database: str, http: Http) -> None:
    """A batch with an expired and a conflicting point is Rejected: no bad point goes by as merely old."""
    influxd.query(f'CREATE RETENTION POLICY short ON "{database}" DURATION 1h REPLICATION 1')
    sink = v1(influxd, database, http, retention_policy="short")
    now = time.time_ns() // 1_000_000
    sink.write(columns([score(at=now)]))
    with pytest.raises(Rejected):
        sink.write(columns([score(at=SLOT), score("bad", value=5, at=now)]))


asked_and_written = pytest.mark.parametrize("points", [[], [score()]], ids=["asked", "written"])
"""What is wrong in the settings is said at the first point, and before it when the sink is only asked."""


@asked_and_written
def test_a_database_that_is_not_there(points: list[Point], influxd: Influxd, http: Http) -> None:
    """A missing database is Missing: everything is kept until somebody creates it, and nobody's rights are blamed."""
    with pytest.raises(Missing, match='404: database not found: "nowhere"') as caught:
        v1(influxd, "nowhere", http).write(columns(points))
    assert caught.value.mend == (
        "create the database nowhere with `exposure-collector provision`, or correct its name in influxdb.main"
    )


@asked_and_written
def test_a_retention_policy_that_is_not_there(points: list[Point], influxd: Influxd, database: str, http: Http) -> None:
    """A missing retention policy is Missing, though the server calls it an error of its own (500)."""
    with pytest.raises(Missing, match="retention policy not found: nowhere") as caught:
        v1(influxd, database, http, retention_policy="nowhere").write(columns(points))
    assert caught.value.mend.startswith(f"create the database {database}, retention policy nowhere")


@asked_and_written
def test_a_server_without_the_v2_api(points: list[Point], influxd: Influxd, http: Http) -> None:
    """InfluxDB 1.6 has no /api/v2/write: the sink says what it is and what to set, and keeps everything."""
    sink = V2("main", Influx(api="v2", url=influxd.url, bucket="exposure"), http)
    with pytest.raises(Unauthorized, match="404") as caught:
        sink.write(columns(points))
    assert 'set influxdb.main.api = "v1"' in caught.value.mend
    assert caught.value.mend.endswith("the server is an InfluxDB 1.6")


@asked_and_written
def test_a_wrong_password(points: list[Point], influxd_with_users: Influxd, http: Http) -> None:
    """A wrong password is Unauthorized, and says which settings to look at."""
    database = influxd_with_users.database()
    with pytest.raises(Unauthorized, match="401: authorization failed") as caught:
        by_user(influxd_with_users, database, http, "admin", "wrong").write(columns(points))
    assert caught.value.mend.startswith("correct influxdb.main.username and its password")


@asked_and_written
def test_nobody_where_users_are_wanted(points: list[Point], influxd_with_users: Influxd, http: Http) -> None:
    """Without a name in the settings the mend is to set one, not to correct what isn't there."""
    with pytest.raises(Unauthorized, match="401") as caught:
        v1(influxd_with_users, influxd_with_users.database(), http).write(columns(points))
    assert caught.value.mend == ("set influxdb.main.username and password_file: the server wants to know who asks")


@asked_and_written
def test_a_database_that_is_not_there_where_users_are_wanted(
    points: list[Point], influxd_with_users: Influxd, http: Http
) -> None:
    """For a user without a single right it is still the database that is missing, and it is to be created."""
    influxd_with_users.query("CREATE USER powerless WITH PASSWORD 'p'")
    with pytest.raises(Missing, match='404: database not found: "nowhere"') as caught:
        by_user(influxd_with_users, "nowhere", http, "powerless", "p").write(columns(points))
    assert caught.value.mend.startswith("create the database nowhere with `exposure-collector provision`")


@asked_and_written
def test_a_user_who_may_only_read(points: list[Point], influxd_with_users: Influxd, http: Http) -> None:
    """A user who may read but not write is Unauthorized, and the mend is a grant."""
    database = influxd_with_users.database()
    influxd_with_users.query(f"CREATE USER reader WITH PASSWORD 'r'; GRANT READ ON {database} TO reader")
    sink = by_user(influxd_with_users, database, http, "reader", "r")
    with pytest.raises(Unauthorized, match="403") as caught:
        sink.write(columns(points))
    assert caught.value.mend.startswith(f"grant write on the database {database}")
    assert sink.read() == 0


def test_asking_stores_nothing(influxd: Influxd, database: str, http: Http) -> None:
    """A write without points asks whether points would be taken, and leaves nothing behind."""
    sink = v1(influxd, database, http)
    sink.write(NO_ROWS)
    assert sink.read() == 0
    assert influxd.query("SHOW MEASUREMENTS", database) == []


def test_reading_counts_the_measurements(influxd: Influxd, database: str, http: Http) -> None:
    """A sink that may read says how many measurements it sees."""
    sink = open_sink("main", Influx(api="v1", url=influxd.url, database=database), http)
    sink.write(
        columns([score(), Point(Series("device_secure_score", (("tenant", "contoso"),)), SLOT, {"score": 340.0})])
    )
    assert sink.read() == 2


def test_a_user_who_may_only_write_writes(influxd_with_users: Influxd, http: Http) -> None:
    """A user who may write but not read is enough to deliver; reading is Unauthorized, and the mend is a grant."""
    database = influxd_with_users.database()
    influxd_with_users.query(f"CREATE USER writer WITH PASSWORD 'w: ä'; GRANT WRITE ON {database} TO writer")
    sink = by_user(influxd_with_users, database, http, "writer", "w: ä")
    sink.write(columns([score()]))
    with pytest.raises(Unauthorized, match="requires READ") as caught:
        sink.read()
    assert caught.value.mend.startswith(f"grant read on the database {database}")
    assert influxd_with_users.query("SELECT score FROM exposure_score", database) == [{"time": SLOT, "score": 33.5}]


def test_a_server_that_stops_and_starts_takes_points_again(influxd: Influxd, database: str, http: Http) -> None:
    """A stopped server is Unavailable, not an error of the points; once it is back it has the old and takes the new."""
    sink = v1(influxd, database, http)
    sink.write(columns([score()]))
    influxd.stop()
    try:
        with pytest.raises(Unavailable) as caught:
            sink.write(columns([score("later")]))
        assert not isinstance(caught.value, Unauthorized)
    finally:
        influxd.start()
    sink.write(columns([score("later")]))
    assert {row["tenant"] for row in influxd.points("exposure_score", database)} == {"contoso", "later"}


def test_the_v2_api_stores_points_with_their_milliseconds(victoria: Victoria, http: Http) -> None:
    """Points written by /api/v2/write are there with their tags, their value and their time to the millisecond."""
    sink = open_sink("main", Influx(api="v2", url=victoria.url, org="security", bucket="exposure"), http)
    sink.write(NO_ROWS)
    name = group_name("Größe, = \\1\n")
    tags = (("tenant", uuid.uuid4().hex), ("rbacGroupName", name), ("rbacGroupId", "7"))
    points = [Point(Series("exposure_score_by_group", tags), SLOT + late, {"score": 33.5 + late}) for late in (0, 1)]
    sink.write(columns(points))
    rows = victoria.query(f'{{tenant="{tags[0][1]}"}}')
    expected = {"__name__": "exposure_score_by_group_score", **dict(tags)}
    assert rows == [{**expected, "time": SLOT + late, "value": 33.5 + late} for late in (0, 1)]
    assert sink.read() == 0
