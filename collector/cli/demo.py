"""What `demo` shows: 90 days of history, the service at a short interval, two faults that it rides out, and a tally."""

import socket
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from collector import log
from collector.defender import scores
from collector.defender.groups import Groups
from collector.journal import Journal
from collector.pipeline import Outcome
from collector.point import Point, Series
from collector.service import Service
from collector.settings import Settings, load
from collector.simulator import Simulator

_INTERVAL = 3
_HOUR = 3_600_000
_DAYS = 90
_BARS = "▁▂▃▄▅▆▇█"
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
        self._settled: defaultdict[int, dict[str, Outcome]] = defaultdict(dict)
        self._changed = threading.Condition()

    def run(self) -> None:
        """Return when the time is over or the service has ended."""
        port = _free_port()
        settings = self._settings(port)
        log.configure("error", "console")
        self._say(f"A simulated Defender tenant, {self._tenant}: sign-in and API on {self._simulator.url}.")
        with Journal(settings.journal.path) as journal:
            count = self._load_history(journal)
            self._say(
                f"Its last {_DAYS} days are in the journal: {count} points. The organization's score, a bar a day:"
            )
            self._show_history(journal)
        self._say(f"The service polls both endpoints, here every {_INTERVAL} seconds, in real life every hour:\n")
        service = threading.Thread(target=self._serve, args=(settings,), name="service")
        service.start()
        try:
            self._play(port)
            self._await_slot()
        finally:
            self._stop.set()
            service.join()
        with Journal(settings.journal.path) as journal:
            self._show_groups(journal)
            self._tally(journal)

    def _settings(self, port: int) -> Settings:
        path = self._folder / "demo.toml"
        path.write_text(
            f"{self._simulator.settings}\n[poll]\ninterval_seconds = {_INTERVAL}\n"
            f'\n[web]\nlisten = "127.0.0.1:{port}"\n',
            encoding="utf-8",
        )
        return load(path, {})

    def _serve(self, settings: Settings) -> None:
        Service(settings, name="demo", tenants=[self._tenant], seen=self._seen).run(self._stop)

    def _play(self, port: int) -> None:
        """Let the service run, and make trouble twice."""
        third = self._seconds / 3
        self._stop.wait(third)
        self._say('\nThe API says "429 Too Many Requests" once, and asks to be left alone for a second:\n')
        self._simulator.faults.set("throttle", subject="device_groups", times=1, retry_after=1)
        self._stop.wait(third)
        self._say(f"\nThe API breaks three times (503). Meanwhile: curl http://127.0.0.1:{port}/metrics\n")
        self._simulator.faults.set("unavailable", times=3)
        self._stop.wait(third)

    def _seen(self, outcome: Outcome) -> None:
        """Show a slot once both of its subjects are settled."""
        with self._changed:
            slot = self._settled[outcome.slot]
            slot[outcome.subject] = outcome
            self._changed.notify_all()
        if len(slot) == 2:  # noqa: PLR2004 - the organization and its groups
            time = datetime.fromtimestamp(outcome.slot / 1000, UTC).strftime("%H:%M:%S")
            self._say(f"  {time}  organization {_how(slot['organization'])}, groups {_how(slot['device_groups'])}")

    def _await_slot(self) -> None:
        """Wait until no slot that has begun is half settled, so that the tally is whole."""
        with self._changed:
            self._changed.wait_for(
                lambda: all(len(slot) == 2 for slot in self._settled.values()),  # noqa: PLR2004 - as above
                timeout=_INTERVAL,
            )

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

    def _show_history(self, journal: Journal) -> None:
        daily = self._scores(journal, Series("exposure_score", (("tenant", self._tenant),)), _DAYS)[::24]
        low, high = min(daily), max(daily)
        step = (high - low) / (len(_BARS) - 1) or 1.0
        bars = [_BARS[round((value - low) / step)] for value in daily]
        half = len(bars) // 2
        self._say("")
        for part, end in ((bars[:half], ""), (bars[half:], f"  now {daily[-1]:.1f}")):
            self._say(f"  {''.join(part)}{end}")
        self._say(f"\n  from {low:.1f} to {high:.1f}; lower is better\n")

    def _show_groups(self, journal: Journal) -> None:
        table = Table("device group", "score", "level", "in 30 days", box=None, pad_edge=False)
        now = int(datetime.now(UTC).timestamp() * 1000)
        latest = journal.latest("exposure_score_by_group", now - _HOUR)
        for point in sorted(latest, key=lambda point: -float(point.fields["score"])):
            score = float(point.fields["score"])
            before = self._scores(journal, point.series, 30)[0]
            table.add_row(point.series.tag("rbacGroupName"), f"{score:.1f}", _level(score), f"{score - before:+.1f}")
        self._say("\nThe groups now, the most exposed first, and how far each has moved (+ is worse):\n")
        self._console.print(table)

    def _scores(self, journal: Journal, series: Series, days: int) -> Sequence[float]:
        now = int(datetime.now(UTC).timestamp() * 1000)
        points = journal.history(series, now - days * 24 * _HOUR, now + 1)
        return [float(point.fields["score"]) for point in points]

    def _tally(self, journal: Journal) -> None:
        """Count, in the journal, the polls that a slot without a hole has."""
        now = int(datetime.now(UTC).timestamp() * 1000)
        series = [point.series for point in journal.latest("collector_poll", now - _HOUR)]
        polls = [point for one in series for point in journal.history(one, now - _HOUR, now + 1)]
        slots = {point.time for point in polls}
        expected = (max(slots) - min(slots)) // (_INTERVAL * 1000) + 1
        tries = sum(int(point.fields["tries"]) for point in polls)
        failed = sum(not point.fields["ok"] for point in polls)
        self._say(
            f"\n{len(polls)} polls were settled with {tries} tries: {failed} failed, "
            f"{2 * expected - len(polls)} were missed."
            f"\nThe journal holds {journal.summary().points} points. Each was safe on disk before it was counted."
            "\n\nNext: your own tenant, and InfluxDB as a sink: README.md, and config/collector.example.toml."
        )

    def _say(self, text: str) -> None:
        self._console.print(text)


def _how(outcome: Outcome) -> str:
    if outcome.error is not None:
        return f"{outcome.error.name} after {outcome.tries} tries"
    return "ok" if outcome.tries == 1 else f"ok at try {outcome.tries}"


def _level(score: float) -> str:
    return "low" if score < _MEDIUM else "medium" if score < _HIGH else "high"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])
