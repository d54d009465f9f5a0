"""What `demo` shows: 90 days of history, the service at a short interval, two faults that it rides out, and a tally."""

import shlex
import socket
import threading
import time
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

from collector import log
from collector.cli import demo_history
from collector.cli.options import typed
from collector.cli.terminal import console
from collector.derive import Derive
from collector.journal import Journal
from collector.pipeline import Outcome
from collector.service import Service
from collector.service.engine import rules
from collector.settings import Settings, load
from collector.simulator import Simulator

_LEAST_INTERVAL = 3
_SLOTS = 6
"""What is shown at the most, and a few more where the time is short."""
_SUBJECTS = 2
"""The organization and its groups."""
_HOUR = 3_600_000


class Demo:
    """One run, `seconds` long, with everything below `folder`, which is `kept` afterwards or not."""

    def __init__(self, simulator: Simulator, folder: Path, seconds: float, *, kept: bool) -> None:
        self._simulator = simulator
        self._config = folder / "demo.toml"
        self._seconds = seconds
        self._kept = kept
        self._interval = max(_LEAST_INTERVAL, int(seconds / _SLOTS))
        self._tenant = simulator.tenants[0].name
        self._console = console()
        self._stop = threading.Event()
        self._settled: defaultdict[int, dict[str, Outcome]] = defaultdict(dict)
        self._changed = threading.Condition()

    def run(self) -> None:
        """Return when the time is over or the service has ended."""
        port = _free_port()
        settings = self._settings(port)
        log.configure("error", "console")
        self._say(f"A simulated Defender tenant, {self._tenant}: {self._simulator.url}, sign-in included.")
        world = self._simulator.world
        with Journal(settings.journal.path) as journal:
            count = demo_history.fill(journal, world, self._tenant, _now())
            self._say(
                f"Its last {demo_history.DAYS} days are in the journal, polled hourly: {count} points.\n"
                "The organization's exposure score, 0 to 100, lower is better:"
            )
            demo_history.show(self._console, journal, world, self._tenant, _now())
            # The service would do it beside its polls; whoever looks at once is to see all of it.
            derive = Derive(journal, rules(settings))
            while derive.turn():
                pass
        self._say(
            f"\nNow the service polls it every {self._interval} seconds, for {self._seconds:g}; in real life hourly."
            f"\nLook at it: http://127.0.0.1:{port}/"
            f"\nFor Prometheus: curl http://127.0.0.1:{port}/metrics"
        )
        service = threading.Thread(target=self._serve, args=(settings,), name="service")
        service.start()
        try:
            self._play()
            self._await_slot()
        finally:
            self._stop.set()
            service.join()
        with Journal(settings.journal.path) as journal:
            self._tally(journal)
        self._say(self._next())

    def _settings(self, port: int) -> Settings:
        # The simulator's own are for who polls it by hand: of two files nobody knows which one to take.
        self._simulator.settings_file.replace(self._config)
        self._config.write_text(
            f"{self._simulator.settings}\n[poll]\ninterval_seconds = {self._interval}\n"
            f'\n[web]\nlisten = "127.0.0.1:{port}"\n',
            encoding="utf-8",
        )
        return load(self._config, {})

    def _serve(self, settings: Settings) -> None:
        Service(settings, name="demo", tenants=[self._tenant], seen=self._seen).run(self._stop)

    def _play(self) -> None:
        """Let the service run, and make trouble twice."""
        third = self._seconds / 3
        self._stop.wait(third)
        self._say("  Trouble: the API says 429 Too Many Requests, and to come back in a second.", style="yellow")
        self._simulator.faults.set("throttle", subject="device_groups", times=1, retry_after=1)
        self._stop.wait(third)
        self._say("  Trouble: the API breaks three times, 503 Service Unavailable.", style="yellow")
        self._simulator.faults.set("unavailable", times=3)
        self._stop.wait(third)

    def _seen(self, outcome: Outcome) -> None:
        """Show a slot once both of its subjects are settled."""
        with self._changed:
            slot = self._settled[outcome.slot]
            slot[outcome.subject] = outcome
            self._changed.notify_all()
        if len(slot) == _SUBJECTS:
            moment = datetime.fromtimestamp(outcome.slot / 1000, UTC).strftime("%H:%M:%S")
            self._say(
                f"  {moment} UTC  organization {_how(slot['organization'])}, groups {_how(slot['device_groups'])}"
            )

    def _await_slot(self) -> None:
        """Wait until no slot that has begun is half settled, so that the tally is whole."""
        with self._changed:
            self._changed.wait_for(
                lambda: all(len(slot) == _SUBJECTS for slot in self._settled.values()), timeout=self._interval
            )

    def _tally(self, journal: Journal) -> None:
        """Count, in the journal, the polls that a slot without a hole has."""
        now = _now()
        series = [point.series for point in journal.latest("collector_poll", now - _HOUR)]
        polls = [point for one in series for point in journal.history(one, now - _HOUR, now + 1)]
        slots = {point.time for point in polls}
        expected = (max(slots) - min(slots)) // (self._interval * 1000) + 1
        tries = sum(int(point.fields["tries"]) for point in polls)
        failed = sum(not point.fields["ok"] for point in polls)
        self._say(
            f"\n{len(polls)} polls were settled with {tries} tries: {failed} failed,"
            f" {_SUBJECTS * expected - len(polls)} were missed."
            f"\nThe journal holds {journal.summary().points} points. Each was safe on disk before it was counted."
        )
        self._say(demo_history.standing(journal, self._tenant, now))

    def _next(self) -> str:
        """Return what to do next, with the commands to type."""
        if self._kept:
            look = f"Look at the history:\n  {typed()} trend --config {shlex.quote(str(self._config))}"
        else:
            look = f"To keep this history, and to look at it with `trend`:\n  {typed()} demo --folder FOLDER"
        return f"\n{look}\nNext, your own tenant: README.md, and config/collector.example.toml."

    def _say(self, text: str, style: str = "") -> None:
        self._console.print(text, style=style, soft_wrap=True)


def _how(outcome: Outcome) -> str:
    if outcome.error is not None:
        return f"{outcome.error.name} after {outcome.tries} tries"
    return "ok" if outcome.tries == 1 else f"ok at try {outcome.tries}"


def _now() -> int:
    return int(time.time() * 1000)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])
