"""The way into the journal against a plain count: whatever fails and recovers, each point is somewhere, and once."""

from collections.abc import Sequence

from fakes import score
from hypothesis import given
from hypothesis import strategies as st

from collector.errors import JournalError
from collector.pipeline import Hold
from collector.point import Point

TENANTS = "abxy"
STEPS = st.lists(
    st.tuples(st.sampled_from(TENANTS), st.integers(0, 3)) | st.sampled_from(["flush", "disk", "x", "y"]), max_size=25
)


class _Journal:
    """A journal whose disk may be full, and that may not be able to store some tenants."""

    def __init__(self) -> None:
        self.rows: list[Point] = []
        self.full = False
        self.faulty: set[str] = set()

    def append(self, points: Sequence[Point]) -> bool:
        if self.full:
            raise JournalError("full")
        if any(point.series.tag("tenant") in self.faulty for point in points):
            raise RuntimeError("a fault of ours")
        self.rows += points
        return True


@given(STEPS, st.sampled_from([3, 6, 10]))
def test_each_point_is_in_the_journal_in_memory_or_counted_as_lost(
    steps: list[tuple[str, int] | str], most: int
) -> None:
    """What is said to be safe is; memory holds no more than it may; at the end all that was not lost is stored once.

    And in the order in which it came, but for what could not be stored. While the journal takes what it is given, no
    poll that can be stored waits.
    """
    journal = _Journal()
    hold = Hold(journal, appended=lambda: None, most=most)  # type: ignore[arg-type]
    given_so_far = 0
    for step in steps:
        match step:
            case (str(tenant), int(count)):
                points = [score(tenant, given_so_far + n) for n in range(count)]
                given_so_far += count
                safe = hold.keep(points)
                assert not safe or all(point in journal.rows for point in points)
                assert safe or hold.error or tenant in journal.faulty
            case "flush":
                hold.flush()
            case "disk":
                journal.full = not journal.full
            case tenant:
                journal.faulty ^= {str(tenant)}
        assert 0 <= hold.faulty <= hold.held <= most
        assert len(journal.rows) + hold.held + hold.lost == given_so_far
    journal.full, journal.faulty = False, set()
    assert hold.flush()
    assert (hold.held, hold.faulty, hold.error) == (0, 0, None)
    times = [point.time for point in journal.rows]
    assert len(set(times)) == len(times) == given_so_far - hold.lost
    sound = [point.time for point in journal.rows if point.series.tag("tenant") in "ab"]
    assert sound == sorted(sound)
