"""Many points to rows: the quick way leaves what the careful one does, byte for byte and row for row."""

from enum import IntEnum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from journals import MIDNIGHT, every, group, look

from collector.batch import Row
from collector.journal import Journal
from collector.journal.codec import Key, encode, shape_of
from collector.journal.packing import Packer
from collector.journal.rows import _TOGETHER
from collector.point import Point, Value

_INT64 = st.integers(-(2**63), 2**63 - 1)
_VALUES: st.SearchStrategy[Value] = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-70, 70),
    _INT64,
    st.text(st.characters(exclude_categories=["Cs"])),
)
_NUMBERS: st.SearchStrategy[Value] = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(-70, 70))


class Level(IntEnum):
    """A field's value may be of a subclass."""

    LOW = 1


class Score(float):
    """The same of a float."""


@given(
    st.builds(Key, _INT64, _INT64, _INT64, _INT64),
    st.one_of(
        st.dictionaries(st.text(), _VALUES, min_size=1, max_size=6),
        st.dictionaries(st.text(), _NUMBERS, min_size=1, max_size=9),
    ),
)
def test_a_packed_row_is_the_encoded_one(key: Key, fields: dict[str, Value]) -> None:
    """Whatever fields a point has, its row has the same bytes by both ways."""
    assert Packer(key.shape, shape_of(fields)).packed(key.id, key.series, key.time, fields) == encode(key, fields)


@pytest.mark.parametrize("value", [0, 1, -1, 63, 64, -64, -65, 127, 128, 255, 256, 2**63 - 1, -(2**63)])
def test_an_int_of_any_length_is_packed(value: int) -> None:
    """Where an int no longer takes one byte, it takes two, and not another's place."""
    key, fields = Key(1, 2, 3, 4), {"score": 1.5, "level": value, "spike": 1}
    assert Packer(4, shape_of(fields)).packed(1, 2, 3, fields) == encode(key, fields)


def test_values_of_a_subclass_are_kept_as_what_they_are(journal: Journal) -> None:
    """An enumerated level is an int, and a score of a type of its own a float: beside plain ones, in one shape."""
    series = group("a").series
    points = [
        Point(series, 1, {"score": 1.5, "level": 1}),
        Point(series, 2, {"score": Score(1.5), "level": Level.LOW}),
        Point(series, 3, {"score": 1, "level": 1}),
    ]
    journal.append(points)
    assert every(journal) == points
    assert look(journal.path, "SELECT fields FROM shape ORDER BY id") == [
        ('[["score","float"],["level","int"]]',),
        ('[["score","int"],["level","int"]]',),
    ]


@pytest.mark.parametrize("count", [0, 1, _TOGETHER - 1, _TOGETHER, _TOGETHER + 1, 3 * _TOGETHER + 7])
def test_an_append_of_any_size_keeps_its_order(tmp_path: Path, count: int) -> None:
    """Each point is a row, in the order given, with ids that go on from the last."""
    points = [group(f"g{n}") for n in range(count)]
    with Journal(tmp_path / "journal.db") as journal:
        journal.append([group("first")])
        journal.append(points)
        rows = journal.read(journal.cursor("test"), 10_000).rows
        assert list(rows) == [Row(n, point) for n, point in enumerate([group("first"), *points], 1)]
        assert journal.tail() == count + 2


@pytest.mark.parametrize("apart", [1, _TOGETHER - 1, _TOGETHER, 2 * _TOGETHER])
def test_of_one_identity_the_last_of_an_append_stands(journal: Journal, apart: int) -> None:
    """An append that has an identity twice keeps its later point, near or far, and the ids of both are used."""
    points = [group(f"g{n % apart}", MIDNIGHT, float(n)) for n in range(apart + 1)]
    journal.append(points)
    assert every(journal) == points[1:]
    assert journal.tail() == len(points) + 1
