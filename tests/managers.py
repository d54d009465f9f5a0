"""A service manager as far as a service sees one: a datagram socket, and what was said to it."""

import socket
import time
from pathlib import Path
from typing import Self


class ListeningManager:
    """Listens at `address`, a path or, with `@` before it, an abstract name. Words are kept with when they came."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.said: list[tuple[float, str]] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{address[1:]}" if address.startswith("@") else address)
        self._socket.settimeout(0.05)

    @property
    def words(self) -> list[str]:
        """Everything that was said until now, a line each."""
        while True:
            try:
                told = self._socket.recv(4096).decode()
            except TimeoutError:
                return [line for _, told in self.said for line in told.splitlines()]
            self.said.append((time.monotonic(), told))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        if not self.address.startswith("@"):
            Path(self.address).unlink(missing_ok=True)
