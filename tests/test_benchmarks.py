"""The benchmark runs, and prints what it should. Is no claim about any figure: those are read by people."""

import itertools
import math
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.figures import Spread, interleaved, short
from benchmarks.running import NOT_MEASURED, Measurement, run
from benchmarks.size import QUICK, Size
from benchmarks.table import Row
from servers import INFLUXD, need
from system.blackbox import environment

ROOT = Path(__file__).parents[1]
WAITED = "catching up after 2 days without InfluxDB, what was derived included"
DELIVERED = {
    "6,042 points from the journal to InfluxDB": "0.9 x at least",
    "6,042 points from the journal to InfluxDB: CPU of the collector": "-",
    f"{WAITED}": "0.9 x at least",
    f"{WAITED}: CPU of the collector": "-",
    "a whole batch compressed, for a server on another machine: CPU": "-",
}
CAPACITY = (
    *("settings, a file each: CPU", "start of run, until it polls"),
    *(f"{nth} slot, to the last of 6 polls" for nth in ("first", "second")),
    *(f"{nth} slot: CPU, all of it derived from and delivered" for nth in ("first", "second")),
    *("resident memory after them", "open files at the most", "a scrape", "status", "the journal after it", "a reload"),
    "series in InfluxDB",
)
ROWS = {
    "journal.append, 5 polls of 200 groups: CPU": "-",
    "journal.append, 5 polls of 200 groups: wall": "-",
    "32 polls of 200 groups, 32 at a time: to the last that is safe": "-",
    "201 names in the journal, first append: CPU": "-",
    "201 names in the journal, append after another process's: CPU": "-",
    "201 names in the journal: memory": "-",
    "journal on disk, 2 days of 50 groups, hourly": "70 at most",
    "deriving, 25 hourly polls of 10 groups: CPU": "60 µs at most",
    "deriving from 10 groups after a note by another process: CPU": "-",
    "500 groups to points, a tenant's first answer: CPU": "4 x at most",
    "500 groups to points, every later answer: CPU": "4 x at most",
    "settings of 3 tenants, a file each: CPU": "0.5 s at most",
    "the same, taken up by a reload: CPU": "0.5 s at most",
    **DELIVERED,
    "exposure-collector --help": "0.25 s at most",
    "exposure-collector status, 530 points": "0.4 s more at most",
    "exposure-collector trend, 2 days of 50 groups, 2,544 points": "0.3 s more at most",
    "the score card, 2 days of 50 groups": "0.3 s more at most",
    "trend of 30 days, 4 days of 50 groups kept: CPU": "1.1 x at most",
    "trend of all of it, 4 days of 50 groups kept: CPU": "1.1 x at most",
    "the score card of 30 days, 4 days of 50 groups kept: CPU": "1.1 x at most",
    "the score card of all of it, 4 days of 50 groups kept: CPU": "2 x at most",
    "status, 1,007 points: CPU": "0.1 s more at most",
    "a scrape, 3 tenants x 200 groups: CPU": "3 x at most",
    "start of run to the first point safe, 3 exchanges": "1.0 s more at most",
    "round of 2 tenants x 2 groups, answers in 50 ms: first request to last point in InfluxDB": "1.25 x at most",
    "round of 2 tenants x 2 groups, answers in 50 ms: CPU of bare httpx": "-",
    "round of 2 tenants x 2 groups, answers in 50 ms: CPU of once, raw points": "40 µs at most",
    "round of 2 tenants x 2 groups, answers in 50 ms: CPU of once, derived ones too": "60 µs at most",
    "later round of 2 tenants x 2 groups in run: CPU, raw points": "40 µs at most",
    "later round of 2 tenants x 2 groups in run: CPU, derived ones too": "60 µs at most",
    "resident memory of run, 1 x 2 groups, after 3 rounds": "90 MiB at most",
    "resident memory of run, 2 x 2 groups, after 2 rounds": "250 MiB at most",
    **{f"3 tenants x 2 groups: {what}": "-" for what in CAPACITY},
}
"""What each row is called at the smallest size, and its goal."""
JUDGES = ("the rule", "change in 24 h", "mean + 3 deviations")
KINDS = (
    *("step", "step after step", "step again", "decay", "gaps", "quantized", "all with a step"),
    *("ramp", "dip", "walk", "noise", "toggle", "broken", "flat", "all without a step"),
)


