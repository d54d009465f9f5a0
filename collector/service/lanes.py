"""Lanes of worker threads, and APScheduler as the clock that puts jobs on them.

APScheduler fires; its own thread only hands over. So a job that takes long delays no other, and nothing misfires.
"""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor as Firing
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from collector.log import logger

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_log = logger()


class Lanes:
    """`lanes`: how many workers each lane has. Meets the pipeline's `Workers`."""

    def __init__(self, lanes: Mapping[str, int]) -> None:
        self._pools = {
            lane: ThreadPoolExecutor(workers, thread_name_prefix=lane) for lane, workers in lanes.items() if workers
        }
        self._scheduler = BackgroundScheduler(
            executors={"default": Firing(max_workers=1)},
            # Late is better than never: without this a job that is a second late is dropped.
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
            timezone=UTC,
        )
        self._lock = threading.Lock()
        self._running: set[Future[None]] = set()
        self._stopping = False

    def start(self) -> None:
        """Let the clock fire."""
        self._scheduler.start()

    def soon(self, lane: str, job: Callable[[], None]) -> None:
        """Run `job` on the lane as soon as one of its workers is free; after `stop`, never."""
        with self._lock:
            if self._stopping:
                return
            future = self._pools[lane].submit(_guarded, lane, job)
            self._running.add(future)
        future.add_done_callback(self._ended)

    def later(self, seconds: float, lane: str, job: Callable[[], None]) -> None:
        """Run `job` on the lane once, `seconds` from now."""
        moment = datetime.now(UTC) + timedelta(seconds=seconds)
        self._add(lane, job, trigger="date", run_date=moment)

    def every(self, seconds: float, lane: str, job: Callable[[], None]) -> None:
        """Run `job` on the lane at each whole multiple of `seconds` since the epoch."""
        self._add(lane, job, trigger=_Multiples(seconds))

    def clear(self) -> None:
        """Forget every job that waits for its time."""
        self._scheduler.remove_all_jobs()

    def stop(self, seconds: float) -> bool:
        """Start no further job and give those that run `seconds`; return whether all have ended."""
        with self._lock:
            self._stopping = True
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
        return not wait(set(self._running), timeout=max(0.0, seconds)).not_done

    def _add(self, lane: str, job: Callable[[], None], **when: object) -> None:
        with self._lock:
            if not self._stopping:
                self._scheduler.add_job(self.soon, args=(lane, job), **when)

    def _ended(self, future: Future[None]) -> None:
        with self._lock:
            self._running.discard(future)


class _Multiples(BaseTrigger):  # type: ignore[misc]  # APScheduler carries no types
    """Fires at each whole multiple of `seconds` since the epoch; of those that a jump has left behind, once for all.

    APScheduler's own would list every one of them first: decades of seconds, where a machine without a clock of its own
    gets the time from the network.
    """

    def __init__(self, seconds: float) -> None:
        self._interval = timedelta(seconds=seconds)

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """Return the first multiple after both moments."""
        last = now if previous_fire_time is None else max(previous_fire_time, now)
        return _EPOCH + ((last - _EPOCH) // self._interval + 1) * self._interval


def _guarded(lane: str, job: Callable[[], None]) -> None:
    try:
        job()
    except Exception:  # noqa: BLE001 - outlives a fault of ours: it is logged, and the lane goes on
        _log.exception("job.failed", lane=lane)
