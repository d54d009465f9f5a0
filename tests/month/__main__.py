"""Lives a month of hourly polls in a minute, and prints what it used as JSON; ends with 1 where something grows.

Is a process of its own, so that its figures are the service's alone (`month/figures.py` reads them). All of it
happens on loopback, and stops by itself.

    python -m tests.month --slots 720         from the project's root; `make month` has one arena, too
"""

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

# As pytest has it: the servers and processes of the tests are found by their names.
sys.path.insert(0, str(Path(__file__).parents[1]))

from month.gauge import LIMITS, grown, growth
from month.life import KEEP_DAYS, Month

from collector.log import configure

_LEAST, _MOST = 48, 100_000


def main() -> int:
    """Print all figures; return 1 where something grows."""
    parser = argparse.ArgumentParser(prog="python -m tests.month", description="A month of polls in a minute.")
    parser.add_argument("--slots", type=int, default=720, help="hours that are lived (720)")
    parser.add_argument("--keep-days", type=int, default=KEEP_DAYS, help=f"of the journal; 0 keeps all ({KEEP_DAYS})")
    options = parser.parse_args()
    if not _LEAST <= options.slots <= _MOST:
        parser.error(f"--slots: {_LEAST} at the least, and {_MOST} at the most")
    with tempfile.TemporaryDirectory(prefix="month-") as folder, (Path(folder) / "month.log").open("w") as log:
        configure("info", "json", log)
        figures = Month(Path(folder), options.slots, options.keep_days).live()
    found = [name for name in grown(figures.samples) if name != "journal" or options.keep_days]
    told = {**asdict(figures), "growth": growth(figures.samples), "limits": LIMITS, "grown": found}
    sys.stdout.write(json.dumps(told, indent=1) + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
