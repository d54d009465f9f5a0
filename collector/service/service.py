"""The service as a command starts it: takes the journal's role for as long as it runs, and builds what runs."""

import threading
from collections.abc import Callable, Sequence

from collector.journal import in_charge
from collector.pipeline import Outcome
from collector.service.engine import Engine
from collector.service.manager import Manager
from collector.service.run import Running
from collector.settings import Settings


class Service:
    """Runs until it is told to stop. Raise JournalError for an unusable journal, ConfigError for a taken port.

    Whenever `reload` is set, also before it runs, the settings are read by `anew`.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        name: str,
        tenants: Sequence[str],
        seen: Callable[[Outcome], None] = lambda _: None,
        manager: Manager | None = None,
        anew: Callable[[], Settings] | None = None,
        reload: threading.Event | None = None,
    ) -> None:
        self._settings = settings
        self._name = name
        self._tenants = tenants
        self._seen = seen
        self._manager = manager
        self._anew = anew
        self._reload = reload
        self._engine: Engine | None = None

    @property
    def lost(self) -> int:
        """How many points would be gone if the process ended now, or are."""
        return self._engine.lost if self._engine else 0

    def run(self, stop: threading.Event) -> bool:
        """Return, when `stop` is set, whether all that ran has ended within its 8 seconds."""
        path = self._settings.journal.path
        with in_charge(path) as journal:
            self._engine = Engine(
                self._settings, journal, name=self._name, tenants=self._tenants, delivered=lambda _: None
            )
            running = Running(self._settings, self._engine, self._seen, self._manager, self._anew)
            return running.until(stop, self._reload)
