"""A network between two that speak TCP, which carries what they say, and misbehaves when it is told to.

Knows neither HTTP nor TLS. Is not a server: it stands in front of one, on a port of its own.
"""

import contextlib
import select
import socket
import struct
import threading
from collections.abc import Iterator
from enum import Enum
from typing import Self

_TURN = 0.02
"""Seconds between two looks at what there is to carry; a dripping wire lets a byte through at each."""


class Fault(Enum):
    """What is wrong with a wire. Each holds for new connections, and for those that are open."""

    REFUSED = "no connection is taken"
    RESET = "a connection is reset as soon as something is said on it"
    RESET_ASKING = "the half of what is asked is carried, then comes a reset"
    RESET_ANSWERING = "what is asked is carried, and the half of what is answered, then comes a reset"
    CUT_ANSWERING = "the same with an orderly end in the place of the reset"
    SILENT = "nothing is carried, and nothing ends"
    DEAF = "what is asked is carried, what is answered is not: the other side has it, and nobody knows"
    DRIPPING = "a byte now and then"


HANGING = frozenset({Fault.SILENT, Fault.DEAF, Fault.DRIPPING})
"""Faults that nothing ends but the patience of who asked."""


class Wire:
    """A wire to a port of loopback. `fault` may be set at any time; `carried` counts the bytes that were asked."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._fault: Fault | None = None
        self._over = threading.Event()
        self._cut = threading.Event()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.carried = 0
        self._listen()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        _end(self._listener)
        for thread in self._threads:
            thread.join(5)

    @property
    def fault(self) -> Fault | None:
        """What is wrong now, None when all is well."""
        return self._fault

    @fault.setter
    def fault(self, fault: Fault | None) -> None:
        if fault is Fault.REFUSED:
            _end(self._listener)
            self.hang_up()
        elif self._fault is Fault.REFUSED:
            self._listener = socket.create_server(("127.0.0.1", self.port))
            self._listen()
        self._fault = fault

    def hang_up(self) -> None:
        """End every connection that is open; new ones are taken."""
        self._cut.set()
        self._cut = threading.Event()

    def _listen(self) -> None:
        self._start(self._accept, self._listener)

    def _start(self, run: object, *arguments: object) -> None:
        thread = threading.Thread(target=run, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._start(self._carry, listener.accept()[0], self._cut)

    def _carry(self, asking: socket.socket, cut: threading.Event) -> None:
        with contextlib.suppress(OSError), asking, socket.create_connection(("127.0.0.1", self._to)) as answering:
            for end in (asking, answering):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while not (self._over.is_set() or cut.is_set()):
                for end in select.select([asking, answering], [], [], _TURN)[0]:
                    asks = end is asking
                    data = end.recv(1 if self._fault is Fault.DRIPPING else 65536)
                    if not data:
                        return
                    passed, ends = self._passed(data, asks=asks)
                    (answering if asks else asking).sendall(passed)
                    self.carried += len(passed) if asks else 0
                    if ends:
                        if self._fault is not Fault.CUT_ANSWERING:
                            _reset_at_close(asking)
                        return
                    if self._fault is Fault.DRIPPING:
                        self._over.wait(_TURN)

    def _passed(self, data: bytes, *, asks: bool) -> tuple[bytes, bool]:
        """Return what is carried of `data`, and whether the connection ends with it."""
        half = data[: len(data) // 2]
        match self._fault:
            case Fault.RESET | Fault.REFUSED:
                return b"", True
            case Fault.RESET_ASKING if asks:
                return half, True
            case Fault.RESET_ANSWERING | Fault.CUT_ANSWERING if not asks:
                return half, True
            case Fault.SILENT:
                return b"", False
            case Fault.DEAF if not asks:
                return b"", False
            case _:
                return data, False


@contextlib.contextmanager
def misbehaving(wire: Wire, fault: Fault) -> Iterator[None]:
    """Have a wire misbehave inside of the block."""
    wire.fault = fault
    try:
        yield
    finally:
        wire.fault = None
        wire.hang_up()


def _reset_at_close(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _end(listener: socket.socket) -> None:
    with contextlib.suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
    listener.close()
