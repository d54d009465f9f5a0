"""What runs, built from the settings: sources, journal, sinks, and the lanes that move points between them.

Nothing is polled or delivered until it is started; whatever needs the network is built by the worker that needs it.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Container, Mapping, Sequence
from pathlib import Path
from weakref import WeakSet

from collector.defender import Defender, Logins, portal
from collector.derive import Rules
from collector.errors import ConfigError
from collector.history.spikes import Rule
from collector.http.clients import Clients
from collector.influx import open_sink
from collector.journal import Journal, Unsound
from collector.log import logger
from collector.pipeline import Backoff, Collecting, Delivery, Hold, Outcome, Pace, Terms
from collector.pipeline.collect import COLLECT
from collector.pipeline.deliver import DELIVER, State
from collector.pipeline.sign_ins import SIGN_IN
from collector.pipeline.slow import SLOW
from collector.service.deriving import DERIVING, Deriving
from collector.service.ids import last_ids
from collector.service.lanes import Lanes
from collector.service.spread import Spread
from collector.settings import Settings, Tenant

SLOT = "slot"
KEEP = "keep"
PRUNE = "prune"
RELOAD = "reload"
"""Lanes of one worker each: what begins a slot, keeps the house, takes its time over old rows, reads settings anew."""
STOP_SECONDS = 8.0
_SIGN_INS = 64
"""Sign-ins at once, at the least."""
_PACED = 60
"""Seconds of the interval from which on the API's limits are kept."""
_DAY = 86_400_000
_IDS_DAYS = 400
"""How far back the last id of a group is looked for."""

_log = logger()


