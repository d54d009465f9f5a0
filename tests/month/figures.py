"""A life of some hours, lived by `python -m tests.month`, as the figures that it prints."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from servers import INFLUXD, need

_ROOT = Path(__file__).parents[2]


def lived(slots: int, keep_days: int) -> dict[str, Any]:
    """Return what a life of so many hours was, and what grew in it."""
    need(INFLUXD)
    # What measures the coverage takes memory of its own, and so do the C library's arenas, one a thread.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("COV")}
    environment["MALLOC_ARENA_MAX"] = "1"
    command = [sys.executable, "-m", "tests.month", "--slots", str(slots), "--keep-days", str(keep_days)]
    done = subprocess.run(command, cwd=_ROOT, env=environment, capture_output=True, text=True, timeout=400, check=False)
    assert done.stdout, f"exit {done.returncode}\n{done.stderr}"
    figures: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (1 if figures["grown"] else 0), done.stderr
    return figures
