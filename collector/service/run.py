"""The service: polls at each slot, delivers without end, keeps the house, and ends in order."""

import threading
import time
from collections.abc import Callable, Collection
from functools import partial

from collector.batch import DERIVE
from collector.errors import JournalError
from collector.log import logger
from collector.pipeline import Backoff, Outcome, Terms
from collector.point import rfc3339
from collector.service.clock import ClockWatch
from collector.service.engine import KEEP, PRUNE, SLOT, STOP_SECONDS, Engine
from collector.service.expiry import Expiry
from collector.service.facts import Watching
from collector.service.manager import Manager
from collector.service.offset import Offset
from collector.service.reload import Change, Reload
from collector.service.reloading import Reloading
from collector.service.slots import slot_of, succeeded
from collector.service.soundness import Soundness
from collector.service.spread import span
from collector.settings import Settings
from collector.settings.fields import is_loopback
from collector.web import Web

_DAY_SECONDS = 86_400
_HOUR_SECONDS = 3600
_LOOK_SECONDS = 0.5
_KEEP_SECONDS = 5
"""How often the journal is looked at for what other processes wrote, and what waits in memory is tried again."""

_log = logger()


class Running:
    """The service while it runs: when what is done. `seen` is told each poll that is settled, on its worker.

    `anew` returns the settings as they are now, or raises ConfigError; None where they can't be read anew.
    """

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        seen: Callable[[Outcome], None] = lambda _: None,
        manager: Manager | None = None,
        anew: Callable[[], Settings] | None = None,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._reload = Reload()
        self._reloading = Reloading(engine, self._reload, manager or Manager({}, 0), anew, self._turned_to)
        self._interval = settings.poll.interval_seconds
        self._expiry = Expiry(engine.sources)
        self._offset = Offset(engine.sources)
        self._soundness = Soundness(engine.journal)
        self._watching = Watching(engine, self._expiry, self._soundness, self._reload)
        self._backoff = Backoff(base=max(0.1, min(2.0, self._interval / 60)), most=120.0)
        self._seen = seen
        self._manager = manager or Manager({}, 0)
        self._watch = ClockWatch(self._jumped)
        self._polled = -1
        self._compared = not engine.sources
        """Whether a tenant's servers have told the time since the start, or since the clock's last jump."""
        self._prune_waits = False

    def until(self, stop: threading.Event, reload: threading.Event | None = None) -> bool:
        """Poll and deliver until `stop` is set; return whether all that ran has ended within its 8 seconds.

        Whenever `reload` is set, which clears it, the settings are read anew.
        """
        web = self._web()
        engine = self._engine
        engine.deriving.begin()
        engine.lanes.start()
        self._set_clock()
        engine.lanes.soon(SLOT, partial(self._present_slot, slot_of(time.time(), self._interval)))
        engine.lanes.soon(PRUNE, self._expiry.look)
        engine.lanes.soon(PRUNE, self._soundness.look)
        engine.lanes.soon(PRUNE, self._prune)
        engine.nudge()
        self._watch.start()
        if web:
            web.start()
        _log.info(
            "service.started",
            tenants=len(engine.sources),
            shard=str(self._settings.shard) if self._settings.shard else None,
            elsewhere=len(self._settings.elsewhere),
            sinks=[delivery.sink.target for delivery in engine.deliveries],
            interval_seconds=self._interval,
            journal=str(self._settings.journal.path),
            web=web.url if web else None,
        )
        self._reloading.say_ready()
        # A signal that reaches another thread, or this one as it falls asleep, is seen when it wakes.
        while not stop.wait(_LOOK_SECONDS):
            if self._watching.turns():
                self._manager.turning()
            if reload is not None and reload.is_set():
                reload.clear()
                self._reloading.soon()
        _log.info("service.stopping")
        self._manager.stopping()
        asked = time.monotonic()
        self._watch.stop()
        if web:
            web.stop()
        ended = engine.stop(STOP_SECONDS - (time.monotonic() - asked))
        _log.info("service.stopped", in_order=ended)
        return ended

    def _turned_to(self, made: Change) -> None:
        """Poll at once, of the present slot, whom changed settings concern, and tell no more of whom they left out."""
        self._watching.left(made.removed)
        self._watching.joined(made.added)
        self._engine.lanes.soon(PRUNE, partial(self._watching.take_up, made.added))
        self._engine.lanes.soon(PRUNE, self._expiry.look)
        slot = slot_of(time.time(), self._interval)
        beginning = {*made.added, *made.changed}
        # A slot that has not begun begins with all of them.
        if beginning and slot == self._polled:
            self._poll(slot, succeeded(self._engine.journal, slot), beginning)

    def _web(self) -> Web | None:
        web = self._settings.web
        if not web.listen:
            return None
        # On loopback who asks is on this machine already.
        near = is_loopback(web.host)
        token = web.token.read if web.token and not near else None
        return Web(web.host, web.port, web.allowed_hosts, self._watching, token, card_served=near or token is not None)

    def _set_clock(self) -> None:
        self._engine.lanes.every(self._interval, SLOT, self._slot)
        self._engine.lanes.every(_KEEP_SECONDS, KEEP, self._keep_house)
        self._engine.lanes.every(_DAY_SECONDS, PRUNE, self._soundness.look)
        self._engine.lanes.every(_DAY_SECONDS, PRUNE, self._prune)
        self._engine.lanes.every(_HOUR_SECONDS, PRUNE, self._expiry.look)

    def _present_slot(self, known: int) -> None:
        """Poll the present slot at once. Of the slot `known` leave out what was polled in it with success."""
        slot = slot_of(time.time(), self._interval)
        if slot != self._polled:
            self._poll(slot, succeeded(self._engine.journal, slot) if slot == known else frozenset())

    def _slot(self) -> None:
        slot = slot_of(time.time(), self._interval)
        if slot != self._polled:
            self._poll(slot)

    def _poll(
        self,
        slot: int,
        leave_out: frozenset[tuple[str, str]] = frozenset(),
        tenants: Collection[str] | None = None,
    ) -> None:
        self._polled = slot
        left = slot / 1000 + self._interval - time.time()
        least = min(1.0, self._interval / 2)
        if left < least:
            return  # it could not end inside the slot, and the next one is near
        now = time.monotonic()
        terms = Terms(last_start=now + left - least, end=now + left, backoff=self._backoff)
        beginning = len(self._engine.sources) if tenants is None else len(tenants)
        within = span(beginning, left)
        polls = self._engine.poll(slot, terms, self._settled, leave_out, tenants=tenants, within=within)
        _log.debug("slot.started", slot=rfc3339(slot), polls=polls, left_out=len(leave_out), within=round(within, 1))

    def _settled(self, outcome: Outcome) -> None:
        self._compared |= outcome.error is None
        self._watching.settled(outcome)
        self._seen(outcome)

    def _jumped(self, seconds: float) -> None:
        """Set every wait anew: they were set by a clock that is gone, and begin the slot that it is now.

        What another slot has of an earlier time that was called so is polled again; the later answer stands.
        """
        _log.warning("clock.jumped", seconds=round(seconds, 1))
        self._compared = not self._engine.sources
        self._engine.lanes.clear()
        self._set_clock()
        known, self._polled = self._polled, -1
        self._engine.abandon("the clock jumped before the next try")
        self._engine.lanes.soon(SLOT, partial(self._present_slot, known))
        for delivery in self._engine.deliveries:
            delivery.wake()

    def _keep_house(self) -> None:
        self._watching.turned()
        self._offset.look()
        if self._prune_waits and self._may_prune():
            self._engine.lanes.soon(PRUNE, self._prune)
        if self._soundness.wants(self._engine.damage):
            self._engine.lanes.soon(PRUNE, self._mend)
        if self._engine.hold.held:
            self._engine.hold.flush()
        self._engine.nudge()

    def _mend(self) -> None:
        """Mend the journal, on a lane where that may take its minutes; what waited for it goes on at once."""
        met = self._engine.damage
        if not self._soundness.wants(met):
            return
        self._soundness.mend(*met)
        self._engine.hold.flush()
        for delivery in self._engine.deliveries:
            delivery.wake()

    def _may_prune(self) -> bool:
        """Whether it is known what time it is, and all is derived from what could go."""
        return self._compared and self._engine.deriving.up_to_date

    def _prune(self) -> None:
        days = self._settings.journal.keep_days
        self._prune_waits = bool(days) and not self._may_prune()
        if not days or self._prune_waits:
            return
        # A clock that runs ahead by years would take all of the history with it.
        now = time.time() - max(0.0, self._offset.ahead)
        before = int((now - days * _DAY_SECONDS) * 1000)
        try:
            consumers = [DERIVE, *(delivery.sink.name for delivery in self._engine.deliveries)]
            gone = self._engine.journal.prune(before, consumers)
        except JournalError as error:
            _log.error("journal.failed", error=str(error), mend=error.mend)
            return
        _log.info("journal.pruned", count=gone, before=rfc3339(before))
