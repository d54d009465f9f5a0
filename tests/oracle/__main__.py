"""Soaks the whole process: kills and outages for some minutes, and then every point is asked for.

Is not a test of the suite (`system/test_oracle.py` is a short one). All of it happens on loopback, and stops by itself.

    python -m tests.oracle --minutes 10       from the project's root; `make soak` is the same
    python -m tests.oracle --seed 7           the plan of an earlier run
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

# As pytest has it: the servers and processes of the tests are found by their names.
sys.path.insert(0, str(Path(__file__).parents[1]))

from oracle.campaign import Campaign, Figures
from oracle.plan import Step, plan
from servers import INFLUXD

_MOST_MINUTES = 24 * 60
_TOLD_EACH = 30
_FAULTS_TOLD = 20


def main() -> int:
    """Print how it goes each half minute, and at its end all figures as JSON; return 1 for any loss or wrong point."""
    options = _options()
    if not Path(INFLUXD).exists():
        _say(f"NOT SOAKED for want of {INFLUXD}")
        return 1
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    _say(f"seed {options.seed}, {options.minutes:g} minutes, in {folder}")
    try:
        with Campaign(folder, options.seed) as campaign:
            figures = campaign.run(_until(options.minutes, plan(options.seed, kills=1)), _Telling().tell)
    except BaseException:
        _say(f"seed {options.seed} came to no end; see {folder}")
        raise
    faults, figures.faults = figures.faults, figures.faults[:_FAULTS_TOLD]
    sys.stdout.write(json.dumps(figures.as_dict(), indent=2) + "\n")
    if faults:
        (folder / "faults.txt").write_text("\n".join(faults) + "\n", encoding="utf-8")
        _say(f"seed {options.seed}: {len(faults)} faults; see {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.oracle", description="Kills, outages, and every point.")
    parser.add_argument("--minutes", type=float, default=10.0, help="for how long things go wrong (10)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000), help="repeats a plan")
    options = parser.parse_args()
    if not 0 < options.minutes <= _MOST_MINUTES:
        parser.error(f"--minutes: more than 0, and {_MOST_MINUTES} at the most")
    return options


def _until(minutes: float, steps: Iterator[Step]) -> Iterator[Step]:
    end = time.monotonic() + 60 * minutes
    while time.monotonic() < end:
        yield next(steps)


class _Telling:
    """Says one line each half minute."""

    def __init__(self) -> None:
        self._next = time.monotonic() + _TOLD_EACH

    def tell(self, figures: Figures) -> None:
        """Say how it goes, if it is time."""
        if time.monotonic() < self._next:
            return
        self._next += _TOLD_EACH
        _say(
            f"{figures.seconds:.0f} s: {figures.kills} kills, {sum(figures.outages.values())} outages,"
            f" {figures.slots} slots, {figures.sent} points taken, {figures.sent_again} sent again,"
            f" {figures.rss_kib // 1024} MiB, {figures.threads} threads, {figures.descriptors} descriptors,"
            f" journal {figures.journal_bytes // 1024} KiB"
        )


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
