"""`demo`, as a newcomer runs it."""

import os
import re
from pathlib import Path

import pytest
from system.blackbox import collector, document, well

LONGEST = 45
"""Lines: more than that is not read."""


def test_the_demo_shows_a_history_two_faults_and_no_hole(tmp_path: Path) -> None:
    """`demo` ends by itself with exit code 0, has missed no slot, and keeps its journal where it is told."""
    done = collector("demo", "--seconds", "12", "--folder", tmp_path, timeout=90)
    shown = well(done)
    assert "Its last 90 days" in shown
    assert re.search(r"[1-9]\d* polls were settled with \d+ tries: 0 failed, 0 were missed", shown), shown
    assert shown.count("Trouble: ") == 2
    assert re.search(r"^Look at it: http://127\.0\.0\.1:\d+/$", shown, re.MULTILINE)
    assert re.search(r"ok at try \d", shown)
    assert done.stderr == ""
    status = document(collector("status", "--config", tmp_path / "demo.toml", "--json"))
    assert status["journal"]["points"] > 17_000
    written = (tmp_path / "demo.toml").read_text()
    beside = {path.name for path in tmp_path.iterdir() if not path.name.startswith("journal.db")} - {"demo.toml"}
    assert beside
    assert all(name in written for name in beside), f"one file of settings, and what it names: {beside}"
    again = collector("demo", "--folder", tmp_path)
    assert again.returncode == 2
    assert os.fspath(tmp_path) in again.stderr

    proposed = re.search(r"^  (.*) trend --config (.*)$", shown, re.MULTILINE)
    assert proposed is not None
    assert Path(proposed[2]) == tmp_path / "demo.toml"
    trend = document(collector("trend", "--config", proposed[2], "--json"))
    best, worst = trend["groups"][-1], trend["groups"][0]
    groups = f"7 groups: {best['score']:.1f} {best['level']} (.*) to {worst['score']:.1f} {worst['level']} (.*)"
    assert re.search(groups, shown), shown


@pytest.mark.parametrize("name", ["collector.toml", "demo.toml"])
def test_settings_that_are_there_are_left_alone(name: str, tmp_path: Path) -> None:
    """A folder with settings, of `simulate` or of a demo before, is refused: they may have been added to."""
    (tmp_path / name).write_text("# Mine.")
    done = collector("demo", "--folder", tmp_path)
    assert done.returncode == 2
    assert f"--folder: {tmp_path} has settings already, {name}; name a new folder" in done.stderr
    assert [path.read_text() for path in tmp_path.iterdir()] == ["# Mine."]


def test_the_demo_is_read_in_a_pipe_and_leaves_nothing(tmp_path: Path) -> None:
    """Without a terminal there are no escape codes, no line over 80 columns, every event of the history, and an end."""
    done = collector("demo", "--seconds", "5", env={"TMPDIR": str(tmp_path)}, timeout=90)
    lines = well(done).splitlines()
    assert len(lines) <= LONGEST
    assert "\x1b" not in done.stdout
    typed = {line for line in lines if "--folder FOLDER" in line}
    assert len(typed) == 1
    assert max(map(len, set(lines) - typed)) <= 80
    for kind in ("spike", "model change", "appeared", "vanished", "renamed", "made anew", "id missing"):
        assert re.search(rf"^  \d\d-\d\d  {kind} ", done.stdout, re.MULTILINE), kind
    assert list(tmp_path.iterdir()) == []
