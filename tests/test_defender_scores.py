"""collector.defender.scores and document: what was answered becomes points, and what can't be one is said."""

import contextlib
import json
import math
import tomllib
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tenants import payload

from collector.defender import document, scores
from collector.defender.groups import Groups
from collector.errors import BadResponse
from collector.point import Point

SLOT = 1_782_903_600_000
ARRIVED = 1_782_903_603_214_300_000
SCHEMA = tomllib.loads((Path(__file__).parents[1] / "config" / "measurements.toml").read_text())
TYPES: dict[str, type] = {"float": float, "int": int, "string": str}


def organization(answer: dict[str, Any]) -> tuple[list[Point], list[str]]:
    """Return the points and the faults of an organization's answer."""
    faults: list[str] = []
    return [*chain(*scores.organization("contoso", SLOT, answer, ARRIVED, faults.append))], faults


def secure_score(answer: dict[str, Any]) -> tuple[list[Point], list[str]]:
    """Return the points and the faults of the devices' answer."""
    faults: list[str] = []
    return [*chain(*scores.device_secure_score("contoso", SLOT, answer, faults.append))], faults


def groups(answer: dict[str, Any], known: dict[str, str] | None = None) -> tuple[list[Point], list[str]]:
    """Return the points and the faults of a list of groups, which is used up."""
    faults: list[str] = []
    return [*chain(*scores.device_groups(SLOT, answer, Groups("contoso", lambda: known or {}), faults.append))], faults


def tags(point: Point) -> tuple[str, ...]:
    """Return the values of a point's tags."""
    return tuple(value for _, value in point.series.tags)


def test_the_documented_answer_of_the_organization_is_one_point() -> None:
    """The answer in Microsoft's page becomes its score, and its time to the tick."""
    points, faults = organization(document.read(payload("exposureScore.json")))
    [point] = points
    assert (point.series.measurement, tags(point), point.time) == ("exposure_score", ("contoso",), SLOT)
    assert point.fields == {"score": 33.491554051195706, "api_time": 1575357833_280_499_000}
    assert faults == []


def test_the_documented_answer_of_the_groups_is_a_point_a_group() -> None:
    """The list in Microsoft's page becomes a point a group; without an id in it, the id is `none`."""
    points, faults = groups(document.read(payload("ByMachineGroups.json")))
    assert [tags(point) for point in points] == [("contoso", "GroupOne", "none"), ("contoso", "GroupTwo", "none")]
    assert [point.fields for point in points] == [{"score": 41.38041766305988}, {"score": 37.403726933165366}]
    assert {point.time for point in points} == {SLOT}
    assert faults == []


def test_the_documented_secure_score_is_one_point() -> None:
    """The devices' secure score is a float too, where the API sends an integer."""
    answer = document.read(payload("configurationScore.json"))
    points, faults = secure_score(answer)
    [point] = points
    assert (point.series.measurement, tags(point), point.fields) == (
        "device_secure_score",
        ("contoso",),
        {"score": 340.0},
    )
    assert isinstance(point.fields["score"], float)
    assert faults == []


def test_names_and_ids_of_every_kind_are_groups_of_their_own() -> None:
    """Commas, umlauts, other scripts, ids as numbers or text, and no name at all: each is a series of its own."""
    points, faults = groups(document.read(payload("ByMachineGroups-names.json")))
    assert [tags(point)[1:] for point in points] == [
        ("Servers, EMEA", "17"),
        ("Büro\\Zürich", "9223372036854775807"),
        ("(unassigned)", "none"),
        ("UnassignedGroup", "0"),
        ("серверы 🚀", "none"),
    ]
    assert [point.fields["score"] for point in points] == [50.0, 12.25, 0.0, 100.0, 7.5]
    assert faults == []


@pytest.mark.parametrize("file", ["exposureScore.json", "ByMachineGroups-names.json", "configurationScore.json"])
def test_every_point_has_the_tags_and_fields_of_the_schema(file: str) -> None:
    """Each point carries all tags of its measurement, in order, and all fields with their type."""
    answer = document.read(payload(file))
    points = [
        *(groups(answer)[0] if "value" in answer else organization(answer)[0]),
        *secure_score(answer)[0],
    ]
    assert points
    for point in points:
        schema = SCHEMA[point.series.measurement]
        assert [key for key, _ in point.series.tags] == schema["tags"]
        assert {key: type(value) for key, value in point.fields.items()} == {
            key: TYPES[kind] for key, kind in schema["fields"].items()
        }


