"""Any name on its whole way: from an answer to a point, to a line, and back out of the servers, as the rule says.

The rule stands in `point.py`. That each reader takes a line as it was meant is shown by real servers, by a parser that
is nobody's here, and, for the versions that can't be run beside the tests, by what their documents say of a backslash.
"""

import json
import re
import uuid
from collections.abc import Iterator, Sequence
from itertools import chain

import pytest
from columns import columns
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from line_protocol_parser import parse_line
from servers import Influxd, Victoria

from collector.defender import document, scores
from collector.defender.groups import Groups
from collector.http import Http
from collector.influx import open_sink
from collector.influx.line import Encoder
from collector.influx.v1 import V1
from collector.influx.v2 import V2
from collector.point import NO_ID, UNASSIGNED, Point, Series, group_id, group_name
from collector.settings import Influx

SLOT = 1_700_000_000_123
SHARED = "exposure"

AWKWARD = st.text(
    st.sampled_from("\\,= \"'\n\r\t\0\x0b\x7f\x85#~\ud800\udfff\u2028\ufeffä😀e\u0301{}"), min_size=1, max_size=8
)
ANY = st.text(st.characters() | st.characters(categories=["Cs", "Cc"]), min_size=1, max_size=30)
LOOKALIKES = st.sampled_from(
    ["(organization)", "(all)", "(unassigned)", "_", "_~0123abcd", "~0123abcd", "none", "contoso", "score", "tenant=x"]
)
# What JSON makes of it: a pair of surrogates is one sign.
NAMES = st.lists(
    (ANY | AWKWARD | LOOKALIKES).map(lambda name: str(json.loads(json.dumps(name)))),
    min_size=1,
    max_size=30,
    unique=True,
)
"""Of groups: lone surrogates, all that parts a line, and what reads like a name of ours."""
IDS = st.lists(st.none() | ANY | AWKWARD | st.integers(0, 2**63), max_size=30)
"""Of the first groups; the others have none."""
TRAPS = [
    "a",
    "a ",
    " a",
    " ",
    "  ",
    "a\\",
    "a\\\\",
    "a_",
    "a\n",
    "a\\,b",
    "a\\ b",
    "a\\=b",
    "A",
    "\ud800",
    "\udfff",
    "_",
]
TRAPS += ["(unassigned)", "(organization)", *(group_name(name) for name in TRAPS if group_name(name) != name)]

any_names = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def answered(tenant: str, rows: Sequence[dict[str, object]]) -> list[Point]:
    """Return the points of an answer about groups, which came as bytes."""
    answer = document.read(json.dumps({"value": rows}).encode())
    return [*chain(*scores.device_groups(SLOT, answer, Groups(tenant, dict), pytest.fail))]


def rows_of(names: Sequence[str], ids: Sequence[object]) -> list[dict[str, object]]:
    """Return a row for each name and one without, with an id where it has one, and a score of its own."""
    named: list[dict[str, object]] = [{"rbacGroupName": name} for name in names]
    for row, id_ in zip(named, ids, strict=False):
        if id_ is not None:
            row["rbacGroupId"] = json.loads(json.dumps(id_))
    return [{**row, "score": float(number)} for number, row in enumerate([*named, {}])]


def due(rows: Sequence[dict[str, object]]) -> dict[object, tuple[str, str]]:
    """Return under which name and id each score has to be found, by the rule: no two under the same."""
    found = {
        row["score"]: (
            group_name(str(row["rbacGroupName"])) if "rbacGroupName" in row else UNASSIGNED,
            group_id(str(row["rbacGroupId"])) if "rbacGroupId" in row else NO_ID,
        )
        for row in rows
    }
    assert len({name for name, _ in found.values()}) == len(rows)
    return found


def organization(tenant: str) -> Point:
    """Return the point that no group may touch."""
    return Point(Series("exposure_score", (("tenant", tenant),)), SLOT, {"score": -1.0, "api_time": 7})


@pytest.fixture(name="http", scope="module")
def _http() -> Iterator[Http]:
    http = Http()
    yield http
    http.close()


@pytest.fixture(name="one", scope="module")
def _one(influxd: Influxd, http: Http) -> tuple[V1 | V2, str]:
    """An InfluxDB 1.x, and its database."""
    database = influxd.database()
    return open_sink("main", Influx(api="v1", url=influxd.url, database=database), http), database


@pytest.fixture(name="two", scope="module")
def _two(victoria: Victoria, http: Http) -> V1 | V2:
    """VictoriaMetrics, by the API of 2.x."""
    return open_sink("main", Influx(api="v2", url=victoria.url, org="security", bucket=SHARED), http)


