"""collector.influx.provision against real servers: InfluxDB 1.x, which takes everybody, and VictoriaMetrics."""

import unicodedata
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from columns import columns
from hypothesis import example, given, settings
from hypothesis import strategies as st
from provisions import new, policies, provided, provision
from servers import Influxd, Victoria

from collector.batch import NO_ROWS
from collector.errors import ConfigError
from collector.http import Http
from collector.influx import open_sink
from collector.influx.plan import DAY, go_seconds, span
from collector.influx.provision import Done, Provision
from collector.point import Point, Series
from collector.settings import Influx

POINT = Point(Series("exposure_score", (("tenant", "contoso"),)), 1700000000123, {"score": 33.5})


@pytest.fixture(name="http", scope="module")
def _http() -> Iterator[Http]:
    http = Http()
    yield http
    http.close()


@pytest.fixture(name="provide")
def _provide(influxd: Influxd, http: Http) -> Callable[..., Done]:
    def provide(database: str, keep: int | None = None, *, shorten: bool = False, policy: str = "") -> Done:
        return provided(provision(influxd, http, database, policy), keep, shorten=shorten)

    return provide


OLD = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\[").filter(
    lambda char: char.isprintable() and unicodedata.ucd_3_2_0.category(char) != "Cn"
)
"""InfluxDB takes what can be printed, as far as the Unicode of its own year goes."""
ODD = st.text(OLD | st.sampled_from("\"'.,; =%$#`*?]äß😀"), min_size=1, max_size=20)
REFUSED = {".", ".."}


@settings(max_examples=60, deadline=None)
@given(name=ODD, policy=ODD | st.just(""))
@example(name='"', policy='a"b')
@example(name='x" WITH DURATION 1h --', policy="'; DROP DATABASE x; --")
@example(name="SELECT", policy="DEFAULT")
@example(name=" ", policy=" a ")
def test_whatever_a_database_is_called_points_come_back_from_it(
    name: str, policy: str, influxd: Influxd, http: Http
) -> None:
    """Any name that InfluxDB takes for a database and a retention policy is made as it is, and takes points."""
    # Its own database for each example: names come twice, and a file system may not tell them apart.
    database = f"{name}{uuid.uuid4().hex[:8]}"
    if policy in REFUSED:
        return
    provided(provision(influxd, http, database, policy), None)
    assert database in [row["name"] for row in influxd.query("SHOW DATABASES")]
    sink = Influx(api="v1", url=influxd.url, database=database, retention_policy=policy)
    open_sink("main", sink, http).write(columns([POINT]))
    # A database that is made takes its one retention policy as the default, so that queries need not name it.
    assert [row["score"] for row in influxd.points("exposure_score", database)] == [33.5]


@pytest.mark.parametrize("name", ["a/b", "a\\b", "..", "a\\", "x" * 300, "a[b", "new \U000107a0"])
def test_a_name_that_influxdb_does_not_take_is_a_wrong_setting(name: str, influxd: Influxd, http: Http) -> None:
    """A name that can't be a database's is said by its key, with what it may be; nothing else is made of it."""
    before = influxd.query("SHOW DATABASES")
    site = provision(influxd, http, name)
    with pytest.raises(ConfigError, match=r"influxdb\.main\.database: InfluxDB takes no such name") as caught:
        raise site.carry_out(site.plan(None), None, shorten=False).error or AssertionError("it was done")
    assert caught.value.mend
    assert influxd.query("SHOW DATABASES") == before


def test_what_is_there_is_left_as_it_is(influxd: Influxd, database: str, provide: Callable[..., Done]) -> None:
    """Where nothing is asked for, a database that is there keeps its retention, its shards and its default."""
    influxd.query(
        f'CREATE RETENTION POLICY "ours" ON "{database}" DURATION 36h REPLICATION 1 SHARD DURATION 3h DEFAULT'
    )
    before = policies(influxd, database)
    for policy in ("", "ours", "autogen"):
        assert not provide(database, policy=policy).steps
    assert policies(influxd, database) == before


@pytest.mark.parametrize("days", [0, 1, 2, 30, 179, 180, 36500])
def test_a_new_database_keeps_points_as_long_as_was_asked(
    days: int, influxd: Influxd, provide: Callable[..., Done]
) -> None:
    """A database that is made keeps its points for the days asked for, in the shards that InfluxDB would choose."""
    database, reference = new(), influxd.database()
    provide(database, days * DAY)
    duration = f"{days}d" if days else "INF"
    influxd.query(f'CREATE RETENTION POLICY "chosen" ON "{reference}" DURATION {duration} REPLICATION 1')
    *chosen, _ = policies(influxd, reference)["chosen"]
    assert policies(influxd, database) == {"autogen": (*chosen, True)}


def test_a_longer_retention_is_set(influxd: Influxd, database: str, provide: Callable[..., Done]) -> None:
    """A retention becomes longer, up to for ever, without being asked twice; so do shards that nobody chose."""
    influxd.query(f'ALTER RETENTION POLICY "autogen" ON "{database}" DURATION 30d SHARD DURATION 1d')
    for days, seen in ((60, ("1440h0m0s", "24h0m0s")), (400, ("9600h0m0s", "168h0m0s")), (0, ("0s", "168h0m0s"))):
        (step,) = provide(database, days * DAY).steps
        assert span(days * DAY) in step.words
        assert policies(influxd, database)["autogen"] == (*seen, True)


