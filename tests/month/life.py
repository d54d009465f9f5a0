"""A month of the service in this process, hour by hour, before a real InfluxDB and a simulated tenant over TLS.

Its clock goes in steps: whatever is due by then is done, by the scheduler that does it in a real month.
"""

import contextlib
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx
import time_machine
from month.gauge import Sample, measure
from servers import Influxd, free_ports

from collector.batch import DERIVE
from collector.journal import Journal, in_charge
from collector.pipeline import Outcome, Pace
from collector.point import MAX_TIME
from collector.service.clock import ClockWatch
from collector.service.engine import Engine
from collector.service.run import Running
from collector.settings import load

MINUTE, HOUR, DAY = 60, 3600, 86_400
KEEP_DAYS = 7
_GROUPS = 20
_SCRAPED_EACH = 6
_SAMPLED_EACH = 12
_PATIENCE = 30
"""Real seconds that a slot may take at the most."""
_FAULTS: Sequence[dict[str, object]] = (
    {"fault": "unavailable", "times": 2},
    {"fault": "throttle", "times": 1, "retry_after": 5},
    {"fault": "reset", "times": 1},
    {"fault": "bad_rows", "times": 1, "scores": ["null", "text"]},
    {"fault": "html", "times": 1},
    {"fault": "expired_token", "times": 1},
    {"fault": "sign_in_unavailable", "times": 1},
)
"""One every seventh slot, in turn."""
_FAULT_EACH = 7
_OUTAGE_EACH = 5 * 24
_OUTAGE = range(60, 66)
"""InfluxDB is away for six hours every five days."""


@dataclass(slots=True, kw_only=True)
class Figures:
    """What a month was."""

    slots: int = 0
    seconds: float = 0.0
    polls: int = 0
    failed: int = 0
    tries: int = 0
    outages: int = 0
    scrapes: int = 0
    appended: int = 0
    delivered: int = 0
    stored: int = 0
    """Polls of which InfluxDB has a point."""
    left: int = 0
    """Points that are left in the journal."""
    oldest_days: float = 0.0
    """How old the organization's oldest score is: what is made of a day is kept for ever."""
    in_order: bool = False
    samples: list[Sample] = field(default_factory=list)


class Tenant:
    """The simulated tenant, in its own process, on this process's clock."""

    def __init__(self, folder: Path, start: float) -> None:
        command = [sys.executable, "-m", "month.tenants", str(folder), str(start), str(_GROUPS)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]
        )
        self.url = self._line()
        self._client = httpx.Client(base_url=self.url, verify=_trusting(folder / "ca.pem"), trust_env=False)

    def shift(self, seconds: float) -> None:
        """Move its clock."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{seconds}\n")
        self._process.stdin.flush()
        assert self._line() == "moved"

    def fault(self, fault: Mapping[str, object]) -> None:
        """Let the next requests go wrong."""
        self._client.put("/simulator/faults", json=fault).raise_for_status()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(20) == 0
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


class Month:
    """One life of the service, of so many slots."""

    def __init__(self, folder: Path, slots: int, keep_days: int = KEEP_DAYS) -> None:
        self._folder = folder
        self._slots = slots
        self._keep_days = keep_days
        self._outcomes: list[Outcome] = []
        self._clock: Any = None
        self.figures = Figures()

    def live(self) -> Figures:
        """Return once it is over."""
        began = time.monotonic()
        start = time.time() // DAY * DAY - self._slots * HOUR + 1
        (self._folder / "influxd").mkdir()
        with contextlib.ExitStack() as stack:
            self._influxd = stack.enter_context(Influxd(self._folder / "influxd"))
            self._tenant = stack.enter_context(Tenant(self._folder / "tenant", start))
            self._clock = stack.enter_context(time_machine.travel(start))
            self._journal, self._engine, self._running = stack.enter_context(self._service())
            for slot in range(self._slots):
                self._hour(slot)
            self._count()
        self.figures.slots = self._slots
        self.figures.seconds = round(time.monotonic() - began, 1)
        return self.figures

    def _count(self) -> None:
        figures, summary = self.figures, self._journal.summary()
        figures.appended, figures.left = self._journal.tail() - 1, summary.points
        (organization,) = self._journal.series("exposure_score")
        scores = self._journal.history(organization, 0, MAX_TIME)
        figures.oldest_days = round(time.time() / DAY - scores[0].time / 1000 / DAY, 2)
        figures.delivered = self._engine.deliveries[0].delivered
        figures.stored = len(self._influxd.points("collector_poll", self._database))

    @contextlib.contextmanager
    def _service(self) -> Iterator[tuple[Journal, Engine, Running]]:
        (port,) = free_ports(1)
        self._page = f"http://127.0.0.1:{port}/metrics"
        path = self._folder / "collector.toml"
        self._database = self._influxd.database()
        path.write_text(
            f"""{(self._folder / "tenant" / "collector.toml").read_text(encoding="utf-8")}
