"""Reads the settings anew while the service runs, and turns to them between two slots. Polls nobody itself."""

import threading
from collections.abc import Callable, Sequence
from functools import partial

from collector.defender import Defender
from collector.errors import ConfigError
from collector.log import configure
from collector.service.engine import RELOAD, SLOT, Engine
from collector.service.manager import Manager
from collector.service.reload import Change, Reload, change
from collector.settings import Settings


class Reloading:
    """`anew` returns the settings as they are now, or raises ConfigError; without it nothing is ever read anew.

    `turned`: called with what was taken up, where polls are begun.
    """

    def __init__(
        self,
        engine: Engine,
        reload: Reload,
        manager: Manager,
        anew: Callable[[], Settings] | None,
        turned: Callable[[Change], None],
    ) -> None:
        self._engine = engine
        self._reload = reload
        self._manager = manager
        self._anew = anew
        self._turned = turned
        self._lock = threading.Lock()
        self._under_way = False
        self._wanted = False

    def soon(self) -> None:
        """Read them soon, and once more where that is under way; once the service is told to stop, never."""
        with self._lock:
            self._wanted = True
            if self._under_way or self._anew is None:
                return
            self._under_way = True
        self._engine.lanes.soon(RELOAD, partial(self._read, self._anew))

    def say_ready(self) -> None:
        """Tell the manager what the service does, and what of the settings on disk it doesn't."""
        words = f"tenants: {len(self._engine.sources)}, sinks: {len(self._engine.deliveries)}"
        self._manager.ready("; ".join([words, *self._reload.warnings]))

    def _read(self, anew: Callable[[], Settings]) -> None:
        """Have what is right taken up where polls are begun; refuse what is wrong, as a whole."""
        # From here on a change of the settings wants another reload.
        self._wanted = False
        self._manager.reloading()
        begun = False
        try:
            made = change(self._engine.settings, anew())
            sources = self._engine.sources_of(made.settings)
            self._engine.lanes.soon(SLOT, partial(self._turn_to, made, sources))
            begun = True
        except ConfigError as error:
            self._reload.refused(error)
        finally:
            # Also after a fault of ours: of a manager that waits for a word, the service is ended.
            if not begun:
                self._end()

    def _turn_to(self, made: Change, sources: Sequence[Defender]) -> None:
        try:
            log = made.settings.log
            if log != self._engine.settings.log:
                configure(log.level, log.format)
            leaving = {*made.removed, *made.changed}
            reason = "the tenant's settings were changed before the next try"
            self._engine.turn_to(made.settings, sources, leaving, reason)
            self._reload.taken(made)
            self._turned(made)
        finally:
            self._end()

    def _end(self) -> None:
        """Say that the service is ready, and begin again where that was wanted meanwhile."""
        self.say_ready()
        with self._lock:
            self._under_way = False
            again = self._wanted
        if again:
            self.soon()
