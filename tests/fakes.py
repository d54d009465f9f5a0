"""Stand-ins for what the pipeline meets: workers on a clock of their own, and sources and sinks that follow a script.

The journal is never faked: it is quick enough to be itself.
"""

import heapq
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from collector.batch import Columns, Write
from collector.errors import CollectorError
from collector.point import Point, Series, Value
from collector.step import Step

START = 1_700_000_000.0


class Time:
    """A clock that moves when a test moves it. Serves as wall clock and as monotonic clock."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Stage:
    """Workers in one thread on a made-up clock: what is due runs in order, and time jumps to the next job."""

    def __init__(self, time: Time) -> None:
        self.time = time
        self.ran: list[str] = []
        self._order = itertools.count()
        self._jobs: list[tuple[float, int, str, Callable[[], None]]] = []

    def soon(self, lane: str, job: Callable[[], None]) -> None:
        self.later(0.0, lane, job)

    def later(self, seconds: float, lane: str, job: Callable[[], None]) -> None:
        heapq.heappush(self._jobs, (self.time.now + seconds, next(self._order), lane, job))

    def play(self, until: float = float("inf"), most: int = 10_000) -> None:
        """Run what is due, and let the time pass to what isn't yet, up to a moment."""
        for _ in range(most):
            if not self._jobs or self._jobs[0][0] > until:
                if until < float("inf"):
                    self.time.now = max(self.time.now, until)
                return
            self.step()
        raise AssertionError("the stage does not come to rest")

    def step(self) -> None:
        """Run the next job, if there is one."""
        if self._jobs:
            moment, _, lane, job = heapq.heappop(self._jobs)
            self.time.now = max(self.time.now, moment)
            self.ran.append(lane)
            job()

    @property
    def waits(self) -> Sequence[float]:
        """Seconds until each job that waits."""
        return sorted(moment - self.time.now for moment, *_ in self._jobs)


Turn = Step | CollectorError | Sequence[Point]


class Script:
    """A source whose polls go as they are told: each turn is a step's answer, an error, or points and then DONE."""

    def __init__(self, tenant: str, turns: Iterable[Turn] = (), sign_ins: Iterable[CollectorError | None] = ()) -> None:
        self.tenant = tenant
        self.turns = deque(turns)
        self.sign_ins = deque(sign_ins)
        self.asked: list[tuple[str, int]] = []
        self.signed_in = 0
        self.seconds: list[float] = []
        self.clock_ahead: float | None = None
        self.takes = 0.0
        """Seconds that each exchange takes on `clock`."""
        self.clock = Time()

    def expires(self) -> datetime | None:
        return None

    def ask(self, subject: str, slot: int) -> "ScriptedAsking":
        self.asked.append((subject, slot))
        return ScriptedAsking(self)

    def sign_in(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self.signed_in += 1
        self.clock.now += self.takes
        error = self.sign_ins.popleft() if self.sign_ins else None
        if error is not None:
            raise error


class ScriptedAsking:
    """One poll of a `Script`."""

    def __init__(self, script: Script) -> None:
        self.points: list[Point] = []
        self._script = script

    def step(self, seconds: float) -> Step:
        self._script.seconds.append(seconds)
        self._script.clock.now += self._script.takes
        turn = self._script.turns.popleft()
        if isinstance(turn, CollectorError):
            raise turn
        if isinstance(turn, Step):
            return turn
        self.points += turn
        return Step.DONE


class Store:
    """A sink that keeps what it is given in a dict by identity, and refuses by a rule."""

    def __init__(self, name: str = "main", judge: Callable[[Sequence[Point]], None] = lambda _: None) -> None:
        self.name = name
        self.target = f"v1 http://{name}.test/ database exposure"
        self.measurements: tuple[str, ...] = ("*",)
        self.tenants: tuple[str, ...] | None = None
        self.judge = judge
        self.requests: list[int] = []
        self.kept: dict[tuple[Series, int], dict[str, Value]] = {}

    def prepare(self, rows: Columns) -> Write:
        points = [row.point for row in rows.rows()]

        def write(meanwhile: Callable[[], object] | None) -> None:
            self.requests.append(len(points))
            if meanwhile:
                meanwhile()
            self.judge(points)
            for point in points:
                self.kept[point.series, point.time] = dict(point.fields)

        return write


def score(tenant: str, slot: int, value: float = 41.5) -> Point:
    """Return an organization's point."""
    return Point(
        Series("exposure_score", (("tenant", tenant),)), slot, {"score": value, "api_time": slot * 1_000_000 + 700}
    )


def group(tenant: str, name: str, slot: int, value: float = 33.0, id_: str = "7") -> Point:
    """Return a group's point."""
    tags = (("tenant", tenant), ("rbacGroupName", name), ("rbacGroupId", id_))
    return Point(Series("exposure_score_by_group", tags), slot, {"score": value})
