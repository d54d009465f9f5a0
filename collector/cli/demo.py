"""What `demo` shows: 90 days of history, the service at a short interval, two faults that it rides out, and a tally."""

import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from collector import log
from collector.defender import scores
from collector.defender.groups import Groups
from collector.journal import Journal
from collector.point import Point, Series
from collector.service import Service
from collector.settings import Settings, load
from collector.simulator import Simulator

_INTERVAL = 3
_HOUR = 3_600_000
_DAYS = 90
_BARS = " ▁▂▃▄▅▆▇█"
_SCALE = 50.0
_MEDIUM, _HIGH = 30.0, 70.0


class Demo:
    """One run, `seconds` long, with everything below `folder`."""

    def __init__(self, simulator: Simulator, folder: Path, seconds: float) -> None:
        self._simulator = simulator
        self._folder = folder
        self._seconds = seconds
        self._tenant = simulator.tenants[0].name
        self._console = Console(highlight=False, markup=False, soft_wrap=True)
        self._stop = threading.Event()

    def run(self) -> None:
        """Return when the time is over or the service has ended."""
        settings = self._settings()
        log.configure("info", "console")
        self._say(f"A simulated Defender tenant, {self._tenant}, answers on {self._simulator.url}: sign-in and API.")
        with Journal(settings.journal.path) as journal:
            count = self._load_history(journal)
            self._say(f"{_DAYS} days of its history are in the journal: {count} points. The organization's score:")
            self._say(f"\n  {self._chart(journal)}\n")
        self._say(
            f"The service starts: it polls both endpoints every {_INTERVAL} seconds here, every hour in real life."
        )
        service = threading.Thread(target=self._serve, args=(settings,), name="service")
        service.start()
        try:
            self._play()
        finally:
            self._stop.set()
            service.join()
        with Journal(settings.journal.path) as journal:
            self._tally(journal)

    def _settings(self) -> Settings:
        path = self._folder / "demo.toml"
        path.write_text(
            f'{self._simulator.settings}\n[poll]\ninterval_seconds = {_INTERVAL}\n\n[web]\nlisten = "127.0.0.1:0"\n',
            encoding="utf-8",
        )
        return load(path, {})

    def _serve(self, settings: Settings) -> None:
        Service(settings, name="demo", tenants=[self._tenant]).run(self._stop)

    def _play(self) -> None:
        """Let the service run, and make trouble twice."""
        third = self._seconds / 3
        self._stop.wait(third)
        self._say('\nThe API asks to be left alone for a second ("429 Too Many Requests"), and is.')
        self._simulator.faults.set("throttle", subject="device_groups", times=1, retry_after=1)
        self._stop.wait(third)
        self._say("\nThe API breaks (503, three times): the polls are made again inside their slot.")
        self._simulator.faults.set("unavailable", times=3)
        self._stop.wait(third)

    def _load_history(self, journal: Journal) -> int:
        now = int(datetime.now(UTC).timestamp() * 1000) // _HOUR * _HOUR
        count = 0
        for day in range(_DAYS, 0, -1):
            start = now - day * 24 * _HOUR
            points = [point for slot in range(start, start + 24 * _HOUR, _HOUR) for point in self._at(slot)]
            journal.append(points)
            count += len(points)
        return count

    def _at(self, slot: int) -> Iterator[Point]:
        """Yield the points that a poll would have brought at a past slot."""
        world = self._simulator.world
        groups = Groups(self._tenant, dict)
        made = (
            *scores.organization(self._tenant, slot, world.organization(self._tenant, slot), slot * 1_000_000),
            *scores.device_groups(slot, world.groups(self._tenant, slot), groups.series),
        )
        yield from (point for point in made if isinstance(point, Point))

    def _chart(self, journal: Journal) -> str:
        daily = self._scores(journal, Series("exposure_score", (("tenant", self._tenant),)))[::24]
        bars = "".join(_BARS[min(8, round(value / _SCALE * 8))] for value in daily)
        return f"{bars}  {daily[0]:.1f} -> {daily[-1]:.1f}"

    def _scores(self, journal: Journal, series: Series, days: int = _DAYS) -> Sequence[float]:
        now = int(datetime.now(UTC).timestamp() * 1000)
        points = journal.history(series, now - days * 24 * _HOUR, now + 1)
        return [float(point.fields["score"]) for point in points]

    def _tally(self, journal: Journal) -> None:
        now = int(datetime.now(UTC).timestamp() * 1000)
        table = Table("device group", "score", "level", "30 days", box=None, pad_edge=False)
        latest = journal.latest("exposure_score_by_group", now - _HOUR)
        for point in sorted(latest, key=lambda point: -float(point.fields["score"])):
            score = float(point.fields["score"])
            before = self._scores(journal, point.series, 30)[0]
            table.add_row(point.series.tag("rbacGroupName"), f"{score:.1f}", _level(score), f"{score - before:+.1f}")
        self._say("")
        self._console.print(table)
        polls = {series: journal.history(series, now - _HOUR, now + 1) for series in _polls(journal, now)}
        slots = sum(len(points) for points in polls.values())
        tries = sum(int(point.fields["tries"]) for points in polls.values() for point in points)
        failed = sum(not point.fields["ok"] for points in polls.values() for point in points)
        holes = sum(_holes([point.time for point in points]) for points in polls.values())
        self._say(
            f"\n{slots} polls were settled with {tries} tries: {failed} failed, {holes} slots were missed."
            f"\nThe journal holds {journal.summary().points} points, each of them safe before the next poll began."
            "\n\nNext: a tenant of your own, and InfluxDB as a sink: see README.md and config/collector.example.toml."
        )

    def _say(self, text: str) -> None:
        self._console.print(text)


def _polls(journal: Journal, now: int) -> Sequence[Series]:
    return [point.series for point in journal.latest("collector_poll", now - _HOUR)]


def _holes(slots: Sequence[int]) -> int:
    """Return how many slots are missing between the first and the last."""
    return (slots[-1] - slots[0]) // (_INTERVAL * 1000) + 1 - len(slots)


def _level(score: float) -> str:
    return "low" if score < _MEDIUM else "medium" if score < _HIGH else "high"
