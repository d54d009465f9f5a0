"""A service manager as far as a service sees one: a datagram socket, and what was said to it."""

import socket
from pathlib import Path
from typing import Self


class ListeningManager:
    """Listens at `address`, a path or, with `@` before it, an abstract name."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._said: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{address[1:]}" if address.startswith("@") else address)
        self._socket.setblocking(False)

    @property
    def words(self) -> list[str]:
        """Everything that was said until now, a line each."""
        while True:
            try:
                told = self._socket.recv(4096).decode()
            except BlockingIOError:
                return list(self._said)
            self._said += told.splitlines()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        if not self.address.startswith("@"):
            Path(self.address).unlink(missing_ok=True)
