"""The two wires that the oracle listens on: from the tenants to the service, and from there to the database.

What passes is what was asked and answered, with two exceptions: each score becomes one that was never served before,
and now and then a group is missing. A wire whose far end is silent hangs up; it answers nothing of its own.
"""

import base64
import json
import math
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any, Self

import httpx
from oracle.truth import ORGANIZATION, Answer, Group

_OWN = {"connection", "content-length", "transfer-encoding", "host", "accept-encoding", "keep-alive"}
_SUBJECTS = {"/api/exposureScore": "organization", "/api/exposureScore/ByMachineGroups": "device_groups"}
_A_GROUP_IS_MISSING = 9
"""In each so manieth answer."""
# Coprime to the number of scores that there are from 0 to 100: each comes once before any comes again.
_STEP, _SCALE = 7919, 1 << 20


class _Wire(ABC):
    """Passes requests on between `start` and `stop`. `passed` sees each answer before the asker does."""

    def __init__(self, upstream: httpx.Client) -> None:
        self._upstream = upstream
        wire = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                wire._pass(self)

            def do_POST(self) -> None:
                wire._pass(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @abstractmethod
    def passed(self, request: httpx.Request, asked: int, number: int, answer: httpx.Response) -> bytes:
        """Note an answer, and return the body that the asker gets."""

    def _pass(self, handler: BaseHTTPRequestHandler) -> None:
        asked, number = time.time_ns() // 1_000_000, self._server.next()
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        headers = {name: value for name, value in handler.headers.items() if name.lower() not in _OWN}
        request = self._upstream.build_request(
            handler.command, handler.path, headers={**headers, "Accept-Encoding": "identity"}, content=body
        )
        try:
            answer = self._upstream.send(request)
        except httpx.TransportError:
            handler.close_connection = True
            return
        content = self.passed(request, asked, number, answer)
        handler.send_response(answer.status_code)
        for name, value in answer.headers.items():
            if name.lower() not in _OWN | {"date", "server"}:
                handler.send_header(name, value)
        if answer.status_code != httpx.codes.NO_CONTENT:
            handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._numbers = count()

    def next(self) -> int:
        """Return a number that no request has had."""
        return next(self._numbers)

    def handle_error(self, *_: object) -> None:
        """Whoever asked is gone: it was killed, or asks no longer."""


class TenantWire(_Wire):
    """From the service to the tenants' API. `tenants`: the name of each by its tenant id."""

    def __init__(self, upstream: httpx.Client, tenants: Mapping[str, str]) -> None:
        super().__init__(upstream)
        self._tenants = tenants
        self._served = count(1)
        self.answers: list[Answer] = []

    def passed(self, request: httpx.Request, asked: int, number: int, answer: httpx.Response) -> bytes:
        """Give each row a score of its own, and note what is served."""
        subject = _SUBJECTS.get(request.url.path)
        if subject is None or answer.status_code != httpx.codes.OK:
            return answer.content
        document = answer.json()
        rows = document["value"] if subject == "device_groups" else [document]
        if subject == "device_groups" and number % _A_GROUP_IS_MISSING == 0:
            rows.pop()
        served: dict[Group, float] = {}
        for row in rows:
            score = row.get("score")
            if isinstance(score, int | float) and not isinstance(score, bool) and math.isfinite(score):
                row["score"] = next(self._served) * _STEP % (100 * _SCALE) / _SCALE
                group = (row["rbacGroupName"], str(row["rbacGroupId"])) if "rbacGroupName" in row else ORGANIZATION
                served[group] = row["score"]
        note = Answer(
            number=number,
            tenant=self._tenants[_tenant_id(request)],
            subject=subject,
            asked=asked,
            rows=served,
            api_time=document.get("time", ""),
        )
        self.answers.append(note)
        return json.dumps(document).encode()


class DatabaseWire(_Wire):
    """From the service to InfluxDB. Counts what is sent again although the database had said that it has it."""

    def __init__(self, upstream: httpx.Client) -> None:
        super().__init__(upstream)
        self._lock = threading.Lock()
        self._taken: set[int] = set()
        self.filling = False
        """While it is true a lost database is filled again: what is sent then is counted apart."""
        self.sent = self.repeated = self.batches_repeated = self.filled = 0

    def lose(self) -> None:
        """Note that the database has lost everything, and will be filled."""
        with self._lock:
            self.filling = True
            self._taken.clear()

    def passed(self, request: httpx.Request, asked: int, number: int, answer: httpx.Response) -> bytes:
        """Count the points of a write that was answered with 204."""
        del asked, number
        if request.url.path == "/write" and answer.status_code == httpx.codes.NO_CONTENT:
            lines = request.content.splitlines()
            with self._lock:
                known = sum(hash(line) in self._taken for line in lines)
                self._taken.update(map(hash, lines))
                self.sent += len(lines)
                if self.filling:
                    self.filled += len(lines)
                else:
                    self.repeated += known
                    self.batches_repeated += known > 0
        return answer.content


def _tenant_id(request: httpx.Request) -> str:
    payload = request.headers["Authorization"].split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["tid"])
