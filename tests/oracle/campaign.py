"""One campaign: the service, its tenants and its database through a plan, and the verdict at the end."""

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx
from oracle.database import NAME, PASSWORD, USER, Database
from oracle.judge import judge
from oracle.lives import Lives
from oracle.plan import Kill, Step
from oracle.truth import Truth, Verdict
from oracle.wires import DatabaseWire, TenantWire
from system.blackbox import Simulated, collector, document, poll, settings, until, v1, well

_COLLECTOR = "oracle"
_TENANTS, _GROUPS = 3, 4
_PATIENCE = 120
"""Seconds that a machine under load may need for what a quiet one does in two."""


@dataclass(slots=True, kw_only=True)
class Figures:
    """What a campaign was, and what came of it.

    `hung`: lives that did not end when they were told to. `replayed`: points that filled a database that had lost them.
    """

    seed: int
    seconds: float = 0.0
    kills: int = 0
    hung: int = 0
    outages: dict[str, int] = field(default_factory=dict)
    slots: int = 0
    answers: int = 0
    acknowledged: int = 0
    lost: int = 0
    repeated: int = 0
    wrong: int = 0
    sent: int = 0
    sent_again: int = 0
    batches_sent_again: int = 0
    replayed: int = 0
    rss_kib: int = 0
    threads: int = 0
    descriptors: int = 0
    journal_bytes: int = 0
    faults: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return them by name."""
        return asdict(self)


class Campaign:
    """Everything that runs, in `folder`, between `with` and its end. `seed` is only told."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.figures = Figures(seed=seed)
        self._outages: Counter[str] = Counter()
        self._last = 0
        self._stack = contextlib.ExitStack()
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self._simulated = stack.enter_context(
                Simulated(self.folder / "simulated", "--tenants", str(_TENANTS), "--groups", str(_GROUPS))
            )
            self.database = Database(self.folder / "database")
            stack.callback(self.database.close)
            self.database.open()
            upstream = stack.enter_context(httpx.Client(base_url=self.database.server.url, trust_env=False, timeout=60))
            self._database_wire = stack.enter_context(DatabaseWire(upstream))
            self._tenant_wire = stack.enter_context(self._wire_of_tenants(stack))
            self._config = self._settings()
            self._lives = Lives(self._config, _COLLECTOR)
            stack.callback(self._lives.close)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run(self, steps: Iterable[Step], each: Callable[[Figures], None] = lambda _: None) -> Figures:
        """Go through `steps`, tell the figures after `each`, and return them with the verdict."""
        self._lives.begin()
        self._lives.hears("points.delivered", seconds=_PATIENCE)
        for step in steps:
            self._simulated.fault(**_fault(step, self._simulated.tenants))  # type: ignore[arg-type]
            self._outage(step)
            for kill in step.after:
                self._kill(kill)
            self._simulated.heal()
            self._tell()
            each(self.figures)
        self._bring_up_to_date()
        self._tell()
        verdict = self.judged()
        figures = self.figures
        figures.acknowledged, figures.faults = verdict.points, verdict.faults
        figures.lost, figures.repeated, figures.wrong = map(len, (verdict.lost, verdict.repeated, verdict.wrong))
        if figures.batches_sent_again > figures.kills:
            figures.faults.append(f"{figures.batches_sent_again} batches were sent again after {figures.kills} kills")
        return figures

    def judged(self) -> Verdict:
        """Return the verdict on what the database has now, up to the last slot that was waited for."""
        truth = Truth(
            answers=self._tenant_wire.answers,
            acknowledged=self._lives.acknowledged,
            kills=self._lives.kills,
            begun=self._lives.begun,
            collector=_COLLECTOR,
        )
        return judge(truth, self.database.stored(), self._last)

    def _bring_up_to_date(self) -> None:
        """Give the last life its time to deliver, end it, and leave in the database what survives a crash."""
        self._lives.end()
        self._lives.begin()  # a new life waits for no sink that was down
        self._lives.hears("poll.settled", 2 * _TENANTS, _PATIENCE)
        self._last = max(poll.slot for poll in self._lives.acknowledged)
        # Points come in order: with a later poll there, whatever is to come of the earlier ones has come. Where none
        # comes the judge has more to say about it than a timeout.
        with contextlib.suppress(AssertionError):
            until(lambda: self.database.latest() > self._last, _PATIENCE)
        self._lives.end()
        self.database.crash()

    def _tell(self) -> None:
        figures, wire, most = self.figures, self._database_wire, self._lives.most
        self._lives.look()
        figures.seconds = round(time.monotonic() - self._began, 1)
        figures.kills, figures.hung = len(self._lives.kills), self._lives.hung
        figures.outages = dict(self._outages)
        figures.slots, figures.answers = self._lives.slots, len(self._tenant_wire.answers)
        figures.sent, figures.sent_again, figures.replayed = wire.sent, wire.repeated, wire.filled
        figures.batches_sent_again = wire.batches_repeated
        figures.rss_kib, figures.threads, figures.descriptors = most.rss_kib, most.threads, most.descriptors
        figures.journal_bytes = (self.folder / "journal.db").stat().st_size

    def _outage(self, step: Step) -> None:
        match step.outage:
            case "killed":
                self.database.server.kill()
                self._within(step)
                self.database.server.start()
            case "stopped":
                self.database.server.stop()
                self._within(step)
                self.database.server.start()
            case "disk full" if not self.database.disk:
                return
            case "disk full":
                with self.database.full():
                    self._within(step)
                self.database.recover()
            case "right taken":
                self.database.revoke()
                self._within(step)
                self.database.grant()
            case "dropped":
                self._lose_the_database()
            case "paused":
                self._lives.pause(step.pause)
            case "restarted":
                self._lives.end()
                self._lives.begin()
        self._outages[step.outage] += 1

    def _within(self, step: Step) -> None:
        """Let the service meet the outage, and be killed in it where the step says so."""
        self._lives.hears("sink.failed", seconds=_PATIENCE)
        for kill in step.within:
            self._kill(kill)

    def _lose_the_database(self) -> None:
        """Drop it, make it anew, and do what the owner then does: `replay`, beside the service that runs."""
        self._database_wire.lose()
        self.database.drop()
        self._lives.hears("sink.failed", seconds=_PATIENCE)
        self.database.make()
        done = collector("replay", "main", "--all", "--json", "--config", self._config, timeout=_PATIENCE)
        well(done)
        said = document(done)
        assert said["ok"], said
        assert said["by"] == str(self._lives.pid), "the running service delivers, and the command says so"
        assert said["delivered"] == said["points"] > 0, said
        self._database_wire.filling = False

    def _kill(self, kill: Kill) -> None:
        if kill.polls:
            self._lives.hears("poll.settled", kill.polls, _PATIENCE)
        time.sleep(kill.seconds)  # the moment is the seed's, not a condition's
        self._lives.kill()
        self._lives.begin()

    def _wire_of_tenants(self, stack: contextlib.ExitStack) -> TenantWire:
        upstream = stack.enter_context(self._simulated.client())
        return TenantWire(upstream, {tenant["tenant_id"]: name for name, tenant in self._simulated.all.items()})

    def _settings(self) -> Path:
        secret = self.folder / "writer.secret"
        secret.write_text(PASSWORD, encoding="utf-8")
        secret.chmod(0o600)
        more = f'username = "{USER}"\npassword_file = "{secret}"'
        sink = v1("main", self._database_wire.url, NAME, more)
        config = settings(self.folder, self._simulated, poll(1), sink)
        text = config.read_text(encoding="utf-8")
        own, wired = (f'api_url = "{url}"' for url in (self._simulated.url, self._tenant_wire.url))
        config.write_text(text.replace(own, wired), encoding="utf-8")
        return config


def _fault(step: Step, tenants: list[str]) -> dict[str, object]:
    return {**step.fault, "tenant": tenants[step.tenant]}
