"""What it costs to read the settings of many tenants, a file each, and to take changed ones up. Polls nobody."""

import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import interleaved, short
from benchmarks.size import Size
from benchmarks.table import Row

from collector.journal import Journal
from collector.service.engine import Engine
from collector.service.reload import change
from collector.settings import Settings, load

_SHARED = """
tenants_dir = "customers"
[tenant_defaults]
client_id = "22222222-2222-2222-2222-222222222222"
credential = { kind = "certificate", certificate_file = "partner.pem" }
"""


def measure(size: Size, folder: Path) -> Iterator[Row]:
    """Yield a row for reading the settings, and one for taking them up when each tenth tenant has changed."""
    files = _write(folder, size.customers)
    config = folder / "collector.toml"
    with Journal(folder / "customers.db") as journal:
        settings = load(config, {})
        names = list(settings.tenants)
        engine = Engine(settings, journal, name="host-1", tenants=names, delivered=lambda _: None)
        bare, reading, taking = interleaved(
            size.times,
            lambda: _parse(files),
            lambda: _load(config, size.customers),
            lambda: _reload(engine, files, config),
        )
        engine.stop(0)
    against = f"{bare.said('s')}, tomllib.loads of the files"
    goals = (
        (f"settings of {size.customers:,} tenants, a file each", reading),
        ("the same, taken up by a reload", taking),
    )
    for what, spread in goals:
        yield Row(
            what=f"{what}: CPU",
            measured=spread.said("s"),
            against=against,
            figure=f"{short(spread.median)} s",
            goal="0.5 s at most",
        )


def _write(folder: Path, count: int) -> list[Path]:
    (folder / "customers").mkdir()
    (folder / "collector.toml").write_text(_SHARED, encoding="utf-8")
    files = [folder / "customers" / f"customer-{number:05}.toml" for number in range(count)]
    for number, file in enumerate(files):
        file.write_text(f'tenant_id = "{number:08}-1111-1111-1111-111111111111"\n', encoding="utf-8")
    return files


def _parse(files: list[Path]) -> float:
    began = time.process_time()
    for file in files:
        tomllib.loads(file.read_text(encoding="utf-8"))
    return time.process_time() - began


def _load(config: Path, count: int) -> float:
    began = time.process_time()
    settings: Settings = load(config, {})
    seconds = time.process_time() - began
    if len(settings.tenants) != count:
        raise RuntimeError(f"{len(settings.tenants)} tenants, not {count}")
    return seconds


def _reload(engine: Engine, files: list[Path], config: Path) -> float:
    """Return the seconds from the signal to the sources that are polled next."""
    changed = files[:: max(1, min(10, len(files)))]
    for file in changed:
        before = file.read_text(encoding="utf-8")
        other = (
            before.replace("-1111-", "-3333-", 1)
            if "-1111-1111-1111-" in before
            else before.replace("-3333-", "-1111-")
        )
        file.write_text(other, encoding="utf-8")
    began = time.process_time()
    made = change(engine.settings, load(config, {}))
    engine.turn_to(made.settings, engine.sources_of(made.settings), made.changed, "changed")
    seconds = time.process_time() - began
    if len(made.changed) != len(changed):
        raise RuntimeError(f"{len(made.changed)} tenants have changed, not {len(changed)}")
    return seconds
