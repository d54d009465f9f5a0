"""Faults in how an answer is sent: late, byte by byte, never, cut off, misdated. Is not about what it says."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from collector.simulator.answer import Answer
from collector.simulator.fault_kind import SUBJECTS, TOKEN, Kind, is_number, is_offset, need
from collector.simulator.line import Line

_MOST_SECONDS = 100 * 365 * 86400


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending(Kind, ABC):
    """A fault that has the answer in its hands, and the line to the client."""

    async def send(self, answer: Answer, line: Line) -> None:
        """Return once the answer was sent, or never will be."""
        await self._send(answer, line)

    @abstractmethod
    async def _send(self, answer: Answer, line: Line) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Slow(Sending):
    """The answer comes `seconds` late."""

    name: ClassVar[str] = "slow"
    seconds: float

    def __post_init__(self) -> None:
        need(is_number(self.seconds), "seconds is a number, 0 or more")

    async def _send(self, answer: Answer, line: Line) -> None:
        await line.pause(self.seconds)
        await line.send(answer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drip(Sending):
    """The body comes one byte every `milliseconds`."""

    name: ClassVar[str] = "drip"
    milliseconds: float = 100

    def __post_init__(self) -> None:
        need(is_number(self.milliseconds), "milliseconds is a number, 0 or more")

    async def _send(self, answer: Answer, line: Line) -> None:
        await line.start(answer)
        for index in range(len(answer.body)):
            if not await line.pause(self.milliseconds / 1000):
                await line.cut()
                return
            await line.piece(answer.body[index : index + 1], last=False)
        await line.piece(b"", last=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hang(Sending):
    """There is never an answer; the connection breaks when the simulator stops."""

    name: ClassVar[str] = "hang"

    async def _send(self, answer: Answer, line: Line) -> None:
        del answer
        await line.pause()
        await line.cut()


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInHang(Hang):
    """There is never an answer at the token endpoint."""

    name: ClassVar[str] = "sign_in_hang"
    subjects: ClassVar[tuple[str, ...]] = TOKEN
    usual: ClassVar[tuple[str, ...]] = TOKEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset(Sending):
    """The connection breaks in the middle of the body."""

    name: ClassVar[str] = "reset"

    async def _send(self, answer: Answer, line: Line) -> None:
        await line.start(answer)
        await line.piece(answer.body[: len(answer.body) // 2], last=False)
        await line.cut()


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock(Kind):
    """The `Date` of every answer is off by `seconds`, ahead or, below 0, behind, as if the client's were wrong."""

    name: ClassVar[str] = "clock"
    usual: ClassVar[tuple[str, ...]] = SUBJECTS
    seconds: float

    def __post_init__(self) -> None:
        need(is_offset(self.seconds) and abs(self.seconds) <= _MOST_SECONDS, "seconds is a number, at most a century")
