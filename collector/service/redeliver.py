"""Bringing sinks up to date on a person's word: by this process, or by the service that has the role, watched.

Polls nothing. One process delivers: where another has the role, its own cursor in the journal says how far it is.
"""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from collector.batch import Cursor, Filter
from collector.errors import CollectorError, Missing, Unauthorized, Unavailable
from collector.http import Http
from collector.influx import open_sink
from collector.journal import Held, Journal, RoleLock, holder
from collector.pipeline import Delivery
from collector.pipeline.deliver import DELIVER
from collector.service.engine import STOP_SECONDS
from collector.service.lanes import Lanes
from collector.service.patience import BACKOFF, Delivered, Patience
from collector.settings import Settings

_LOOK_SECONDS = 0.5
_TAKEN_UP_SECONDS = 15.0
"""Within 10 s a running service takes up what was moved; then some for a machine that is busy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """How far it is, in points. `by`: the pid of the process that delivers, None while it is this one."""

    done: int
    of: int
    by: str | None


class _Course:
    """One sink's way to the row `goal`, followed by its cursor in the journal."""

    def __init__(self, journal: Journal, sink: str, wanted: Filter, goal: int) -> None:
        self._journal = journal
        self._wanted = wanted
        self._goal = goal
        self.sink = sink
        self.next = journal.cursor(sink).next
        self._letters = journal.letters.last()
        self.of = self._count(self.next, goal)
        self.done = 0
        self._moved = time.monotonic()

    def look(self) -> bool:
        """See where the cursor is; return whether it has reached the goal."""
        following = self._journal.cursor(self.sink).next
        if following != self.next:
            # Counted as far as it went and no further: to count all that is left at each look costs more each time.
            far = min(following, self._goal)
            self.done += self._count(self.next, far) - self._count(far, self.next)
            self.next = following
            self._moved = time.monotonic()
        return self.next >= self._goal

    def still(self) -> float:
        """Return for how many seconds the cursor has stood where it is."""
        return time.monotonic() - self._moved

    def refused(self) -> int:
        """Return how many of the rows before the goal the sink has refused since this began."""
        return sum(letter.row.id < self._goal for letter in self._journal.letters.every([self.sink], self._letters))

    def rest(self) -> None:
        """Begin to count those seconds now."""
        self._moved = time.monotonic()

    def _count(self, start: int, end: int) -> int:
        return self._journal.backlog(Cursor(self.sink, start, 0), self._wanted, until=end).points


