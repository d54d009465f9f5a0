"""What the collector costs, measured here and now and held against the least that the same work could cost.

And whom it tells of a rise, by histories that are labelled, held against what else one could page by. Is not a test: it
prints figures beside their goals, and ends well whatever they are. All of it happens on loopback.

    python -m tests.benchmarks           from the project's root, some minutes
    python -m tests.benchmarks --quick   some seconds, at sizes that say nothing
    python -m tests.benchmarks --round   the round alone, of 1,000 tenants x 200 groups: some minutes
    python -m tests.benchmarks --years N holds views of N years against those of one; ten take two minutes more
    python -m tests.benchmarks --even    the histories alone, by the seeds on which the rule is tuned
"""

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

# As pytest has it: the servers and processes of the tests are found by their names.
sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import (
    commands,
    customers,
    delivering,
    deriving,
    journaling,
    keeping,
    payload,
    scraping,
    telling,
    whole_round,
)
from benchmarks.running import Measurement, machine, run
from benchmarks.size import FULL, QUICK
from benchmarks.table import rendered
from servers import INFLUXD

from collector import log
from collector.cli.garbage import search_seldom

MEASUREMENTS = (
    Measurement("the journal", (), journaling.measure),
    Measurement("deriving", (), deriving.measure),
    Measurement("an answer to points", (), payload.measure),
    Measurement("settings", (), customers.measure),
    Measurement("delivery", (INFLUXD, "curl"), delivering.measure),
    Measurement("commands", (), commands.measure),
    Measurement("years that are kept", (), keeping.measure),
    Measurement("a scrape", (), scraping.measure),
    Measurement("a whole round", (INFLUXD,), whole_round.measure),
)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description="What the collector costs, and tells."
    )
    parser.add_argument("--quick", action="store_true", help="very small sizes: shows that it runs, and nothing else")
    parser.add_argument("--even", action="store_true", help="whom it tells, by the seeds to tune on, and no cost")
    parser.add_argument("--round", action="store_true", help="a round of 1,000 tenants of 200 groups, and no more")
    parser.add_argument("--years", type=int, default=FULL.kept_times, help="of history whose views are measured")
    options = parser.parse_args()
    size = QUICK if options.quick else replace(FULL, kept_times=options.years)
    if options.even:
        sys.stdout.write(telling.table(size, even=True))
        return
    os.environ["NO_PROXY"] = "localhost,127.0.0.1"  # loopback alone, whatever proxy the environment names
    search_seldom()  # as `run` and `once` do
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        # What the collector logs is a part of its cost; nobody reads it here.
        log.configure("info", "json", nowhere)
        if options.round:
            whole = replace(size, tenants=1_000, groups=200, latency=0.2)
            sys.stdout.write(f"{machine()}\n\n{rendered(list(run(MEASUREMENTS[-1:], whole)))}")
            return
        rows = list(run(MEASUREMENTS, size))
    sys.stdout.write(f"{machine()}\n\n{rendered(rows)}\n{telling.table(size)}")


if __name__ == "__main__":
    main()