@any_names
@given(names=NAMES, ids=IDS)
@example(names=TRAPS, ids=[])
@example(names=TRAPS, ids=["a", "a\\", "none", "none~0123abcd"] * 4)
def test_whatever_groups_are_called_influxdb_has_each_by_itself(
    names: list[str], ids: list[object], influxd: Influxd, one: tuple[V1, str]
) -> None:
    """Each group has its own series under the name and the id of the rule; the organization's point is as it was."""
    sink, database = one
    tenant = uuid.uuid4().hex
    rows = rows_of(names, ids)
    sink.write(columns([organization(tenant), *answered(tenant, rows)]))
    found = influxd.points("exposure_score_by_group", database, tenant=tenant)
    assert {row["score"]: (row["rbacGroupName"], row["rbacGroupId"]) for row in found} == due(rows)
    assert len(found) == len(rows)
    (own,) = influxd.points("exposure_score", database, tenant=tenant)
    assert own == {"time": SLOT, "tenant": tenant, "score": -1.0, "api_time": 7}


@any_names
@given(names=NAMES, ids=IDS)
@example(names=TRAPS, ids=[])
def test_whatever_groups_are_called_victoriametrics_has_each_by_itself(
    names: list[str], ids: list[object], victoria: Victoria, two: V2
) -> None:
    """The same by the API of 2.x, in a server that takes a backslash as 3.x does."""
    tenant = uuid.uuid4().hex
    rows = rows_of(names, ids)
    two.write(columns([organization(tenant), *answered(tenant, rows)]))
    stored = victoria.query(f'{{tenant="{tenant}"}}')
    found = [row for row in stored if row["__name__"] == "exposure_score_by_group_score"]
    assert {row["value"]: (row["rbacGroupName"], row["rbacGroupId"]) for row in found} == due(rows)
    assert len(found) == len(rows)
    own = {row["__name__"]: row["value"] for row in stored if row not in found}
    assert own == {"exposure_score_score": -1.0, "exposure_score_api_time": 7}


@settings(max_examples=300, deadline=None)
@given(names=NAMES, ids=IDS)
@example(names=TRAPS, ids=["a\\"] * 16)
def test_a_parser_of_somebody_elses_reads_every_line(names: list[str], ids: list[object]) -> None:
    """Each line stands alone, and has the measurement, the tags, the field and the time of its point."""
    points = answered("Größe, = \\1", rows_of(names, ids))
    lines = Encoder().encode(columns(points)).decode().split("\n")
    assert lines.pop() == ""
    assert [parse_line(line) for line in lines] == [
        {
            "measurement": point.series.measurement,
            "tags": dict(point.series.tags),
            "fields": dict(point.fields),
            "time": SLOT,
        }
        for point in points
    ]


KEPT = {r"\,": ",", r"\ ": " ", r"\=": "="}
READERS = {"1.x and 2.x": KEPT, "3.x": {**KEPT, r"\\": "\\"}}
"""What two signs of a tag mean to whom; any other backslash is one."""
_ESCAPE = re.compile(r"\\.", re.DOTALL)


def tags_of(line: str, escapes: dict[str, str]) -> dict[str, str]:
    """Return a line's tags as they are read by somebody with these escapes; fail where that would refuse the line."""
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", line), "a control character"
    head = re.match(r"(?:\\.|[^\\ ])+", line)
    assert head
    measurement, *parts = re.findall(r"(?:\\.|[^\\,])+", head[0])
    assert not measurement.startswith("#"), "a comment"
    tags = {}
    for part in parts:
        key, _, value = part.partition("=")
        assert value, "an empty tag"
        assert not value.endswith("\\"), "a value that ends in a backslash"
        tags[key] = _ESCAPE.sub(lambda found: escapes.get(found[0], found[0]), value)
    return tags


@pytest.mark.parametrize("version", READERS)
@settings(max_examples=200, deadline=None)
@given(names=NAMES, ids=IDS)
@example(names=TRAPS, ids=["a\\"] * 16)
def test_every_version_reads_the_same(version: str, names: list[str], ids: list[object]) -> None:
    """Whether two backslashes are one or two to a reader: it finds the same tags, none of them empty or cut."""
    points = answered("contoso", rows_of(names, ids))
    lines = Encoder().encode(columns(points)).decode().split("\n")[:-1]
    assert [tags_of(line, READERS[version]) for line in lines] == [dict(point.series.tags) for point in points]
