"""One request on its way through the simulator. Is not the answer to it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from collector.simulator.fault_kind import Kind
from collector.simulator.faults import Faults
from collector.simulator.record import Exchange, Record

_K = TypeVar("_K", bound=Kind)


@dataclass(frozen=True, slots=True)
class Visit:
    """Who asks for what, and the faults that strike it; each that does is recorded."""

    exchange: Exchange
    faults: Faults
    record: Record

    def take(self, kind: type[_K], where: Callable[[_K], bool] = lambda _: True) -> _K | None:
        """Return the fault of that kind that strikes this request, None when none does."""
        fault = self.faults.take(kind, self.exchange.tenant, self.exchange.subject, where)
        if fault is not None:
            self.record.struck(self.exchange, fault.name)
        return fault
