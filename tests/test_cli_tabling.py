"""`export` and `import` of a journal that takes its time, broken off by a signal; and what is left out, and said."""

import csv
import signal
from pathlib import Path

import pytest
from journals import HOUR, MIDNIGHT, every, flip, group, look, org, place
from system.blackbox import Process, collector, until, well
from test_cli_keeping import SETTINGS

from collector.journal import Journal
from collector.point import Point

MANY = 60_000


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Settings beside a journal of many points."""
    folder = tmp_path_factory.mktemp("large")
    with Journal(folder / "journal.db") as journal:
        journal.append([group(f"g{n % 50}", MIDNIGHT - n // 50 * HOUR, float(n % 100)) for n in range(MANY)])
    (folder / "collector.toml").write_text(SETTINGS)
    return folder / "collector.toml"


@pytest.fixture(scope="module")
def table(large: Path) -> Path:
    """All its points as a table."""
    well(collector("export", "--output", large.with_name("t.csv"), "--config", large))
    return large.with_name("t.csv")


@pytest.fixture(name="config")
def _config(tmp_path: Path) -> Path:
    """Settings beside an empty journal."""
    with Journal(tmp_path / "journal.db"):
        pass
    (tmp_path / "collector.toml").write_text(SETTINGS)
    return tmp_path / "collector.toml"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_export_that_is_broken_off_leaves_the_earlier_file(
    large: Path, tmp_path: Path, number: signal.Signals
) -> None:
    """Ctrl-C or SIGTERM in the middle: exit code 1, a word, and the table of the last time is whole."""
    earlier = b"measurement,time,tenant,rbacGroupName,rbacGroupId,field,value\r\n"
    (tmp_path / "t.csv").write_bytes(earlier)
    with Process("export", "--output", tmp_path / "t.csv", "--config", large) as command:
        until(lambda: [path for path in tmp_path.iterdir() if path.suffix == ".part"], what="the file in the making")
        assert command.end(number) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]
    assert (tmp_path / "t.csv").read_bytes() == earlier
    assert "t.csv was not made" in "".join(command.err)
    assert "Traceback" not in "".join(command.err)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_import_that_is_broken_off_is_taken_up_again(
    table: Path, config: Path, tmp_path: Path, number: signal.Signals
) -> None:
    """Some points are in, whole; a second call brings the others, and leaves those as they are."""
    journal = tmp_path / "journal.db"
    with Process("import", table, "--config", config) as command:
        until(lambda: look(journal, "SELECT count(*) FROM point")[0][0], seconds=60, what="the first transaction")
        assert command.end(number) == (-number if number == signal.SIGKILL else 1)
    if number != signal.SIGKILL:
        assert f" of {MANY:,} points are in; call it again for the others" in "".join(command.err)
    assert "Traceback" not in "".join(command.err)
    with Journal(journal) as half:
        there = len(every(half))
    assert 0 < there < MANY
    said = well(collector("import", table, "--config", config))
    assert f"{MANY - there:,} new, 0 changed, {there:,} there already" in said
    with Journal(journal) as one, Journal(table.with_name("journal.db"), readonly=True) as other:
        assert every(one) == every(other)


def test_what_is_damaged_is_left_out_of_an_export_and_said(config: Path, tmp_path: Path) -> None:
    """The others are written, and the exit code is 1."""
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        journal.append([group("a"), group("b"), org()])
    flip(path, place(path, 1))
    done = collector("export", "--config", config)
    assert done.returncode == 1
    assert "1 row of the journal can't be read any more, and are left out" in done.stderr
    assert [row[3] for row in csv.reader(done.stdout.splitlines())] == ["rbacGroupName", "b", "", ""]


def test_a_point_that_the_schema_does_not_have_is_left_out_and_said(config: Path, tmp_path: Path) -> None:
    """It could not be brought back as it is: the others are written, and the exit code is 1."""
    with Journal(tmp_path / "journal.db") as journal:
        journal.append([Point(group("a").series, MIDNIGHT, {"score": 5}), group("b")])
    done = collector("export", "--config", config)
    assert done.returncode == 1
    assert "error: 1 point left out, the first: exposure_score_by_group at 2023-11-14T00:00:00Z: not as" in done.stderr
    assert done.stdout.count("\n") == 2


def test_a_score_that_the_api_gave_outside_of_its_range_comes_back_when_asked_for(config: Path, tmp_path: Path) -> None:
    """Else it is a mistake with the option that takes it."""
    with Journal(tmp_path / "journal.db") as journal:
        journal.append([group("a", value=123.5)])
    well(collector("export", "--output", tmp_path / "t.csv", "--config", config))
    (tmp_path / "journal.db").unlink()
    done = collector("import", tmp_path / "t.csv", "--config", config)
    assert (done.returncode, "line 2: score: 123.5 is not from 0 to 100; --any-score" in done.stderr) == (1, True)
    well(collector("import", tmp_path / "t.csv", "--any-score", "--config", config))
    with Journal(tmp_path / "journal.db") as journal:
        assert every(journal) == [group("a", value=123.5)]
