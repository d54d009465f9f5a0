"""What delivering costs from the journal to a real InfluxDB, held against `curl` with the same lines ready in files.

By polls alone, and by what a month without InfluxDB leaves, what was derived of it included.
"""

import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.figures import Spread, interleaved, short
from benchmarks.polls import Polls, fill, slots
from benchmarks.size import Size
from benchmarks.table import Row
from servers import Influxd
from system.blackbox import environment

from collector.batch import Cursor
from collector.derive import Derive, Rules
from collector.history.spikes import Rule
from collector.http import Http
from collector.influx import V1
from collector.influx.body import Packing
from collector.influx.line import Encoder
from collector.journal import Journal
from collector.pipeline import Delivery
from collector.pipeline.deliver import BATCH, DELIVER, State
from collector.service.lanes import Lanes
from collector.settings import Influx

_LOOP = 'for file in "$@"; do curl --silent --show-error --fail --data-binary "@$file" "$URL" || exit 1; done'
_TIMES = 15
_SECONDS = 120
"""After so long, something is wrong and no figure is worth having."""


def measure(size: Size, folder: Path) -> Iterator[Row]:
    """Yield the rows of the rates and of what the collector's side of them costs, and that of a compressed batch."""
    home = folder / "delivering"
    home.mkdir()
    with Influxd(home) as server:
        with Journal(home / "journal.db") as journal:
            count = fill(journal, size.delivered)
        yield from _brought(size, server, home, count, f"{count:,} points from the journal to InfluxDB")
        (home / "journal.db").unlink()
        count = _wait(home / "journal.db", size.waited)
        what = f"catching up after {size.waited} days without InfluxDB, what was derived included"
        yield from _brought(size, server, home, count, what)
        yield _compressed(home / "journal.db")


def _brought(size: Size, server: Influxd, home: Path, count: int, what: str) -> Iterator[Row]:
    # Opened anew, as by a process that has just begun.
    with Journal(home / "journal.db") as journal:
        files = _files(journal, home)
        cpu: list[float] = []
        ours, bare = interleaved(
            size.times, lambda: _deliver(server, journal, count, cpu), lambda: _send(server, files)
        )
    yield Row(
        what=what,
        measured=f"{ours.said('s')} for {len(files)} batches, {short(count / ours.median)} points/s",
        against=f"{bare.said('s')}, curl with the lines ready",
        figure=f"{bare.over(ours).said('x')} its rate",
        goal="0.9 x at least",
    )
    spent = Spread(tuple(cpu))
    each = short(spent.median / count * 1e6)
    yield Row(what=f"{what}: CPU of the collector", measured=spent.said("s"), figure=f"{each} µs a point")


def _wait(path: Path, days: int) -> int:
    """Let hourly polls come, and what is derived of them, with nobody to take it; return how many points there are."""
    rule = Rule(rise=5.0, window_days=14)
    rules = Rules(organization=rule, groups=rule, interval=3600, links={})
    polls = Polls(50)
    now = 0
    with Journal(path, clock=lambda: now / 1000) as journal:
        derive = Derive(journal, rules, clock=lambda: now / 1000)
        for now in slots(24 * days):
            journal.append([*polls.organization(now), *polls.groups(now)])
            while derive.turn():
                pass
        return journal.summary().points


def _compressed(path: Path) -> Row:
    """Return the row of a batch's lines as they go to another machine."""
    with Journal(path) as journal:
        batch = journal.read(Cursor("lines", 1, 0), BATCH)
    lines = Encoder().encode(batch.columns)
    packing = Packing("http://influxdb.test:8086")
    cpu = []
    for _ in range(_TIMES):
        began = time.thread_time()
        body = packing.body(lines)
        cpu.append(time.thread_time() - began)
    spent = Spread(tuple(cpu)).times(1e6 / len(batch.columns))
    sent = len(body.packed or lines)
    return Row(
        what="a whole batch compressed, for a server on another machine: CPU",
        measured=f"{sent:,} bytes for {len(batch.columns):,} points",
        against=f"{len(lines):,} bytes of lines",
        figure=f"{spent.said('µs')} a point",
    )


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
