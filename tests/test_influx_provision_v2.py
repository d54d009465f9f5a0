"""collector.influx.buckets: what InfluxDB 2.x and Cloud are asked, and what is made of their answers."""

import shlex
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from influx2 import DAY, MANAGES, ORG, ORG_ID, WRITES, Influx2
from origins import Origin, Reply
from provisions import provided

from collector.errors import ConfigError, Unauthorized, Unavailable
from collector.http import Http
from collector.influx.provision import Provision
from collector.settings import Influx, Secret

BUCKET = "exposure of 'Größe'"


@pytest.fixture(name="server")
def _server() -> Influx2:
    return Influx2()


@pytest.fixture(name="origin")
def _origin(server: Influx2) -> Iterator[Origin]:
    with Origin(server.talk) as origin:
        yield origin


@pytest.fixture(name="site")
def _site(origin: Origin) -> Iterator[Callable[..., Provision]]:
    http = Http()

    def site(token: str = MANAGES, **more: Any) -> Provision:
        usual = {"org": ORG, "bucket": BUCKET, "token": Secret("token", inline=token)}
        return Provision("main", Influx(url=origin.url, **{**usual, **more}), http)

    yield site
    http.close()


@pytest.mark.parametrize(("keep", "seconds"), [(None, 0), (0, 0), (30 * DAY, 30 * DAY)])
def test_a_bucket_is_created(keep: int | None, seconds: int, server: Influx2, site: Callable[..., Provision]) -> None:
    """A missing bucket is created with the retention asked for; InfluxQL finds it by its name from 2.4 on."""
    site_ = site()
    provided(site_, keep)
    assert server.retention(BUCKET)["everySeconds"] == seconds
    assert [path for _, path, _ in server.changes] == ["/api/v2/buckets"]
    site_.write()


@pytest.mark.parametrize("there", [True, False])
def test_before_2_4_a_bucket_is_mapped_for_influxql(
    there: bool,  # noqa: FBT001 - a parameter of the test
    server: Influx2,
    site: Callable[..., Provision],
) -> None:
    """Where InfluxQL finds no bucket by its name, it is mapped as the default of a database of that name."""
    server.version = "v2.3.0+SNAPSHOT.090f681737"
    if there:
        server.add(BUCKET, 0)
    provided(site(), None)
    assert [path for _, path, _ in server.changes] == (
        ["/api/v2/dbrps"] if there else ["/api/v2/buckets", "/api/v2/dbrps"]
    )
    (mapping,) = server.mappings
    names = (mapping["database"], mapping["retention_policy"], mapping["default"])
    assert names == (BUCKET, "autogen", True)
    assert mapping["bucketID"] in server.buckets


def test_a_bucket_with_a_slash_is_mapped_as_a_whole(server: Influx2, site: Callable[..., Provision]) -> None:
    """InfluxQL would find `a/b` as the database `a`: it is mapped, so that its own name finds it, too."""
    provided(site(bucket="a/b"), None)
    assert [mapping["database"] for mapping in server.mappings] == ["a/b"]


def test_a_mapping_to_another_bucket_is_left_alone(server: Influx2, site: Callable[..., Provision]) -> None:
    """A database name that InfluxQL leads to another bucket stays so, and that is said."""
    server.version = "v2.3.0"
    server.add(BUCKET, 0)
    other = server.add("other", 0)
    server.mappings.append({"database": BUCKET, "retention_policy": "autogen", "bucketID": other, "default": True})
    plan = site().plan(None)
    assert not plan.steps
    assert "another bucket" in plan.note


def test_what_is_there_is_left_as_it_is(server: Influx2, site: Callable[..., Provision]) -> None:
    """A bucket that is there keeps its retention where none is asked for; nothing is sent that would change it."""
    server.add(BUCKET, 36 * 3600)
    assert not provided(site(), None).steps
    assert server.changes == []


@pytest.mark.parametrize(("now", "keep"), [(30 * DAY, 60 * DAY), (30 * DAY, 0), (3600, DAY)])
def test_a_longer_retention_is_set(now: int, keep: int, server: Influx2, site: Callable[..., Provision]) -> None:
    """A bucket's retention becomes longer, up to for ever, without being asked twice."""
    server.add(BUCKET, now)
    (step,) = provided(site(), keep).steps
    assert not step.shortens
    assert server.retention(BUCKET)["everySeconds"] == keep


@pytest.mark.parametrize("keep", [30 * DAY, DAY])
def test_a_shorter_retention_is_held_back(keep: int, server: Influx2, site: Callable[..., Provision]) -> None:
    """A bucket's retention becomes shorter only when that was said, also where its shards last longer than that."""
    server.add(BUCKET, 0)
    assert [step.shortens for step in provided(site(), keep).held] == [True]
    assert server.changes == []
    provided(site(), keep, shorten=True)
    assert server.retention(BUCKET)["everySeconds"] == keep


def test_an_organization_and_a_bucket_can_be_named_by_id(server: Influx2, site: Callable[..., Provision]) -> None:
    """The settings may have the ids, as InfluxDB's own tools take them; no bucket is made that is called so."""
    number = server.add("elsewhere", 0)
    server.mappings.append({"database": number, "retention_policy": "autogen", "bucketID": number, "default": True})
    assert not provided(site(org=ORG_ID, bucket=number), None).steps