def test_the_benchmark_prints_every_row_with_a_figure() -> None:
    """One command prints the machine and two tables.

    In the one stands, for whatever is measured, a figure that is finite, and its goal; in the other, for each kind of
    history and each way to page, whom it told.
    """
    need(INFLUXD)
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", "--quick"],
        cwd=ROOT,
        env=environment(measured=False),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    missing = shutil.which("curl") is None
    assert (f"{NOT_MEASURED} for want of curl: delivery" in done.stderr) == missing
    first, second, third = done.stdout.split("\n\n")
    machine, (head, _, *lines) = first, second.splitlines()
    assert re.fullmatch(r"\d+ cores, Python 3\.\S+, SQLite 3\.\S+", machine)
    assert cells(head) == ["what", "measured", "held against", "ratio or figure", "goal"]
    rows = [cells(line) for line in lines]
    assert {what: goal for what, *_, goal in rows} == {
        what: goal for what, goal in ROWS.items() if not (missing and what in DELIVERED)
    }
    for what, measured, _, figure, _ in rows:
        assert math.isfinite(number(figure)), what
        assert 0 < number(measured) < math.inf, what
    head, _, *lines = third.splitlines()
    assert cells(head)[:3] == ["histories", "paged by", "due"]
    told = [cells(line) for line in lines]
    assert {(kind, judge) for kind, judge, *_ in told} == {(kind, judge) for kind in KINDS for judge in JUDGES}
    assert {kind: goal for kind, *_, goal in told if goal != "-"} == {
        "all with a step": "0.98 at the first sample at least",
        "all without a step": "0.3 false a year at most",
    }


def test_what_misses_a_program_is_left_out_and_named(capsys: pytest.CaptureFixture[str]) -> None:
    """Where a program is missing its rows are left out, a line on stderr says so, and the rest is measured."""

    def measure(size: Size, folder: Path) -> Iterator[Row]:
        assert size is QUICK
        assert folder.is_dir()
        yield Row(what="a thing", measured="1 s", figure="1 x")

    rows = list(
        run([Measurement("first", ["sh", "no-such-program"], measure), Measurement("second", [], measure)], QUICK)
    )
    assert [row.what for row in rows] == ["a thing"]
    assert capsys.readouterr().err == f"{NOT_MEASURED} for want of no-such-program: first\nmeasuring: second\n"


def test_what_is_compared_runs_in_turns() -> None:
    """Repetitions go A B A B, and each ratio is of two that ran side by side."""
    clock = itertools.count(1)
    ours, theirs = interleaved(3, lambda: float(next(clock)), lambda: float(next(clock)))
    assert (ours.values, theirs.values) == ((1.0, 3.0, 5.0), (2.0, 4.0, 6.0))
    assert ours.over(theirs).values == (1 / 2, 3 / 4, 5 / 6)
    assert ours.over(theirs).said("x") == "0.750 x (0.500 to 0.833)"
    assert theirs.beyond(ours).said("s", signed=True) == "+1.00 s (1.00 to 1.00)"


@pytest.mark.parametrize("values", [(), (1.0, math.nan), (math.inf,)])
def test_what_is_not_finite_is_no_figure(values: tuple[float, ...]) -> None:
    """Nothing measured, and nothing that could be a figure, ends the benchmark."""
    with pytest.raises(ValueError, match="finite"):
        Spread(values)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.00123456, "0.00123"), (1.0, "1.00"), (54.53, "54.5"), (123456.7, "123,457"), (-0.25, "-0.250")],
)
def test_a_figure_has_three_digits_that_count(value: float, text: str) -> None:
    """Figures are read at a glance: three digits, more only before the point, and no exponent."""
    assert short(value) == text


def cells(line: str) -> list[str]:
    """Return the cells of a line of the table."""
    return [cell.strip() for cell in line.strip("|").split("|")]


def number(text: str) -> float:
    """Return the number with which a text begins."""
    return float(text.split(maxsplit=1)[0].replace(",", ""))
