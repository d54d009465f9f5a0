"""What the collector costs, measured here and now and held against the least that the same work could cost.

And whom it tells of a rise, by histories that are labelled, held against what else one could page by. Is not a test: it
prints figures beside their goals, and ends well whatever they are. All of it happens on loopback.

    python -m tests.benchmarks               from the project's root, some minutes
    python -m tests.benchmarks --goals       at the sizes that the goals speak of, two hours
    python -m tests.benchmarks --part round  one part alone; each can be named, several times
    python -m tests.benchmarks --quick       some seconds, at sizes that say nothing
    python -m tests.benchmarks --even        the histories alone, by the seeds on which the rule is tuned
"""

import argparse
import os
import sys
from pathlib import Path

# As pytest has it: the servers and processes of the tests are found by their names.
sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import (
    capacity,
    commands,
    customers,
    delivering,
    deriving,
    journaling,
    keeping,
    later_rounds,
    memory,
    payload,
    scraping,
    telling,
    whole_round,
)
from benchmarks.running import Measurement, machine, run
from benchmarks.size import FULL, GOALS, QUICK
from benchmarks.table import rendered
from servers import INFLUXD

from collector import log
from collector.cli.garbage import search_seldom

MEASUREMENTS = (
    Measurement("journal", (), journaling.measure),
    Measurement("derive", (), deriving.measure),
    Measurement("answer", (), payload.measure),
    Measurement("settings", (), customers.measure),
    Measurement("delivery", (INFLUXD, "curl"), delivering.measure),
    Measurement("commands", (), commands.measure),
    Measurement("years", (), keeping.measure),
    Measurement("scrape", (), scraping.measure),
    Measurement("round", (INFLUXD,), whole_round.measure),
    Measurement("later", (INFLUXD,), later_rounds.measure),
    Measurement("memory", (INFLUXD,), memory.measure),
    Measurement("capacity", (INFLUXD,), capacity.measure),
)
HISTORIES = "histories"


def main() -> None:
    """Print the tables."""
    names = [*[measurement.name for measurement in MEASUREMENTS], HISTORIES]
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description="What the collector costs, and tells."
    )
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--quick", action="store_true", help="very small sizes: shows that it runs, and nothing else")
    sizes.add_argument("--goals", action="store_true", help="the sizes that the goals speak of: hours")
    parser.add_argument("--part", action="append", choices=names, help="this alone")
    parser.add_argument("--even", action="store_true", help="whom it tells, by the seeds to tune on, and no cost")
    options = parser.parse_args()
    size = QUICK if options.quick else GOALS if options.goals else FULL
    if options.even:
        sys.stdout.write(telling.table(size, even=True))
        return
    wanted = options.part or names
    os.environ["NO_PROXY"] = "localhost,127.0.0.1"  # loopback alone, whatever proxy the environment names
    search_seldom()  # as `run` and `once` do
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        # What the collector logs is a part of its cost; nobody reads it here.
        log.configure("info", "json", nowhere)
        rows = list(run([each for each in MEASUREMENTS if each.name in wanted], size))
    tables = [rendered(rows)] if rows else []
    if HISTORIES in wanted:
        tables.append(telling.table(size))
    sys.stdout.write("\n".join([f"{machine()}\n", *tables]))


if __name__ == "__main__":
    main()
