"""What delivering costs from the journal to a real InfluxDB, held against `curl` with the same lines ready in files."""

import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.figures import Spread, interleaved, short
from benchmarks.polls import fill
from benchmarks.size import Size
from benchmarks.table import Row
from servers import Influxd
from system.blackbox import environment

from collector.batch import Cursor
from collector.http import Http
from collector.influx import V1
from collector.influx.line import Encoder
from collector.journal import Journal
from collector.pipeline import Delivery
from collector.pipeline.deliver import BATCH, DELIVER, State
from collector.service.lanes import Lanes
from collector.settings import Influx

_LOOP = 'for file in "$@"; do curl --silent --show-error --fail --data-binary "@$file" "$URL" || exit 1; done'
_SECONDS = 120
"""After so long, something is wrong and no figure is worth having."""


def measure(size: Size, folder: Path) -> Iterator[Row]:
    """Yield the row of the rates, and that of what the collector's side of it costs."""
    home = folder / "delivering"
    home.mkdir()
    with Influxd(home) as server, Journal(home / "journal.db") as journal:
        count = fill(journal, size.delivered)
        files = _files(journal, home)
        cpu: list[float] = []
        ours, bare = interleaved(
            size.times, lambda: _deliver(server, journal, count, cpu), lambda: _send(server, files)
        )
    what = f"{count:,} points from the journal to InfluxDB, {len(files)} batches"
    yield Row(
        what=what,
        measured=f"{ours.said('s')}, {short(count / ours.median)} points/s",
        against=f"{bare.said('s')}, curl with the lines ready",
        figure=f"{bare.over(ours).said('x')} its rate",
        goal="0.9 x at least",
    )
    spent = Spread(tuple(cpu))
    each = short(spent.median / count * 1e6)
    yield Row(what=f"{what}: CPU of the collector", measured=spent.said("s"), figure=f"{each} µs a point")


def _files(journal: Journal, folder: Path) -> Sequence[Path]:
    """Write the lines of each batch that Delivery will make to a file of its own."""
    encoder = Encoder()
    files: list[Path] = []
    cursor = Cursor("files", 1, 0)
    while (batch := journal.read(cursor, BATCH)).rows:
        files.append(folder / f"batch-{len(files):03}")
        files[-1].write_bytes(encoder.encode(batch.columns))
        cursor = Cursor("files", batch.after, 0)
    return files


def _deliver(server: Influxd, journal: Journal, count: int, cpu: list[float]) -> float:
    """Return the seconds from the first look at the journal until the cursor stands at its end; add those of CPU."""
    over = threading.Event()

    def changed(state: State) -> None:
        if state.error or state.up_to_date:
            over.set()

    with _database(server) as database:
        http, lanes = Http(), Lanes({DELIVER: 1})
        sink = V1("main", Influx(api="v1", url=server.url, database=database), http)
        journal.cursor(sink.name, sink.target)
        journal.move(sink.name, 1)
        delivery = Delivery(sink=sink, journal=journal, workers=lanes, changed=changed)
        began, began_cpu = time.perf_counter(), time.process_time()
        delivery.nudge()
        over.wait(_SECONDS)
        seconds, spent = time.perf_counter() - began, time.process_time() - began_cpu
        lanes.stop(_SECONDS)
        http.close()
    if delivery.delivered != count:
        raise RuntimeError(f"{delivery.delivered} of {count} points were delivered: {delivery.state.error}")
    cpu.append(spent)
    return seconds


def _send(server: Influxd, files: Sequence[Path]) -> float:
    """Return the seconds of the loop of `curl`."""
    with _database(server) as database:
        url = f"{server.url}/write?db={database}&precision=ms"
        began = time.perf_counter()
        subprocess.run(["sh", "-c", _LOOP, "sh", *files], env=environment({"URL": url}), check=True, timeout=_SECONDS)
        return time.perf_counter() - began


@contextmanager
def _database(server: Influxd) -> Iterator[str]:
    """A database of its own, gone afterwards."""
    name = server.database()
    yield name
    server.query(f'DROP DATABASE "{name}"')
