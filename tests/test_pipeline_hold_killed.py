"""Polls that share a transaction, and a process that is killed: what was said to be safe is there, whole."""

from collections import defaultdict
from pathlib import Path

import pytest
from journals import HOUR, MIDNIGHT, every, hear, other
from keeping_beside import POLL, keep_together

from collector.journal import Journal

_THREADS = 6


@pytest.mark.parametrize("heard", [_THREADS, 40, 75])
def test_a_poll_that_was_said_to_be_safe_outlives_the_process(tmp_path: Path, heard: int) -> None:
    """However many threads keep polls together, of each that `keep` answered all points are there, in their order.

    A poll that was under way is there as a whole, or not at all.
    """
    path = tmp_path / "journal.db"
    with other(keep_together, path, _THREADS) as (process, pipe):
        safe = [hear(pipe) for _ in range(heard)]
        process.kill()
        process.join()
    found: defaultdict[str, list[int]] = defaultdict(list)
    with Journal(path) as journal:
        for point in every(journal):
            found[point.series.tag("tenant")].append((point.time - MIDNIGHT) // HOUR)
    for tenant, hour in safe:
        assert hour in found[tenant]
    for hours in found.values():
        assert hours == [hour for hour in range(len(hours) // POLL) for _ in range(POLL)]