def test_a_missing_organization_is_a_wrong_setting(site: Callable[..., Provision]) -> None:
    """Without an organization in the settings there is no place for a bucket: the key is named."""
    with pytest.raises(ConfigError, match=r"influxdb\.main\.org"):
        site(org="").plan(None)


def test_another_organization_is_said(site: Callable[..., Provision]) -> None:
    """An organization that isn't there is told from one that is, and nothing is created in any."""
    with pytest.raises(Unauthorized, match="the organization is not there, or the token may not see it"):
        site(org="another").plan(None)


def test_a_token_that_may_only_write_needs_nothing_more(server: Influx2, site: Callable[..., Provision]) -> None:
    """Where points would be taken and nothing is asked of the retention, the collector's own token is enough."""
    server.add(BUCKET, 0)
    plan = site(WRITES).plan(None)
    assert not plan.steps
    assert "would take points" in plan.note


@pytest.mark.parametrize("token", [WRITES, "of nobody"])
def test_who_may_not_is_told_what_an_administrator_can_run(token: str, site: Callable[..., Provision]) -> None:
    """Without the right, the error has the command of InfluxDB's own tool, quoted, and never the token."""
    with pytest.raises(Unauthorized) as caught:
        site(token).plan(30 * DAY)
    assert "--token-file FILE" in caught.value.mend
    command = shlex.split(caught.value.mend.partition("administrator run: ")[2].partition(";")[0])
    assert command == ["influx", "bucket", "create", "--name", BUCKET, "--org", ORG, "--retention", "2592000s"]
    assert token not in f"{caught.value} {caught.value.mend}"


def test_cloud_says_no_version_and_is_looked_at(server: Influx2, site: Callable[..., Provision]) -> None:
    """Cloud has no version that counts: its bucket is mapped where no mapping is seen, and only there."""
    server.build, server.version = "Cloud", "v2.0.1"
    provided(site(), None)
    assert [path for _, path, _ in server.changes] == ["/api/v2/buckets", "/api/v2/dbrps"]


@pytest.mark.parametrize(
    ("status", "kind"), [(429, Unavailable), (503, Unavailable), (404, Unauthorized), (307, Unauthorized)]
)
def test_a_server_that_answers_otherwise_is_said(
    status: int, kind: type[Unavailable], origin: Origin, site: Callable[..., Provision]
) -> None:
    """A server that is overloaded is for later; what is no InfluxDB is a matter of url; both name the sink."""
    origin.talk = lambda *_: Reply(b'{"message": "so"}', status)
    with pytest.raises(Unavailable, match=f"v2 {origin.url}/ bucket") as caught:
        site().plan(None)
    assert type(caught.value) is kind
    assert ("influxdb.main.url" in caught.value.mend) == (kind is Unauthorized)


def test_a_server_that_is_managed_elsewhere_is_enough(origin: Origin, site: Callable[..., Provision]) -> None:
    """A server without this management (Cloud Dedicated, Clustered) needs none where it takes points."""
    origin.talk = lambda request, _: Reply(status=204 if request.target.startswith("/api/v2/write") else 404)
    assert "would take points" in site().plan(None).note
    with pytest.raises(Unauthorized, match="404"):
        site().plan(30 * DAY)


@pytest.mark.parametrize("body", [b"<html>Sign in</html>", b"[]", b'{"orgs": 5}', b'{"orgs": ["x"]}', b"[" * 50_000])
def test_a_portal_is_no_influxdb(body: bytes, origin: Origin, site: Callable[..., Provision]) -> None:
    """A sign-in page, or JSON of another kind, is said to be no InfluxDB."""
    origin.talk = lambda *_: Reply(body)
    with pytest.raises(Unauthorized) as caught:
        site().plan(None)
    assert "is no InfluxDB" in caught.value.mend


def test_a_yes_is_not_believed(server: Influx2, origin: Origin, site: Callable[..., Provision]) -> None:
    """Where the server says yes and yet has no such bucket, that is an error: a proxy may say yes to anything."""
    origin.talk = lambda request, _: Reply(b"{}") if request.method == "POST" else server.talk(request)
    site_ = site()
    done = site_.carry_out(site_.plan(None), None, shorten=False)
    assert isinstance(done.error, Unauthorized)
    assert "said yes" in str(done.error)


def test_what_was_done_before_a_failure_is_told(
    server: Influx2, origin: Origin, site: Callable[..., Provision]
) -> None:
    """When the second of two steps fails, the first is told as done, and a second run does what is left."""
    server.version = "v2.3.0"

    def half(request: Any, _: object) -> Reply:
        return (
            Reply(b"", 503) if (request.method, request.target) == ("POST", "/api/v2/dbrps") else server.talk(request)
        )

    origin.talk = half
    site_ = site()
    done = site_.carry_out(site_.plan(None), None, shorten=False)
    assert type(done.error) is Unavailable
    assert [step.what for step in done.steps] == ["create"]
    origin.talk = server.talk
    assert [step.what for step in provided(site_, None).steps] == ["map"]