class Engine:
    """Sources, journal and sinks on their lanes. `name`: this collector's, as `collector_poll` has it."""

    def __init__(
        self,
        settings: Settings,
        journal: Journal,
        *,
        name: str,
        tenants: Sequence[str],
        delivered: Callable[[State], None],
        backoff: Backoff | None = None,
    ) -> None:
        self.settings = settings
        self.journal = journal
        clients = self._clients = Clients(max(settings.poll.concurrency, _SIGN_INS) * 2)
        self._logins: defaultdict[Path | None, Logins] = defaultdict(Logins)
        """By whom is trusted."""
        self.sources = self._sources({tenant: settings.tenants[tenant] for tenant in tenants}, {})
        """Always this list: who was given it sees other tenants in it after `turn_to`."""
        self._left: WeakSet[Defender] = WeakSet()
        """Those that changed settings have left out or made anew, as long as a turn of theirs waits."""
        sinks = [open_sink(sink, where, clients.trusting(where.ca_file)) for sink, where in settings.influxdb.items()]
        collect = settings.poll.concurrency
        # Wide: a sign-in that hangs holds a worker for a whole timeout, and whoever has a token needs none of them.
        sign_in = max(collect, _SIGN_INS)
        slow = max(1, collect // 4)
        self.lanes = Lanes(
            {COLLECT: collect, SLOW: slow, SIGN_IN: sign_in, DELIVER: len(sinks)}
            | {SLOT: 1, KEEP: 1, PRUNE: 1, RELOAD: 1, DERIVING: 1}
        )
        self.deliveries = [
            Delivery(sink=sink, journal=journal, workers=self.lanes, changed=delivered, backoff=backoff)
            for sink in sinks
        ]
        self._links = _links(settings)
        self.deriving = Deriving(journal, rules(settings, self._links), self.lanes, self._deliver)
        self.hold = Hold(journal, appended=self.nudge)
        self._collecting = Collecting(
            hold=self.hold,
            workers=self.lanes,
            name=name,
            timeout=settings.poll.timeout_seconds,
            # Shorter intervals are for trying things out, which is not done with Microsoft's API.
            pace=Pace() if settings.poll.interval_seconds >= _PACED else None,
        )
        self._spread = Spread(self.lanes, SLOT)
        for delivery in self.deliveries:
            self._name_a_move(delivery)

    def poll(
        self,
        slot: int,
        terms: Terms,
        settled: Callable[[Outcome], None],
        leave_out: frozenset[tuple[str, str]] = frozenset(),
        succeeded: frozenset[tuple[str, str]] = frozenset(),
        tenants: Container[str] | None = None,
        within: float = 0.0,
    ) -> int:
        """Start the polls of a slot, but for the (tenant, subject) left out; return how many there are.

        `succeeded`: those of which an earlier poll of the slot has succeeded; `tenants`: None for all. `within`: the
        seconds over which the tenants are spread.
        """
        count = 0
        beginnings: list[tuple[str, Callable[[], None]]] = []
        for source in [each for each in self.sources if tenants is None or each.tenant in tenants]:
            subjects = [subject for subject in self.settings.poll.subjects if (source.tenant, subject) not in leave_out]
            count += len(subjects)

            def begin(source: Defender = source, subjects: Sequence[str] = subjects) -> None:
                # Whom changed settings left out, or made anew, while it waited for its turn is not begun as it was.
                for subject in subjects if source not in self._left else ():
                    before = (source.tenant, subject) in succeeded
                    self._collecting.poll(source, subject, slot, terms, settled, succeeded=before)

            beginnings.append((source.tenant, begin))
        self._spread.begin(beginnings, within)
        return count

    def sources_of(self, settings: Settings) -> Sequence[Defender]:
        """Return the sources of these settings: for a tenant that is as it was, the one that there is.

        Raise ConfigError where one can't be made.
        """
        before = self.settings.tenants
        there = {source.tenant: source for source in self.sources}
        same = {name: one for name, one in there.items() if before.get(name) == settings.tenants.get(name)}
        return self._sources(settings.tenants, same)

    def turn_to(self, settings: Settings, sources: Sequence[Defender], leaving: Container[str], reason: str) -> None:
        """Poll these sources from the next poll on, and let go of the polls of the tenants `leaving`, for a reason.

        To be called where polls are begun, and nowhere else: no slot is begun for half of the tenants.
        """
        derived_otherwise = settings.spikes != self.settings.spikes
        self.settings = settings
        stays = set(sources)
        self._left.update(source for source in self.sources if source not in stays)
        self.sources[:] = sources
        links = _links(settings)
        self._links |= links
        for gone in self._links.keys() - links.keys():
            del self._links[gone]
        if derived_otherwise:
            self.deriving.follow(rules(settings, self._links))
        self._collecting.let_go(reason, leaving)

    def abandon(self, reason: str) -> None:
        """Settle, as failed, every poll that waits for its next try, and begin none that waits for its turn."""
        self._spread.forget()
        self._collecting.abandon(reason)

    @property
    def lost(self) -> int:
        """How many points would be gone if the process ended now, or are."""
        return self.hold.held + self.hold.lost

    @property
    def damage(self) -> Sequence[Unsound]:
        """What users of the journal have met of damage in it."""
        errors = (self.hold.error, self.deriving.error, *(delivery.state.error for delivery in self.deliveries))
        return [error for error in errors if isinstance(error, Unsound)]

    def nudge(self) -> None:
        """Let every consumer look for new rows."""
        self.deriving.nudge()
        self._deliver()

    def stop(self, seconds: float = STOP_SECONDS) -> bool:
        """Start nothing more, give what runs its time, and append what waits in memory; return whether all ended."""
        ended = self.lanes.stop(seconds)
        if not self.hold.flush():
            _log.error("points.lost", count=self.hold.held, what="the journal could not be written to the end")
        return ended

    def _deliver(self) -> None:
        for delivery in self.deliveries:
            delivery.nudge()

    def _sources(self, tenants: Mapping[str, Tenant], there: Mapping[str, Defender]) -> list[Defender]:
        """Return the sources of tenants, those that are `there` among them; raise ConfigError for all that can't be."""
        sources = []
        wrong: dict[Path | None, ConfigError] = {}
        for name, tenant in tenants.items():
            try:
                sources.append(there.get(name) or self._source(name, tenant))
            except ConfigError as error:
                # What many tenants share is told of the first of them.
                wrong.setdefault(tenant.ca_file, ConfigError([f"tenants.{name}.{error}"], mend=error.mend))
        if wrong:
            problems = [problem for error in wrong.values() for problem in error.problems]
            raise ConfigError(problems, mend=next(iter(wrong.values())).mend)
        return sources

    def _source(self, name: str, tenant: Tenant) -> Defender:
        http, logins = self._clients.trusting(tenant.ca_file), self._logins[tenant.ca_file]
        return Defender(name, tenant, http, _known_ids(self.journal, name), logins=logins)

    def _name_a_move(self, delivery: Delivery) -> None:
        sink = delivery.sink
        self.journal.cursor(sink.name, sink.target)
        before = self.journal.retarget(sink.name, sink.target)
        if before is not None:
            _log.warning(
                "sink.moved",
                sink=sink.name,
                before=before,
                now=sink.target,
                mend="what was delivered before is not in the new place; to have it there too:"
                f" `exposure-collector replay {sink.name} --all`",
            )


def rules(settings: Settings, links: Mapping[str, str] | None = None) -> Rules:
    """Return by what points are derived, as the settings have it. `links`: by tenant, where they may change."""
    spikes = settings.spikes
    return Rules(
        organization=Rule(rise=spikes.rise_points, window_days=spikes.window_days),
        groups=Rule(rise=spikes.group_rise_points, window_days=spikes.window_days),
        interval=settings.poll.interval_seconds,
        links=_links(settings) if links is None else links,
        groups_follow="device_groups" in settings.poll.subjects,
    )


def _links(settings: Settings) -> dict[str, str]:
    return {name: portal(tenant) for name, tenant in settings.tenants.items()}


def _known_ids(journal: Journal, tenant: str) -> Callable[[], Mapping[str, str]]:
    def known_ids() -> Mapping[str, str]:
        return last_ids(journal, tenant, int(time.time() * 1000) - _IDS_DAYS * _DAY)

    return known_ids
