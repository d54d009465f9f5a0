"""What could not be derived by a fault of ours: said once, counted, and no reason to stop for all the rest.

Counted as long as it comes again, at least once a day: of a score that is gone, or has another name, it never does.
"""

import time
from collections.abc import Callable
from threading import Lock

from collector.errors import CollectorError
from collector.log import logger

_LASTING = 2 * 86_400.0
"""Seconds after which what does not come again is left out no longer: its score is gone, renamed or forgotten."""
_SAID = 20
"""How many are told one by one: a fault that meets every score is told by some of them."""

_log = logger()


class LeftOut:
    """Does work apart from the rest. Meets derive's `Apart`. Any thread may ask how much is left out."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = Lock()
        self._known: dict[tuple[str, str], dict[str, str]] = {}
        """What each part of a (tenant, group) fails of."""
        self._failed_at: dict[tuple[str, str], float] = {}

    def __call__(self, part: str, tenant: str, group: str, work: Callable[[], object], /) -> bool:
        """Return whether it went well. What failed before and goes well now is left out no longer."""
        try:
            work()
        except CollectorError:
            raise
        except Exception as error:  # noqa: BLE001 - a fault of ours in one score is nobody else's
            self._failed(part, tenant, group, error)
            return False
        if part in self._known.get((tenant, group), ()):
            self._went_well(part, tenant, group)
        return True

    @property
    def count(self) -> int:
        """Of how many something is left out now."""
        with self._lock:
            self._let_go()
            return len(self._known)

    @property
    def words(self) -> str:
        """What is left out, in words; empty when nothing is."""
        with self._lock:
            self._let_go()
            if not self._known:
                return ""
            (tenant, group), parts = next(iter(self._known.items()))
            more = f", and {len(self._known) - 1} more" if len(self._known) > 1 else ""
            return f"left out: {group} of {tenant} ({next(iter(parts.values()))}){more}"

    def _failed(self, part: str, tenant: str, group: str, error: Exception) -> None:
        with self._lock:
            new = (tenant, group) not in self._known
            self._failed_at[tenant, group] = self._monotonic()
            self._known.setdefault((tenant, group), {})[part] = f"{type(error).__name__}: {error}"
            said = new and len(self._known) <= _SAID
        if said:
            _log.error(
                "derive.left_out",
                tenant=tenant,
                group=group,
                part=part,
                mend="a fault of the collector: this alone is not derived; it is tried again with its next score",
                exc_info=error,
            )

    def _went_well(self, part: str, tenant: str, group: str) -> None:
        with self._lock:
            parts = self._known.get((tenant, group), {})
            if part not in parts:
                return  # it was let go meanwhile
            del parts[part]
            if not parts:
                self._forget((tenant, group))
        if not parts:
            _log.info("derive.caught_up", tenant=tenant, group=group)

    def _let_go(self) -> None:
        """Count no longer what has not come again for two days."""
        now = self._monotonic()
        for key in [key for key, at in self._failed_at.items() if now - at > _LASTING]:
            self._forget(key)

    def _forget(self, key: tuple[str, str]) -> None:
        del self._known[key], self._failed_at[key]