class Redelivery:
    """Delivers to `sinks` of the settings alone, from `with` to its end. `seen` is told twice a second how it goes.

    `filled`: a sink that writes elsewhere than before gets what it had there, so that nobody need be warned of it.
    """

    def __init__(
        self,
        settings: Settings,
        journal: Journal,
        sinks: Sequence[str],
        *,
        patience: float,
        seen: Callable[[Stand], None] = lambda _: None,
        filled: bool = True,
    ) -> None:
        self._journal = journal
        self._filled = filled
        self._patience = patience
        self._seen = seen
        self.by: str | None = None
        """The pid of the process that delivered last, None when it was this one."""
        self._https = {sink: Http(settings.influxdb[sink].ca_file) for sink in sinks}
        self._timeouts = {sink: settings.influxdb[sink].timeout_seconds for sink in sinks}
        self._sinks = [open_sink(sink, settings.influxdb[sink], http) for sink, http in self._https.items()]
        for sink in self._sinks:
            journal.cursor(sink.name, sink.target)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Broken off by a person, a worker may be in an exchange: the process is about to end, and the sockets with it.
        if error is None or isinstance(error, CollectorError):
            for http in self._https.values():
                http.close()

    def at_one(self) -> None:
        """Return if the process that has the role delivers to where the settings say; raise Unavailable if not."""
        pid = holder(self._journal.path)
        for sink in self._sinks:
            target = self._journal.target(sink.name)
            if pid and target != sink.target:
                raise Unavailable(
                    f"the process {pid} delivers {sink.name} to {target}, and the settings say {sink.target}",
                    mend="restart it with these settings, then call this again",
                )

    def wanted(self, sink: str) -> Filter:
        """Return what is for a sink."""
        found = next(each for each in self._sinks if each.name == sink)
        tenants = None if found.tenants is None else tuple(found.tenants)
        return Filter(measurements=tuple(found.measurements), tenants=tenants)

    def run(self, goal: int) -> Sequence[Delivered]:
        """Return when each sink has every row before `goal`, or has failed for longer than the patience.

        The role is taken where it is free; while another process has it, that one delivers.
        """
        courses = [_Course(self._journal, sink.name, self.wanted(sink.name), goal) for sink in self._sinks]
        while True:
            with ExitStack() as role:
                try:
                    role.enter_context(RoleLock(self._journal.path))
                except Held as held:
                    pid = held.pid
                else:
                    return self._deliver(goal, courses)
            ended = self._watch(goal, courses, pid)
            if ended is not None:
                return ended

    def _deliver(self, goal: int, courses: Sequence[_Course]) -> Sequence[Delivered]:
        changed = threading.Event()
        lanes = Lanes({DELIVER: len(self._sinks)})
        deliveries = [
            Delivery(sink=sink, journal=self._journal, workers=lanes, changed=lambda _: changed.set(), backoff=BACKOFF)
            for sink in self._sinks
        ]
        patience = Patience(self._journal, deliveries, self._patience)
        if self._filled:
            for sink in self._sinks:
                # Whoever asks for this has seen that it moved.
                self._journal.retarget(sink.name, sink.target)
        lanes.start()
        try:
            for delivery in deliveries:
                delivery.nudge()
            while not patience.over(goal):
                changed.wait(_LOOK_SECONDS)
                changed.clear()
                self._look(courses, None)
        except BaseException:
            # A person wants it to end: what is under way is in no promise yet, and the process is about to end.
            lanes.stop(0.0)
            raise
        lanes.stop(STOP_SECONDS)
        self._look(courses, None)
        return patience.delivered(goal)

    def _watch(self, goal: int, courses: Sequence[_Course], pid: str) -> Sequence[Delivered] | None:
        """Follow the process that has the role; return None when none has had it for a whole patience."""
        for course in courses:
            course.rest()
        alone: float | None = None
        while True:
            self._look(courses, pid)
            if all(course.next >= goal or self._failed(course) for course in courses):
                return [self._watched(course, goal, pid) for course in courses]
            now = holder(self._journal.path)
            # A service that is being restarted has to find the role free: its polls can't be asked for again.
            alone = None if now else alone or time.monotonic()
            if alone is not None and time.monotonic() - alone > self._patience:
                return None
            if alone is not None or now != pid:
                pid = now or pid
                for course in courses:
                    course.rest()
            time.sleep(_LOOK_SECONDS)

    def _look(self, courses: Sequence[_Course], by: str | None) -> None:
        self.by = by
        for course in courses:
            course.look()
        self._seen(Stand(done=sum(course.done for course in courses), of=sum(course.of for course in courses), by=by))

    def _failed(self, course: _Course) -> bool:
        still = course.still()
        if still <= max(self._patience, _TAKEN_UP_SECONDS):
            return False
        # Where nothing is noted an exchange may be under way: it has its own time to fail in. The first compressed
        # lines that get no answer are sent again as they are.
        return bool(self._journal.noted(course.sink)) or still > _TAKEN_UP_SECONDS + 2 * self._timeouts[course.sink]

    def _watched(self, course: _Course, goal: int, pid: str) -> Delivered:
        noted = self._journal.noted(course.sink)
        kind, _, words = noted.partition(": ")
        error: Unavailable | None = None
        if course.next < goal:
            kinds = {each.__name__: each for each in (Missing, Unauthorized)}
            error = kinds.get(kind, Unavailable)(words) if noted else _silent(pid)
        refused = course.refused()
        return Delivered(
            sink=course.sink,
            points=course.done - refused,
            backlog=self._journal.backlog(self._journal.cursor(course.sink), self.wanted(course.sink)).points,
            dead_letters=self._journal.dead_letters(course.sink),
            refused=refused,
            error=error,
        )


def _silent(pid: str) -> Unavailable:
    return Unavailable(
        f"the process {pid} delivers nothing of it, and says nothing of why",
        mend="was it started with these settings? restart it: a sink that it doesn't know it can't deliver to",
    )
