"""A service before a clock that a test moves, the tenant that it polls, and what became of each poll."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fakes import Script, ScriptedAsking, score

from collector.batch import Cursor
from collector.errors import Unavailable
from collector.journal import Journal
from collector.pipeline import Outcome
from collector.point import Point
from collector.service.engine import Engine
from collector.service.run import Running
from collector.settings import Settings
from collector.step import Step

HOUR, DAY, YEARS = 3600, 86_400, 10 * 365 * 86_400
NINE = 1_790_000_000 // DAY * DAY + 9 * HOUR
HALF_PAST = NINE + HOUR / 2
"""No hour begins while a test runs."""
SETTINGS = """
[poll]
subjects = ["organization"]
[tenants.contoso]
tenant_id = "11111111-1111-1111-1111-111111111111"
client_id = "22222222-2222-2222-2222-222222222222"
credential = { kind = "client_secret", client_secret = "made-up" }
[web]
listen = ""
"""


def hour(n: int) -> int:
    """Return the slot (ms) that begins so many hours after nine."""
    return (NINE + n * HOUR) * 1000


class Answers(Script):
    """A source on a clock that jumps. Each answer's score is the number of its question, from 1."""

    def __init__(self) -> None:
        super().__init__("contoso")
        self.errors: list[Unavailable] = []
        """What the next questions fail of."""
        self.hang: threading.Event | None = None
        """The next exchange doesn't end before it is set."""
        self.hangs = threading.Event()

    def ask(self, subject: str, slot: int) -> ScriptedAsking:
        super().ask(subject, slot)
        hang, self.hang = self.hang, None
        turn = self.errors.pop(0) if self.errors else [score("contoso", slot, float(len(self.asked)))]
        return Answer(self, turn, hang)

    @property
    def slots(self) -> list[int]:
        """What was asked for, in hours after nine."""
        return [(slot // 1000 - NINE) // HOUR for _, slot in self.asked]


class Answer(ScriptedAsking):
    """One poll of `Answers`."""

    def __init__(self, source: Answers, turn: Unavailable | list[Point], hang: threading.Event | None) -> None:
        super().__init__(source)
        self._source = source
        self._turn = turn
        self._hang = hang

    def step(self, seconds: float) -> Step:
        if self._hang is not None:
            self._source.hangs.set()
            assert self._hang.wait(60)
        self._source.turns.append(self._turn)
        return super().step(seconds)


class Clocked:
    """A service that polls one subject of one tenant, and what is known of it."""

    def __init__(self, settings: Settings, journal: Journal, source: Script) -> None:
        self.journal = journal
        self.outcomes: list[Outcome] = []
        self.engine = Engine(settings, journal, name="host-1", tenants=[], delivered=lambda _: None)
        self.engine.sources = [source]  # type: ignore[list-item]
        self.running = Running(settings, self.engine, self.outcomes.append)

    @contextmanager
    def runs(self) -> Iterator[None]:
        stop = threading.Event()
        thread = threading.Thread(target=self.running.until, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(15)
        assert not thread.is_alive()

    def settles(self, count: int) -> Outcome:
        """Return the last of so many polls that are settled, once they are."""
        until(lambda: len(self.outcomes) >= count)
        return self.outcomes[count - 1]

    def rests(self, lane: str) -> None:
        """Return once all that a lane of one worker has to do is done."""
        done = threading.Event()
        self.engine.lanes.soon(lane, done.set)
        assert done.wait(60)

    def points(self) -> dict[int, Point]:
        """Return what the journal holds of the score, by row."""
        rows = self.journal.read(Cursor("test", 1, 0), 1000).rows
        return {row.id: row.point for row in rows if row.point.series.measurement == "exposure_score"}


def until(true: Callable[[], object]) -> None:
    """Wait until something is so; fail when it isn't within a minute."""
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)
