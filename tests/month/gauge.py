"""What a process uses of its machine, and whether that grows. Is not a profiler: it says that, not where."""

import gc
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

PER = 100
"""Slots to which every growth is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What is used after so many slots. `blocks`: of Python's allocator. `journal`: bytes of its file.

    `points`: how many were ever appended to it.
    """

    slots: int
    rss_kib: int
    blocks: int
    objects: int
    threads: int
    descriptors: int
    journal: int = 0
    points: int = 0

    def as_dict(self) -> dict[str, int]:
        """Return all by name."""
        return asdict(self)


LIMITS: Mapping[str, float] = {
    "rss_kib": 400.0,
    "blocks": 300.0,
    "objects": 80.0,
    "threads": 0.5,
    "descriptors": 0.5,
    "journal": 49_152.0,
}
"""The most by which each may grow in 100 slots, once the process has warmed up.

The samples themselves are 80 blocks and 8 objects; what is kept a slot, be it one thing, is a hundred.

Days and spikes are kept for ever, 8 KiB a day of 21 series: with the pages that they keep from others. Without pruning
100 slots take over 200 KiB.

With an arena a thread the C library goes on taking pages for weeks: the size is a sign where it has one
(`MALLOC_ARENA_MAX=1`). Python's own blocks and objects are the sharper ones.
"""


def measure(slots: int, journal: Path, points: int = 0) -> Sample:
    """Return what this process and its journal's file use now, without what only waits to be collected."""
    gc.collect()
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    (rss,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))
    return Sample(
        slots=slots,
        rss_kib=int(rss),
        blocks=sys.getallocatedblocks(),
        objects=len(gc.get_objects()),
        threads=sum(1 for _ in Path("/proc/self/task").iterdir()),
        descriptors=sum(1 for _ in Path("/proc/self/fd").iterdir()) - 1,  # one is the look itself
        journal=journal.stat().st_size,
        points=points,
    )


def growth(samples: Sequence[Sample]) -> dict[str, float]:
    """Return by how much each thing grows in 100 slots after the first third: the median of all slopes.

    One sample that was taken at a busy moment moves it by nothing.
    """
    warm = [sample.as_dict() for sample in samples[len(samples) // 3 :]]
    return {
        name: statistics.median(
            PER * (late[name] - early[name]) / (late["slots"] - early["slots"])
            for n, early in enumerate(warm)
            for late in warm[n + 1 :]
        )
        for name in LIMITS
    }


def grown(samples: Sequence[Sample]) -> list[str]:
    """Return the names of what grows by more than it may."""
    return [name for name, slope in growth(samples).items() if slope > LIMITS[name]]
