"""How fast a consumer that is far behind catches up, as `status` says it by two looks at its cursor."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from journals import HOUR, MIDNIGHT, group, org

from collector.batch import DERIVE, Cursor, Filter
from collector.journal import Journal
from collector.status import pace
from collector.status.pace import Behind, paces

MANY = 30_000


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal of many points, half of them of groups."""
    path = tmp_path_factory.mktemp("pace") / "journal.db"
    with Journal(path) as journal:
        slots = [MIDNIGHT + n * HOUR for n in range(MANY // 2)]
        journal.append([point for slot in slots for point in (org(slot), group("a", slot))])
    return path


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    """It, with the cursor of a sink at its first row."""
    with Journal(path) as journal:
        journal.cursor("main")
        journal.move("main", 1)
        yield journal


def behind(journal: Journal, wanted: Filter, error: str = "") -> dict[str, Behind]:
    """Return the sink as it stands."""
    cursor = journal.cursor("main")
    return {"main": Behind(cursor, wanted, journal.backlog(cursor, wanted), error, begun=True)}


class Clock:
    """Time that passes by `seconds` at each look; what else happens at one is `at_look`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr("collector.status.pace.time.sleep", self.sleep)
        self.looks = 0
        self.steps: dict[int, int] = {}
        self.journal: Journal | None = None

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.looks += 1
        if self.journal is not None and self.looks in self.steps:
            cursor = self.journal.cursor("main")
            assert self.journal.advance(cursor, cursor.next + self.steps[self.looks]) is not None

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, journal: Journal) -> Clock:
    """A clock of the journal's sink."""
    clock = Clock(monkeypatch)
    clock.journal = journal
    return clock


@pytest.mark.parametrize(
    ("steps", "rate"),
    [
        # 1,000 rows each 0.1 s; the first step's own length is not known.
        ({3: 1000, 5: 1000, 7: 1000, 9: 1000}, 10_000.0),
        # One step in all of the time.
        ({10: 3000}, 3000 / 1.5),
    ],
)
@pytest.mark.parametrize(("wanted", "part"), [(Filter(), 1.0), (Filter(measurements=("exposure_score",)), 0.5)])
def test_the_pace_is_that_of_the_points_between_two_moves(
    journal: Journal,
    clock: Clock,
    steps: dict[int, int],
    rate: float,
    wanted: Filter,
    part: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Counted are the points that the sink wants, not the rows that it passes."""
    monkeypatch.setattr(pace, "_FAR", 10_000)
    clock.steps = steps
    assert paces(journal, behind(journal, wanted), clock) == {"main": pytest.approx(rate * part, rel=0.05)}


def test_a_sink_that_stands_still_has_no_pace(journal: Journal, clock: Clock) -> None:
    """Nor one that a person has moved back meanwhile."""
    stand = behind(journal, Filter())
    assert paces(journal, stand, clock) == {}
    clock.steps = {clock.looks + 2: 500}
    moved = {"main": Behind(Cursor("main", 1, 7), Filter(), stand["main"].backlog, "", begun=True)}
    assert paces(journal, moved, clock) == {}


def test_nobody_waits_for_one_that_is_nearly_there_or_fails(journal: Journal, clock: Clock) -> None:
    """The journal is looked at once: what is few is delivered in a moment, and what fails stands."""
    assert paces(journal, behind(journal, Filter(), "Unavailable: no answer"), clock) == {}
    assert paces(journal, behind(journal, Filter(tenants=("nobody",))), clock) == {}
    assert clock.looks == 0


def test_the_pace_is_seen_of_a_sink_that_another_thread_delivers_to(journal: Journal) -> None:
    """By the real clock: what was taken in the time that it took."""
    over = threading.Event()

    def deliver() -> None:
        while not over.wait(0.05):
            journal.advance(cursor := journal.cursor("main"), cursor.next + 200)

    worker = threading.Thread(target=deliver)
    worker.start()
    try:
        found = paces(journal, behind(journal, Filter()) | behind_of(journal))
    finally:
        over.set()
        worker.join()
    assert set(found) == {"main"}
    assert 200 < found["main"] < 8_000


def behind_of(journal: Journal) -> dict[str, Behind]:
    """Return what is derived, of which nothing is done."""
    cursor = journal.cursor(DERIVE)
    return {DERIVE: Behind(cursor, Filter(), journal.backlog(cursor), "", begun=True)}
