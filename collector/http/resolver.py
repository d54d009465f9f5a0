"""Names to addresses, by the system's resolver, within a time of the caller's.

`getaddrinfo` has no timeout, and a thread that is in it can't be woken: so it is called on a thread of its own, one a
name at a time, which ends when the system's resolver gives up. Is not a cache: who asks later asks anew.
"""

import ipaddress
import socket
import threading
from concurrent.futures import Future

Address = tuple[str, int]


class Resolver:
    """Looks names up, for any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: dict[Address, Future[list[Address]]] = {}

    def addresses(self, host: str, port: int, seconds: float) -> list[Address]:
        """Return the host's addresses, each once, in the resolver's order.

        Raise OSError or UnicodeError as the resolver does, TimeoutError when it takes longer than `seconds`: whoever
        asks for the same name while it still looks waits for that same answer, so one thread is held a name.
        """
        if _numeric(host):
            return _look(host, port)
        with self._lock:
            answer = self._under_way.get((host, port))
            if answer is None:
                answer = Future()
                looking = threading.Thread(target=self._run, args=(host, port, answer), name="resolver", daemon=True)
                looking.start()
                self._under_way[host, port] = answer
        return answer.result(seconds)

    def _run(self, host: str, port: int, answer: Future[list[Address]]) -> None:
        try:
            found = _look(host, port)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait raise it
            self._done(host, port)
            answer.set_exception(error)
        else:
            self._done(host, port)
            answer.set_result(found)

    def _done(self, host: str, port: int) -> None:
        with self._lock:
            del self._under_way[host, port]


def _numeric(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _look(host: str, port: int) -> list[Address]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys((str(address[0]), int(address[1])) for *_, address in found))
