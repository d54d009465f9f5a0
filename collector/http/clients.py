"""HTTP clients, one for all who trust the same certificates: a client each would cost memory and time by thousands."""

import threading
from pathlib import Path

from collector.http import Http


class Clients:
    """Makes each client when it is first asked for, from any thread. `most`: connections that each may have open."""

    def __init__(self, most: int = 100) -> None:
        self._most = most
        self._by_ca: dict[Path | None, Http] = {}
        self._lock = threading.Lock()

    def trusting(self, ca_file: Path | None) -> Http:
        """Return the client that trusts `ca_file` beside the system's store; raise ConfigError where it can't."""
        with self._lock:
            if ca_file not in self._by_ca:
                self._by_ca[ca_file] = Http(ca_file, connections=self._most)
            return self._by_ca[ca_file]
