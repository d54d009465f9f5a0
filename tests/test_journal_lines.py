"""The quick way from the journal's bytes to a sink's lines: it says what the plain way says, of any points."""

import re
import string
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from journals import look
from structlog.testing import capture_logs

from collector.batch import Cursor
from collector.influx.line import Encoder
from collector.journal import Journal
from collector.point import MAX_TIME, Point, Series, Value, tag_value

_FIRST = Cursor("main", 1, 0)
_NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=6)
_TAGS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).map(tag_value)
_VALUES: st.SearchStrategy[Value] = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-70, 70),
    st.integers(-(2**63), 2**63 - 1),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)
_SERIES = st.builds(
    lambda measurement, tenant, tags: Series(measurement, (("tenant", tenant), *tags.items())),
    _NAMES,
    _TAGS,
    st.dictionaries(st.sampled_from(string.ascii_lowercase), _TAGS, max_size=3),
)
_POINTS = st.builds(
    Point,
    _SERIES,
    st.integers(0, MAX_TIME - 1),
    st.dictionaries(_NAMES, _VALUES, min_size=1, max_size=4),
)


@settings(deadline=None, max_examples=60)
@given(polls=st.lists(st.lists(_POINTS, min_size=1, max_size=4), min_size=1, max_size=4), data=st.data())
def test_any_points_leave_the_journal_as_their_lines(polls: Sequence[Sequence[Point]], data: st.DataObject) -> None:
    """Each line is the one that its point alone would make; a row with a flipped bit is left out, alone, and named."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db"
        stands: dict[tuple[Series, int], Point] = {}
        with Journal(path) as journal:
            # Twice: each shape comes again after others, and every row supersedes one.
            for poll in [*polls, *polls]:
                journal.append(poll)
                for point in poll:
                    stands.pop((point.series, point.time), None)
                    stands[point.series, point.time] = point
            expected = [plain(point) for point in stands.values()]
            batch = journal.read(_FIRST, 1000)
            assert Encoder().encode(batch.columns).decode() == "".join(expected)
            assert [row.point for row in batch.rows] == list(stands.values())
            place = data.draw(st.integers(0, len(expected) - 1))
            struck = batch.rows[place].id
            _flip(path, struck, data.draw(st.integers(0, 2**16)))
            del expected[place]
            with capture_logs() as said:
                left = journal.read(_FIRST, 1000)
    assert Encoder().encode(left.columns).decode() == "".join(expected)
    assert [event["what"] for event in said] == [f"row {struck}"]


def _flip(path: Path, row: int, bit: int) -> None:
    ((content,),) = look(path, "SELECT data FROM point WHERE id = ?", row)
    changed = bytearray(content)
    bit %= len(changed) * 8
    changed[bit // 8] ^= 1 << bit % 8
    look(path, "UPDATE point SET data = ? WHERE id = ?", bytes(changed), row)


def test_a_float_of_another_library_leaves_as_a_number(journal: Journal) -> None:
    """A float that shows itself in another way is written as the number that it is."""

    class Loud(float):
        def __repr__(self) -> str:
            return f"Loud({float(self)})"

    journal.append([Point(Series("m", (("tenant", "t"),)), 0, {"score": Loud(2.5)})])
    assert Encoder().encode(journal.read(_FIRST, 1).columns) == b"m,tenant=t score=2.5 0\n"


def plain(point: Point) -> str:
    """Return a point's line, made of nothing but the point."""
    tags = "".join(f",{_part(key)}={_part(value)}" for key, value in sorted(point.series.tags))
    fields = ",".join(f"{_part(name)}={_value(value)}" for name, value in point.fields.items())
    measurement = point.series.measurement.replace(",", "\\,").replace(" ", "\\ ")
    return f"{measurement}{tags} {fields} {point.time}\n"


def _part(text: str) -> str:
    return re.sub(r"([,= ])", r"\\\1", text)


def _value(value: Value) -> str:
    if isinstance(value, str):
        return '"' + re.sub(r'([\\"])', r"\\\1", value) + '"'
    return repr(value) if isinstance(value, float) else f"{value}i"
