"""Line protocol, byte by byte. What a server reads of it is in test_influx_real.py."""

import pytest
from columns import columns

from collector.batch import NO_ROWS
from collector.influx.line import Encoder
from collector.point import Point, Series, Value

ORGANIZATION = Series("exposure_score", (("tenant", "contoso"),))


def line_of(series: Series, time: int = 0, **fields: Value) -> str:
    """Return the line of one point."""
    return Encoder().encode(columns([Point(series, time, fields)])).decode()


def test_a_point_is_one_line_with_its_time_in_milliseconds() -> None:
    """A point is measurement, tags, fields and its time in milliseconds, on one line."""
    assert (
        line_of(ORGANIZATION, 1575357833280, score=33.5) == "exposure_score,tenant=contoso score=33.5 1575357833280\n"
    )


def test_a_batch_keeps_its_order() -> None:
    """Lines stand in the order of the points, so that a server's words about a line can be found again."""
    points = [Point(ORGANIZATION, time, {"score": 1.0}) for time in (3, 1, 2)]
    assert [line.rpartition(b" ")[2] for line in Encoder().encode(columns(points)).splitlines()] == [b"3", b"1", b"2"]


def test_no_points_are_no_bytes() -> None:
    """An empty batch has no line at all."""
    assert Encoder().encode(NO_ROWS) == b""


def test_tags_are_sorted_by_key() -> None:
    """Tags stand in the order that InfluxDB keeps them in, whatever the order in the schema."""
    series = Series("exposure_score_by_group", (("tenant", "t"), ("rbacGroupName", "n"), ("rbacGroupId", "7")))
    assert line_of(series, score=1.0) == "exposure_score_by_group,rbacGroupId=7,rbacGroupName=n,tenant=t score=1.0 0\n"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (5.0, "5.0"),
        (-0.0, "-0.0"),
        (41.38041766305988, "41.38041766305988"),
        (1e22, "1e+22"),
        (5e-324, "5e-324"),
        (5, "5i"),
        (-(2**63), "-9223372036854775808i"),
        ("", '""'),
        ("Unavailable", '"Unavailable"'),
        ('say "hi"', '"say \\"hi\\""'),
        ("C:\\", '"C:\\\\"'),
        ("a\nb, c=d", '"a\nb, c=d"'),
    ],
)
def test_a_field_keeps_its_type(value: Value, written: str) -> None:
    """A float is always written as a float, an int with its i, and a string in quotes: no field's type ever flips."""
    assert line_of(ORGANIZATION, v=value) == f"exposure_score,tenant=contoso v={written} 0\n"


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Paris, 1st floor", "Paris\\,\\ 1st\\ floor"),
        (" = ", "\\ \\=\\ "),
        ('"quoted"', '"quoted"'),
        ("C:\\temp", "C:\\temp"),
        ("#1 Größe 😀", "#1\\ Größe\\ 😀"),
    ],
)
def test_what_parts_a_line_is_escaped_in_a_tag(name: str, written: str) -> None:
    """A comma, a space and an equals sign in a name are escaped; a backslash that the name rule lets pass is not."""
    assert line_of(Series("m", (("rbacGroupName", name),)), v=1) == f"m,rbacGroupName={written} v=1i 0\n"


def test_what_parts_a_line_is_escaped_in_keys_and_measurements() -> None:
    """Measurements and keys are escaped too; an equals sign needs it in a key alone."""
    series = Series("a b,c=d", (("k, =", "v"),))
    assert Encoder().encode(columns([Point(series, 0, {"f, =": 1})])) == b"a\\ b\\,c=d,k\\,\\ \\==v f\\,\\ \\==1i 0\n"


def test_what_stands_for_a_value_in_a_form_is_no_such_thing_in_a_name() -> None:
    """A percent sign in a measurement, a tag, a field's name or a text is a percent sign."""
    series = Series("%s", (("%d", "%r"),))
    fields: dict[str, Value] = {"%i": 1, "100%": "%s%%"}
    assert line_of(series, 0, **fields) == '%s,%d=%r %i=1i,100%="%s%%" 0\n'


def test_an_encoder_keeps_no_more_heads_than_it_may() -> None:
    """More series than an encoder remembers are written as well, again and again."""
    points = [Point(Series("m", (("tag", str(number)),)), 0, {"v": number}) for number in range(5)]
    encoder = Encoder(heads=2)
    assert encoder.encode(columns(points * 2)) == Encoder().encode(columns(points)) * 2
    assert len(encoder._heads) <= 2