BAD_SCORES = ["null", "true", "false", '"41.3"', '""', "[]", "{}", "NaN", "Infinity", "-Infinity", "1e400", "-1e400"]
HUGE = ["1" * 350, "-" + "1" * 350, "1" * 5000, "-" + "1" * 100_000]


@pytest.mark.parametrize("score", BAD_SCORES + HUGE, ids=lambda score: score[:10])
def test_a_row_without_a_finite_number_is_left_out_and_the_others_are_kept(score: str) -> None:
    """A score that is no finite number is never a point, in any answer; the rows beside it are."""
    rows = f'{{"value": [{{"rbacGroupName": "A", "score": 1}}, {{"rbacGroupName": "B", "score": {score}}}]}}'
    points, faults = groups(document.read(rows.encode()))
    assert [tags(point)[1] for point in points] == ["A"]
    [fault] = faults
    assert fault.startswith("row 2 ('B'): score is ")
    single = document.read(f'{{"time": "2026-07-01T12:00:00Z", "score": {score}}}'.encode())
    assert [organization(single)[0], secure_score(single)[0]] == [[], []]
    assert len(organization(single)[1]) == len(secure_score(single)[1]) == 1


def test_a_missing_score_is_no_zero() -> None:
    """Without a score there is no point."""
    assert organization({"time": "2026-07-01T12:00:00Z"}) == ([], ["score is missing, not a number"])
    assert groups({"value": [{"rbacGroupName": "A"}]}) == ([], ["row 1 ('A'): score is missing, not a number"])


@pytest.mark.parametrize("score", [0, -0.0, -3, 50, 50.5, 1e-300, 2**53 + 1, 10**300])
def test_any_finite_number_is_a_score_and_always_a_float(score: float) -> None:
    """Integers come out as floats, so that a field's type never flips; no range is assumed."""
    points, faults = organization({"time": "2026-07-01T12:00:00Z", "score": score})
    assert points[0].fields["score"] == float(score)
    assert isinstance(points[0].fields["score"], float)
    assert faults == []


@pytest.mark.parametrize("time", ["yesterday", "", None, 7, True, [], "0001-01-01T00:00:00Z"])
def test_an_unreadable_time_costs_no_score(time: object) -> None:
    """Where the organization's time can't be read, the score is kept with the moment of the answer, and it is said."""
    points, faults = organization({"score": 41, "time": time})
    assert points[0].fields == {"score": 41.0, "api_time": ARRIVED}
    assert len(faults) == 1
    assert faults[0].startswith("time is ")
    assert organization({"score": 41}) == (points, ["time is missing, not a time with a zone; the score is kept"])


def test_a_groups_time_is_not_looked_at() -> None:
    """A group's point has no time but the slot's, so a broken one costs nothing."""
    assert groups({"value": [{"time": [], "score": 1, "rbacGroupName": "A"}]})[1] == []


@pytest.mark.parametrize("name", [None, "", ...])
def test_a_group_without_a_name_is_unassigned(name: object) -> None:
    """Null, empty and absent names are data: the devices in no group."""
    row = {"score": 1} if name is ... else {"score": 1, "rbacGroupName": name}
    points, faults = groups({"value": [row]})
    assert [tags(point)[1] for point in points] == ["(unassigned)"]
    assert faults == []


@pytest.mark.parametrize("name", [7, 7.5, True, [], {}])
def test_a_name_that_is_no_text_is_a_bad_row(name: object) -> None:
    """A name of another type is not guessed at."""
    points, faults = groups({"value": [{"score": 1, "rbacGroupName": name}, {"score": 2, "rbacGroupName": "B"}]})
    assert [tags(point)[1] for point in points] == ["B"]
    assert len(faults) == 1
    assert faults[0].startswith("row 1: rbacGroupName is ")


