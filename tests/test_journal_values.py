"""Values: what a field holds comes back exactly, through a file that was closed."""

from enum import IntEnum
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journals import every, group, org

from collector.journal import Journal
from collector.point import Point, Value, carried

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
_VALUES: st.SearchStrategy[Value] = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([-0.0, 5e-324, 1.7976931348623157e308, 2**63 - 1, -(2**63), 0, -1, 63, 64, -64, -65]),
    st.integers(-(2**63), 2**63 - 1),
    _TEXT,
    st.sampled_from(["", "a\nb\r\n", "\"'\\", "\0", "🚨\U0010ffff\ufffe", "é" * 300]),
)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(_TEXT.filter(carried), st.dictionaries(_TEXT.filter(bool), _VALUES, min_size=1, max_size=4)),
        min_size=1,
        max_size=20,
    )
)
def test_values_come_back_bit_by_bit(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[tuple[str, dict[str, Value]]]
) -> None:
    """Every float, int and str of any name comes back as it was given, from a file that was closed in between."""
    path = tmp_path_factory.mktemp("values") / "journal.db"
    points = [Point(group(name).series, n, fields) for n, (name, fields) in enumerate(drawn)]
    with Journal(path) as journal:
        journal.append(points)
    with Journal(path, readonly=True) as journal:
        found = every(journal)
    assert found == points
    for before, after in zip(points, found, strict=True):
        # repr tells 1 from 1.0 and 0.0 from -0.0, which == does not.
        assert [repr(value) for value in after.fields.values()] == [repr(value) for value in before.fields.values()]


def test_a_number_that_is_more_than_a_number_is_kept_as_a_number(tmp_path: Path) -> None:
    """A field may be an IntEnum, or another library's float or str; it is read as what it is at heart."""

    class State(IntEnum):
        OPEN = 1

    class Score(float):
        pass

    class Title(str):
        __slots__ = ()

    fields: dict[str, Value] = {"state": State.OPEN, "score": Score(1.5), "title": Title("a")}
    with Journal(tmp_path / "journal.db") as journal:
        journal.append([Point(org().series, 1, fields)])
        found = every(journal)[0].fields.values()
    assert [(type(value), value) for value in found] == [(int, 1), (float, 1.5), (str, "a")]
