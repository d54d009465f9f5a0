"""Collecting and delivering on a stage: the pipeline's parts before a real journal, with a clock that a test moves."""

from collections.abc import Callable, Sequence

from fakes import Script, Stage, Store, Time, score

from collector.batch import Cursor
from collector.journal import Journal
from collector.pipeline import Backoff, Collecting, Delivery, Hold, Outcome, Pace, Terms
from collector.pipeline.deliver import State
from collector.point import Point

HOUR = 3_600_000
SLOT = 1_700_000_000_000 // HOUR * HOUR


def middle(low: float, high: float) -> float:
    """Draw what lies in the middle."""
    return (low + high) / 2


class Polls:
    """A `Collecting` on a stage, with what it settled."""

    def __init__(self, journal: Journal, *, paced: bool = False) -> None:
        self.journal = journal
        self.time = Time()
        self.stage = Stage(self.time)
        self.outcomes: list[Outcome] = []
        self.settled: Callable[[Outcome], object] = lambda _: None
        self.collecting = Collecting(
            hold=Hold(journal, appended=lambda: None),
            workers=self.stage,
            name="host-1",
            timeout=30.0,
            pace=Pace(monotonic=self.time) if paced else None,
            monotonic=self.time,
        )

    def poll(
        self,
        source: Script,
        seconds: float = 600.0,
        *,
        patient: bool = True,
        subject: str = "organization",
        succeeded: bool = False,
        draw: Callable[[float, float], float] = middle,
    ) -> None:
        now = self.time.now
        terms = Terms(
            last_start=now + seconds - 1,
            end=now + seconds,
            backoff=Backoff(base=2.0, most=60.0, draw=draw),
            patient=patient,
        )
        self.collecting.poll(source, subject, SLOT, terms, self._settled, succeeded=succeeded)

    def _settled(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        self.settled(outcome)

    def points(self) -> list[Point]:
        return [row.point for row in self.journal.read(Cursor("test", 1, 0), 1000).rows]


class Deliveries:
    """Sinks on a stage before one journal."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.time = Time()
        self.stage = Stage(self.time)
        self.states: list[State] = []

    def delivery(self, sink: Store) -> Delivery:
        return Delivery(
            sink=sink,
            journal=self.journal,
            workers=self.stage,
            changed=self.states.append,
            backoff=Backoff(base=1.0, most=60.0, draw=middle),
        )

    def deliver(self, sink: Store) -> Delivery:
        delivery = self.delivery(sink)
        delivery.nudge()
        self.stage.play()
        return delivery


def many(count: int) -> list[Point]:
    """Return points of one series, an hour apart."""
    return [score("contoso", SLOT + n * HOUR, float(n)) for n in range(count)]


def refusing(bad: Callable[[Point], bool], error: Callable[[], Exception]) -> Callable[[Sequence[Point]], None]:
    """Return a judge that refuses each batch with a bad point in it."""

    def judge(points: Sequence[Point]) -> None:
        if any(bad(point) for point in points):
            raise error()

    return judge


def failing(times: int, error: Exception) -> Callable[[Sequence[Point]], None]:
    """Return a judge that fails so many times, then agrees."""
    left = [times]

    def judge(_: Sequence[Point]) -> None:
        if left[0]:
            left[0] -= 1
            raise error

    return judge