def test_shards_that_somebody_chose_stay(influxd: Influxd, database: str, provide: Callable[..., Done]) -> None:
    """Shards of a duration of their own stay as they are, as long as they end before the retention does."""
    influxd.query(f'ALTER RETENTION POLICY "autogen" ON "{database}" DURATION 30d SHARD DURATION 48h')
    provide(database, 400 * DAY)
    assert policies(influxd, database)["autogen"] == ("9600h0m0s", "48h0m0s", True)
    provide(database, DAY, shorten=True)
    assert policies(influxd, database)["autogen"] == ("24h0m0s", "1h0m0s", True)


@pytest.mark.parametrize(("now", "days"), [("INF", 30), ("60d", 30), ("36h", 1)])
def test_a_shorter_retention_is_held_back(
    now: str, days: int, influxd: Influxd, database: str, provide: Callable[..., Done]
) -> None:
    """A retention becomes shorter only when that was said; until then it is a step that is held back."""
    influxd.query(f'ALTER RETENTION POLICY "autogen" ON "{database}" DURATION {now} SHARD DURATION 1h')
    before = policies(influxd, database)
    done = provide(database, days * DAY)
    assert not done.steps
    assert [step.shortens for step in done.held] == [True]
    assert policies(influxd, database) == before
    assert len(provide(database, days * DAY, shorten=True).steps) == 1
    assert policies(influxd, database)["autogen"][0] == f"{days * 24}h0m0s"


def test_a_policy_beside_a_default_one_does_not_take_its_place(
    influxd: Influxd, database: str, provide: Callable[..., Done]
) -> None:
    """A retention policy that is made in a database with a default one leaves that the default, and says so."""
    (step,) = provide(database, 730 * DAY, policy="two years").steps
    assert "autogen stays the default" in step.words
    assert policies(influxd, database) == {
        "autogen": ("0s", "168h0m0s", True),
        "two years": ("17520h0m0s", "168h0m0s", False),
    }


@pytest.mark.parametrize("left", [None, "autogen", "other"])
def test_a_database_without_a_default_policy_gets_one(
    left: str | None, influxd: Influxd, database: str, http: Http, provide: Callable[..., Done]
) -> None:
    """A database whose default retention policy was dropped takes points again, and other policies stay."""
    influxd.query(f'CREATE RETENTION POLICY "gone" ON "{database}" DURATION 30d REPLICATION 1 DEFAULT')
    for dropped in ("gone", "autogen"):
        influxd.query(f'DROP RETENTION POLICY "{dropped}" ON "{database}"')
    if left:
        influxd.query(f'CREATE RETENTION POLICY "{left}" ON "{database}" DURATION 30d REPLICATION 1')
    assert not any(default for _, _, default in policies(influxd, database).values())
    provide(database)
    found = policies(influxd, database)
    assert found["autogen"][2]
    assert set(found) == {"autogen", left or "autogen"}
    assert found[left or "autogen"][0] == ("720h0m0s" if left else "0s")
    open_sink("main", Influx(api="v1", url=influxd.url, database=database), http).write(NO_ROWS)


@pytest.mark.parametrize("api", ["v1", "v2"])
def test_victoriametrics_needs_nothing(api: Any, victoria: Victoria, http: Http) -> None:
    """VictoriaMetrics has nothing to create, by either API, and the words say where its retention is set."""
    named: dict[str, Any] = {"database": "exposure"} if api == "v1" else {"bucket": "exposure"}
    site = Provision("main", Influx(api=api, url=victoria.url, **named), http)
    for keep in (None, 30 * DAY):
        plan = site.plan(keep)
        assert not plan.steps
        assert "-retentionPeriod" in plan.note
    site.write()


def test_a_1x_server_is_not_for_the_v2_api(influxd: Influxd, http: Http) -> None:
    """A bucket at InfluxDB 1.x is a wrong setting; the mend has the keys of the v1 API, filled in."""
    site = Provision("main", Influx(url=influxd.url, bucket="exposure/two years"), http)
    with pytest.raises(ConfigError, match=r"influxdb\.main\.api") as caught:
        site.plan(None)
    assert 'api = "v1", database = "exposure", retention_policy = "two years"' in caught.value.mend


@given(hours=st.integers(0, 10**6), minutes=st.integers(0, 59), seconds=st.integers(0, 59))
def test_every_duration_of_a_server_is_read(hours: int, minutes: int, seconds: int) -> None:
    """A duration is read as Go writes it, which leaves out what is zero at its begin."""
    whole = hours * 3600 + minutes * 60 + seconds
    text = f"{hours}h{minutes}m{seconds}s" if hours else f"{minutes}m{seconds}s" if minutes else f"{seconds}s"
    assert go_seconds(text) == whole


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "for ever"), (DAY, "for 1 day"), (36500 * DAY, "for 36,500 days"), (5400, "for 5,400 seconds")],
)
def test_a_retention_reads_as_people_say_it(seconds: int, words: str) -> None:
    """A retention is said in the largest unit that has it whole."""
    assert span(seconds) == words
