"""What the collector costs, measured here and now and held against the least that the same work could cost.

Is not a test: it prints figures beside their goals, and ends well whatever they are. All of it happens on loopback.

    python -m tests.benchmarks           from the project's root, under two minutes
    python -m tests.benchmarks --quick   some seconds, at sizes that say nothing
"""

import argparse
import os
import sys
from pathlib import Path

# As pytest has it: the servers and processes of the tests are found by their names.
sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import commands, delivering, journaling, payload, whole_round
from benchmarks.running import Measurement, machine, run
from benchmarks.size import FULL, QUICK
from benchmarks.table import rendered
from servers import INFLUXD

from collector import log

MEASUREMENTS = (
    Measurement("the journal", (), journaling.measure),
    Measurement("an answer to points", (), payload.measure),
    Measurement("delivery", (INFLUXD, "curl"), delivering.measure),
    Measurement("commands", (), commands.measure),
    Measurement("a whole round", (INFLUXD,), whole_round.measure),
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="What the collector costs.")
    parser.add_argument("--quick", action="store_true", help="very small sizes: shows that it runs, and nothing else")
    size = QUICK if parser.parse_args().quick else FULL
    os.environ["NO_PROXY"] = "localhost,127.0.0.1"  # loopback alone, whatever proxy the environment names
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        # What the collector logs is a part of its cost; nobody reads it here.
        log.configure("info", "json", nowhere)
        rows = list(run(MEASUREMENTS, size))
    sys.stdout.write(f"{machine()}\n\n{rendered(rows)}")


if __name__ == "__main__":
    main()
