"""Runs what can be measured here, one thing after the other, and says aloud what can't be for want of a program."""

import os
import platform
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.size import Size
from benchmarks.table import Row

NOT_MEASURED = "NOT MEASURED"


@dataclass(frozen=True, slots=True)
class Measurement:
    """What yields some rows, at a size and in a folder that it may write to, and the `programs` that it needs."""

    name: str
    programs: Sequence[str]
    measure: Callable[[Size, Path], Iterable[Row]]


def run(measurements: Sequence[Measurement], size: Size) -> Iterator[Row]:
    """Yield the rows of each measurement; of one that misses a program, a loud line on stderr instead."""
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        for measurement in measurements:
            missing = [program for program in measurement.programs if shutil.which(program) is None]
            if missing:
                _say(f"{NOT_MEASURED} for want of {', '.join(missing)}: {measurement.name}")
                continue
            _say(f"measuring: {measurement.name}")
            yield from measurement.measure(size, Path(folder))


def machine() -> str:
    """Return what every figure depends on."""
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
