"""What a point costs on disk, by measurement: in a real InfluxDB 1.x once it has compacted, and in the journal.

The history is the demo's tenant; a shard is a week, as InfluxDB has it by itself. Is not a test: it prints a table.

    python -m tests.stored               from the project's root, with 90 days, in about a minute
    python -m tests.stored --days 14
    python -m tests.stored --shard 364d  with shards of another length
"""

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

# As pytest has it: the servers and the histories of the tests are found by their names.
sys.path.insert(0, str(Path(__file__).parent))

from columns import columns
from journals import every
from quarter import DAY, PLAIN, SINCE, UNTIL, derive, polls
from servers import Influxd

from collector.cli.demo_history import fill
from collector.http import Http
from collector.influx import V1
from collector.journal import Journal
from collector.point import Point
from collector.settings import Influx
from collector.simulator import World

_SOON = '\n[data]\ncache-snapshot-write-cold-duration = "1s"\ncompact-full-write-cold-duration = "1s"\n'
_BATCH = 5_000
_SECONDS = 120
_STEADY = 4
"""Seconds without a change after which nothing more is compacted: longer than InfluxDB waits."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a measurement's points."""

    points: int
    series: int
    bytes: int

    @property
    def each(self) -> float:
        """Bytes a point."""
        return self.bytes / self.points


def history(folder: Path, days: int) -> tuple[Sequence[Point], int]:
    """Return all points of the last so many days of the quarter, and the bytes of the journal that has them."""
    world = World(tenants=[PLAIN], today=date(2026, 4, 1))
    with Journal(folder / "all.db", clock=lambda: UNTIL / 1000) as journal:
        fill(journal, world, PLAIN, UNTIL)
        scores = [point for point in every(journal) if point.time >= UNTIL - days * DAY]
    path = folder / "some.db"
    with Journal(path, clock=lambda: UNTIL / 1000) as journal:
        for start in range(0, len(scores), 200):
            journal.append(scores[start : start + 200])
        journal.append(list(polls(PLAIN, max(SINCE, UNTIL - days * DAY), hours=1)))
        derive(journal, UNTIL)
        points = every(journal)
    return points, path.stat().st_size


def stored(points: Iterable[Point], folder: Path, shard: str = "7d") -> Mapping[str, Stored]:
    """Return what each measurement takes, each in a database of its own, once InfluxDB has compacted them.

    `shard`: the length of its shards; 7d is InfluxDB's own choice where points are kept for ever.
    """
    sorted_out: defaultdict[str, list[Point]] = defaultdict(list)
    for point in points:
        sorted_out[point.series.measurement].append(point)
    server = Influxd(folder)
    settings = folder / "influxdb.conf"
    settings.write_text(settings.read_text(encoding="utf-8").replace("\n[data]\n", _SOON), encoding="utf-8")
    http = Http()
    with server:
        for measurement, its in sorted_out.items():
            server.query(f'CREATE DATABASE "{measurement}" WITH SHARD DURATION {shard} NAME "autogen"')
            sink = V1("main", Influx(api="v1", url=server.url, database=measurement), http)
            for start in range(0, len(its), _BATCH):
                sink.write(columns(its[start : start + _BATCH]))
        _wait(folder)
        sizes = {measurement: sum(size for _, size in _files(folder, measurement)) for measurement in sorted_out}
    http.close()
    return {
        measurement: Stored(len(its), len({point.series for point in its}), sizes[measurement])
        for measurement, its in sorted_out.items()
    }


def _files(folder: Path, measurement: str = "*") -> Sequence[tuple[str, int]]:
    """Return the files in which InfluxDB keeps points: of shards, not those of its index of series."""
    return sorted(
        (str(path), path.stat().st_size) for path in folder.glob(f"data/{measurement}/autogen/*/*") if path.is_file()
    )


def _wait(folder: Path) -> None:
    """Return once all points are in files of shards, and these stay as they are."""
    end = time.monotonic() + _SECONDS
    before, since = _files(folder), time.monotonic()
    while time.monotonic() - since < _STEADY or any(path.stat().st_size for path in folder.glob("wal/*/*/*/*.wal")):
        assert time.monotonic() < end, "InfluxDB does not come to rest"
        time.sleep(0.2)
        try:
            now = _files(folder)
        except FileNotFoundError:
            continue  # it was compacted away
        if now != before:
            before, since = now, time.monotonic()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.stored", description=__doc__)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--shard", default="7d")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        points, journal = history(Path(folder), options.days)
        for measurement, its in stored(points, Path(folder), options.shard).items():
            row = (
                f"{measurement:32}{its.points:8,} points{its.series:5} series{its.bytes:11,} bytes{its.each:8.1f} each"
            )
            sys.stdout.write(f"{row}\n")
        sys.stdout.write(
            f"{'the journal, all of these':32}{len(points):8,} points{journal:23,} bytes"
            f"{journal / len(points):8.1f} each\n"
        )


if __name__ == "__main__":
    main()