[journal]
keep_days = {self._keep_days}
[web]
listen = "127.0.0.1:{port}"
[influxdb.main]
api = "v1"
url = "{self._influxd.url}"
database = "{self._database}"
""",
            encoding="utf-8",
        )
        settings = load(path, {})
        with in_charge(settings.journal.path) as journal:
            engine = Engine(settings, journal, name="host-1", tenants=list(settings.tenants), delivered=lambda _: None)
            running = Running(settings, engine, self._outcomes.append)
            # Every step of this clock would be a jump to it.
            running._watch = ClockWatch(running._jumped, wall=time.monotonic)
            # So is how often a tenant may be asked: by this clock, in whose minute there are hours.
            engine._collecting._pace = Pace(monotonic=time.time)
            stop = threading.Event()
            ends: list[bool] = []
            thread = threading.Thread(target=lambda: ends.append(running.until(stop)))
            thread.start()
            try:
                yield journal, engine, running
            finally:
                stop.set()
                thread.join(20)
                self.figures.in_order = ends == [True]

    def _hour(self, slot: int) -> None:
        if slot:
            self._advance(HOUR - time.time() % HOUR + 1)
        if slot % _FAULT_EACH == _FAULT_EACH - 1:
            self._tenant.fault(_FAULTS[slot // _FAULT_EACH % len(_FAULTS)])
        place = slot % _OUTAGE_EACH
        if place == _OUTAGE.start:
            self._influxd.stop()
            self.figures.outages += 1
        elif place == _OUTAGE.stop:
            self._influxd.start()
        self._until_settled(len(self._engine.settings.poll.subjects))
        self._until_derived()
        if place not in _OUTAGE:
            self._until_delivered()
        if slot % _SCRAPED_EACH == 0:
            text = httpx.get(self._page, trust_env=False).raise_for_status().text
            assert "exposure_score" in text
            self.figures.scrapes += 1
        if slot % _SAMPLED_EACH == _SAMPLED_EACH - 1:
            self.figures.samples.append(measure(slot + 1, self._journal.path, self._journal.tail() - 1))

    def _advance(self, seconds: float) -> None:
        self._tenant.shift(seconds)
        self._clock.shift(seconds)
        self._engine.lanes._scheduler.wakeup()

    def _until_settled(self, count: int) -> None:
        self._until(lambda: len(self._outcomes) >= count, self._polls_wait)
        self.figures.polls += len(self._outcomes)
        self.figures.failed += sum(outcome.error is not None for outcome in self._outcomes)
        self.figures.tries += sum(outcome.tries for outcome in self._outcomes)
        self._outcomes.clear()

    def _polls_wait(self) -> bool:
        polls = list(self._engine._collecting._open)
        return bool(polls) and all(poll.waiting for poll in polls)

    def _until_derived(self) -> None:
        # A turn that goes on holds what it works on, which is no growth; and what it appends is delivered, too.
        journal, deriving = self._journal, self._engine.deriving
        self._until(lambda: journal.cursor(DERIVE).next >= journal.tail() and deriving.up_to_date, lambda: False)

    def _until_delivered(self) -> None:
        tail = self._journal.tail()
        (delivery,) = self._engine.deliveries
        self._until(lambda: delivery.reached >= tail, lambda: delivery.state.error is not None)

    def _until(self, true: Callable[[], bool], waits: Callable[[], bool]) -> None:
        """Let minutes pass, while a retry is all that is waited for, until it is so; fail when it isn't in the slot."""
        end = time.monotonic() + _PATIENCE
        while not true():
            assert time.monotonic() < end, f"not within {_PATIENCE} s, at {time.time() % HOUR:.0f} s of the slot"
            if waits() and time.time() % HOUR < HOUR - 2 * MINUTE:
                self._advance(MINUTE)
                time.sleep(0.01)  # what is due has to be taken up before it is looked at again
            time.sleep(0.002)


def _trusting(ca_file: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file)
