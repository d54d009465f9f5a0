"""A simulated tenant in a process of its own, on the clock that its parent moves: a line with seconds is a step ahead.

Every line is answered with one once the clock has moved; the end of the input is its end.
"""

import sys
from pathlib import Path

import time_machine

from collector.simulator import Simulator


def main(folder: Path, start: float, groups: int) -> None:
    """Serve one tenant until the input ends."""
    with (
        time_machine.travel(start) as clock,
        Simulator(folder=folder, groups=groups) as simulated,
    ):
        _say(simulated.url)
        for line in sys.stdin:
            clock.shift(float(line))
            _say("moved")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
