"""One exchange's way back to the client: sent whole, in pieces, cut off, or kept waiting. Is not what is sent."""

import asyncio
import contextlib
from collections.abc import Callable

from starlette.types import Receive, Send

from collector.simulator.answer import Answer


class Line:
    """From the moment that the request has been read until its answer is over. Belongs to one task of the loop."""

    def __init__(
        self,
        receive: Receive,
        send: Send,
        *,
        stopping: asyncio.Event,
        cut: Callable[[], None],
        on_status: Callable[[int], None],
    ) -> None:
        self._receive = receive
        self._send = send
        self._stopping = stopping
        self._cut = cut
        self._on_status = on_status

    async def send(self, answer: Answer) -> None:
        """Send it whole."""
        await self.start(answer)
        await self.piece(answer.body, last=True)

    async def start(self, answer: Answer) -> None:
        """Send the status and the headers, the length of the whole body among them."""
        self._on_status(answer.status)
        headers = {**answer.headers, "Content-Length": str(len(answer.body))}
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": answer.status, "headers": raw})

    async def piece(self, body: bytes, *, last: bool) -> None:
        """Send a part of the body."""
        await self._send({"type": "http.response.body", "body": body, "more_body": not last})

    async def pause(self, seconds: float | None = None) -> bool:
        """Return True after `seconds` (None: never), False as soon as the client is gone or the simulator stops."""
        if seconds == 0:
            await asyncio.sleep(0)
            return True
        ends = {asyncio.ensure_future(self._gone()), asyncio.ensure_future(self._stopping.wait())}
        try:
            done, _ = await asyncio.wait(ends, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
        return not done

    async def cut(self) -> None:
        """Break the connection: the client sees a reset, whatever it was reading."""
        self._cut()
        with contextlib.suppress(TimeoutError):
            # Only then does the server know that no answer is owed.
            await asyncio.wait_for(self._gone(), timeout=5)

    async def _gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
