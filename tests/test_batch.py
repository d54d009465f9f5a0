"""Rows on their way to a consumer: column by column, a part at a time, and as points for who needs them."""

import pytest
from columns import columns
from journals import HOUR, MIDNIGHT, group, org

from collector.batch import Columns

POINTS = [org(), group("a"), group("b"), org(MIDNIGHT + HOUR), group("a", MIDNIGHT + HOUR)]


@pytest.mark.parametrize(("start", "end"), [(0, 5), (0, 2), (2, 5), (1, 4), (3, 3)])
def test_a_part_is_those_rows_and_no_others(start: int, end: int) -> None:
    """Each keeps its id, its series, its time and its values, whichever part it is in."""
    part = columns(POINTS).part(start, end)
    assert len(part) == end - start
    assert [(row.id, row.point) for row in part.rows()] == [(n + 1, POINTS[n]) for n in range(start, end)]


def test_points_are_made_once_for_all_who_ask() -> None:
    """A batch that two ask for as points is not made into points twice."""
    rows = columns(POINTS)
    first = rows.rows()[0]
    assert rows.rows()[0] is first


def test_columns_of_unequal_lengths_are_no_rows() -> None:
    """A fault in a reader is an error, not a row that is left out in silence, nor a value of another's."""
    sound = columns(POINTS)
    torn = Columns(sound.ids, sound.series, sound.times, sound.shapes, [*sound.values[:-1]])
    with pytest.raises(ValueError, match="shorter"):
        torn.rows()
    values = [*sound.values[:-1], ()]
    with pytest.raises(ValueError, match="shorter"):
        Columns(sound.ids, sound.series, sound.times, sound.shapes, values).rows()