@pytest.mark.parametrize("id_", [7.5, True, False, [], {}, math.inf])
def test_an_id_of_another_type_costs_no_score(id_: object) -> None:
    """The score is kept under the last id that is known for the name, and it is said."""
    points, faults = groups({"value": [{"score": 1, "rbacGroupName": "A", "rbacGroupId": id_}]}, {"A": "17"})
    assert [tags(point) for point in points] == [("contoso", "A", "17")]
    assert len(faults) == 1
    assert "rbacGroupId is " in faults[0]


@pytest.mark.parametrize("row", [None, 7, "x", [], True])
def test_a_row_that_is_no_object_is_left_out(row: object) -> None:
    """Whatever else stands in the list, the rows beside it are kept."""
    points, faults = groups({"value": [row, {"score": 1}]})
    assert len(points) == 1
    assert len(faults) == 1
    assert faults[0].startswith("row 1 is ")


def test_a_row_that_says_a_key_twice_is_left_out() -> None:
    """Of two scores in one row neither is taken."""
    answer = b'{"value": [{"score": 1, "score": 2, "rbacGroupName": "A"}, {"score": 3, "rbacGroupName": "B"}]}'
    points, faults = groups(document.read(answer))
    assert [tags(point)[1] for point in points] == ["B"]
    assert faults == ["row 1 is an object that has a key twice"]


@pytest.mark.parametrize("value", [None, 7, "x", {}, True, ...])
def test_a_list_that_is_none_is_a_bad_response(value: object) -> None:
    """Without a list of groups there is nothing to read."""
    with pytest.raises(BadResponse, match="not a list"):
        groups({} if value is ... else {"value": value})


def test_an_empty_list_is_no_fault() -> None:
    """A tenant without groups has no group points."""
    assert groups({"value": []}) == ([], [])


def test_a_lone_surrogate_in_a_name_is_data() -> None:
    """A name that UTF-8 can't carry becomes a tag of its own, told apart from every other."""
    points, faults = groups(document.read(b'{"value": [{"score": 1, "rbacGroupName": "x\\ud800"}]}'))
    assert tags(points[0])[1].startswith("x_~")
    assert faults == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b'{"score": 1',
        b"<html></html>",
        b"[" * 100_000,
        b'{"value": ' + b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"score": 1}\xff',
        b'{"a": "\xed\xa0\x80"}',
        b'\xef\xbb\xbf{"score": 1}',
        '{"score": 1}'.encode("utf-16"),
        b'{"score": 1}{"score": 2}',
        b'{"score": 1, "score": 2}',
        b'{"score": 01}',
        b"{'score': 1}",
        b"[]",
        b"null",
        b"7",
        b"1" * 5000,
        b'"text"',
        b"NaN",
    ],
    ids=lambda body: repr(body[:12]),
)
def test_what_is_no_json_object_is_a_bad_response(body: bytes) -> None:
    """Anything but one JSON object in UTF-8 is a BadResponse: never a crash, however deep or long."""
    with pytest.raises(BadResponse):
        document.read(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
FIELDS = {"score": JSON, "time": JSON, "rbacGroupName": JSON, "rbacGroupId": JSON, "more": JSON}


@given(st.lists(JSON | st.fixed_dictionaries({}, optional=FIELDS), max_size=8))
def test_any_rows_become_points_or_faults(rows: list[object]) -> None:
    """Whatever the rows hold, each is a point, a fault or both; nothing crashes and nothing vanishes."""
    answer = document.read(json.dumps({"value": rows}).encode())
    points, faults = groups(answer)
    assert len(points) <= len(rows) <= len(points) + len(faults)


@given(st.fixed_dictionaries({}, optional=FIELDS))
def test_any_object_becomes_a_point_or_a_fault(answer: dict[str, Any]) -> None:
    """Whatever the object holds, it is a point, a fault or both."""
    read = document.read(json.dumps(answer).encode())
    points, faults = organization(read)
    assert 1 <= len(points) + len(faults) <= 2


@given(st.binary())
def test_any_bytes_are_an_object_or_a_bad_response(body: bytes) -> None:
    """No bytes crash the reader."""
    with contextlib.suppress(BadResponse):
        assert isinstance(document.read(body), dict)
