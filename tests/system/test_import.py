"""`import`, of the file that people kept in a spreadsheet, and of tables with mistakes; beside a service, and alone."""

import io
import os
import stat
import subprocess
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from servers import Influxd
from system.blackbox import (
    COMMAND,
    Process,
    Simulated,
    collector,
    document,
    environment,
    poll,
    settings,
    until,
    v1,
    well,
)

PLAIN = "time,score,rbacGroupName\n2026-01-01,41.5,\n2026-01-02 06:00,42,\n2026-01-01,12.5,Finance\n"
WRONG = "time;score;rbacGroupName\r\n2026-01-01;41,5;\r\n01.02.2026;42;\r\n2026-01-03;n/a;Finance\r\n2026-01-04;43;\r\n"
TABLE = "measurement,time,tenant,rbacGroupName,rbacGroupId,field,value\n"
GROUP = "exposure_score_by_group,2026-01-01T00:00:00Z,{},Finance,7,score,{}\n"


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    """Two tenants of two groups each."""
    with Simulated(tmp_path_factory.mktemp("simulated"), "--tenants", "2", "--groups", "2") as simulated:
        yield simulated


@pytest.fixture(name="config")
def _config(simulated: Simulated, tmp_path: Path) -> Path:
    """Settings of the two, whose journal isn't there yet."""
    return settings(tmp_path, simulated)


def written(folder: Path, text: str | bytes) -> Path:
    """Return a file of that content."""
    file = folder / "file.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def table(config: Path) -> list[str]:
    """Return the lines of what the journal holds, below the first."""
    return well(collector("export", "--config", config)).splitlines()[1:]


def counts(file: Path, config: Path, *options: str) -> tuple[int, int, int]:
    """Return what an import counts as new, changed and the same."""
    done = collector("import", file, *options, "--config", config, "--json")
    well(done)
    found = document(done)
    assert (found["ok"], found["wrong"], found["errors"]) == (True, 0, [])
    return found["new"], found["changed"], found["same"]


def test_a_spreadsheet_becomes_the_history_of_a_new_journal(simulated: Simulated, config: Path, tmp_path: Path) -> None:
    """Each line is a score; a second import changes nothing, a corrected one changes what was corrected."""
    tenant, _ = simulated.tenants
    file = written(tmp_path, PLAIN)
    assert counts(file, config, "--tenant", tenant) == (3, 0, 0)
    assert stat.S_IMODE((tmp_path / "journal.db").stat().st_mode) == 0o600
    assert [line for line in table(config) if ",score," in line] == [
        f"exposure_score,2026-01-01T00:00:00Z,{tenant},,,score,41.5",
        f"exposure_score,2026-01-02T06:00:00Z,{tenant},,,score,42.0",
        f"exposure_score_by_group,2026-01-01T00:00:00Z,{tenant},Finance,none,score,12.5",
    ]
    before = (tmp_path / "journal.db").read_bytes()
    assert counts(file, config, "--tenant", tenant) == (0, 0, 3)
    assert (tmp_path / "journal.db").read_bytes() == before
    corrected = written(tmp_path, PLAIN.replace("42", "43"))
    said = well(collector("import", corrected, "--tenant", tenant, "--dry-run", "--config", config))
    assert "would be: 0 new, 1 changed, 2 there already; nothing was imported" in said
    assert f"would change: exposure_score of {tenant} at 2026-01-02T06:00:00Z: score 42.0 to 43.0" in said
    assert (tmp_path / "journal.db").read_bytes() == before
    assert counts(corrected, config, "--tenant", tenant) == (0, 1, 2)
    trend = document(collector("trend", "--tenant", tenant, "--config", config, "--json"))
    assert (trend["score"], trend["groups"][0]["score"]) == (43.0, 12.5)


def test_a_dry_run_begins_no_journal(simulated: Simulated, config: Path, tmp_path: Path) -> None:
    """All of the file would be new, and nothing is made."""
    before = sorted(path.name for path in tmp_path.iterdir())
    assert counts(written(tmp_path, PLAIN), config, "--tenant", simulated.tenants[0], "--dry-run") == (3, 0, 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*before, "file.csv"])


def test_nothing_is_imported_from_a_file_that_is_wrong_in_part_unless_told(
    simulated: Simulated, config: Path, tmp_path: Path
) -> None:
    """Each mistake by its line, with exit code 1; with --partial what is right is imported, and the rest is told."""
    tenant, _ = simulated.tenants
    file = written(tmp_path, WRONG)
    done = collector("import", file, "--tenant", tenant, "--config", config)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"error: {file}: line 3: time: '01.02.2026' is no time: a time is 2026-03-01T06:00:00Z" in done.stderr
    assert f"error: {file}: line 4: score: 'n/a' is no number: a number is 41.5 or 41,5" in done.stderr
    assert "2 mistakes; nothing was imported (--partial takes what is right)" in done.stderr
    assert not (tmp_path / "journal.db").exists()
    done = collector("import", file, "--tenant", tenant, "--partial", "--config", config, "--json")
    assert done.returncode == 1
    found = document(done)
    assert {key: found[key] for key in ("points", "new", "wrong", "imported", "ok")} == {
        "points": 2, "new": 2, "wrong": 2, "imported": True, "ok": False,
    }  # fmt: skip
    assert [error["line"] for error in found["errors"]] == [3, 4]
    assert "2 points without a mistake are imported" in done.stderr
    assert [line.rpartition(",")[2] for line in table(config) if ",score," in line] == ["41.5", "43.0"]


def test_what_is_new_to_the_journal_is_named(simulated: Simulated, config: Path, tmp_path: Path) -> None:
    """Before and after a file is in: a typing error would be a group for ever."""
    tenant, _ = simulated.tenants
    first = ("import", written(tmp_path, PLAIN), "--tenant", tenant, "--config", config)
    for options in (("--dry-run",), ()):
        said = well(collector(*first, *options))
        assert f"\n  new to the journal: 1 tenant: {tenant}\n  new to the journal: 1 device group: Finance\n" in said
    names = ["Finnance", *(f"Hall {n:02}" for n in range(12))]
    lines = "".join(f"2026-01-05,5,{name}\n" for name in (*names, "Finance"))
    second = ("import", written(tmp_path, f"time,score,rbacGroupName\n{lines}"), *first[2:])
    shown = f"new to the journal: 13 device groups: {', '.join(names[:10])}, and 3 more\n"
    assert shown in well(collector(*second, "--dry-run"))
    found = document(collector(*second, "--json"))
    assert found["new_tenants"] == []
    assert [each["rbacGroupName"] for each in found["new_groups"]] == names
    assert "new to the journal" not in well(collector(*second))


def test_of_lines_that_contradict_each_other_none_is_taken(simulated: Simulated, config: Path, tmp_path: Path) -> None:
    """--partial takes what is right, and which of two that is it can't know: both are told, and neither is in."""
    file = written(tmp_path, "time,score\n2026-01-01,41\n2026-01-02,42\n2026-01-01,43\n")
    done = collector("import", file, "--tenant", simulated.tenants[0], "--partial", "--config", config, "--json")
    found = document(done)
    assert (done.returncode, found["points"], found["new"], found["wrong"]) == (1, 1, 1, 2)
    assert found["oldest"] == "2026-01-02T00:00:00Z"
    assert [(each["line"], each["message"]) for each in found["errors"]] == [
        (2, "score: 41.0, and line 4 has 43.0 for the same time: leave the right one"),
        (4, "score: 43.0, and line 2 has 41.0 for the same time: leave the right one"),
    ]
    assert [line.rpartition(",")[2] for line in table(config) if ",score," in line] == ["42.0"]


def test_many_mistakes_are_counted_and_the_first_are_told(simulated: Simulated, config: Path, tmp_path: Path) -> None:
    """Twenty lines of them, and how many more there are."""
    file = written(tmp_path, "time,score\n" + "2026-01-01,x\n" * 1000)
    done = collector("import", file, "--tenant", simulated.tenants[0], "--config", config)
    assert done.returncode == 1
    assert done.stderr.count(": line ") == 20
    assert "and 980 mistakes more" in done.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (b"time,score\n", "no point is in it"),
        (b"date,value\n2026-01-01,5\n", "not the names of a table of points: the first line is `measurement,time"),
        (PLAIN.encode("utf-16"), 'UTF-16, or no text at all: save it as "CSV UTF-8"'),
        (b"time,score,rbacGroupName\n2026-01-01,5,B\xfcro\n", "line 2: 'B\ufffdro' is not UTF-8"),
        (b"workbook", "a workbook"),
    ],
)
def test_what_is_no_table_is_told_what_would_be_one(
    simulated: Simulated, config: Path, tmp_path: Path, content: bytes, said: str
) -> None:
    """With exit code 1, and no journal is begun for it."""
    if content == b"workbook":
        book = io.BytesIO()
        with zipfile.ZipFile(book, "w") as file:
            file.writestr("xl/workbook.xml", "")
        content = book.getvalue()
    done = collector("import", written(tmp_path, content), "--tenant", simulated.tenants[0], "--config", config)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert not (tmp_path / "journal.db").exists()


def test_a_wrong_command_line_is_exit_code_2(simulated: Simulated, config: Path, tmp_path: Path) -> None:
    """A file that isn't there, a folder, a plain file of no tenant or of one that nobody knows."""
    file = written(tmp_path, PLAIN)
    one, other = simulated.tenants
    for options, said in (
        ((tmp_path / "none.csv",), "there is no such file"),
        ((tmp_path,), "is a folder"),
        ((file,), f"of which tenant is this file? The settings have {one}; {other}"),
        ((file, "--tenant", f"{other}x"), f"neither the settings nor the journal have it; they have {other}; {one}"),
    ):
        done = collector("import", *options, "--config", config)
        assert (done.returncode, said in done.stderr, "Traceback" in done.stderr) == (2, True, False), done.stderr


def test_a_former_tenant_comes_back_and_one_can_be_taken_alone(
    simulated: Simulated, config: Path, tmp_path: Path
) -> None:
    """A table names its tenants: one that isn't in the settings is imported with a warning, --tenant takes one."""
    one, other = simulated.tenants
    file = written(tmp_path, TABLE + GROUP.format(one, 5) + GROUP.format("former", 6) + GROUP.format(other, "x"))
    done = collector("import", file, "--tenant", one, "--config", config)
    assert " 1 new" in well(done)
    assert done.stderr == ""
    done = collector("import", file, "--tenant", "former", "--config", config)
    well(done)
    assert "warning: not in the settings, and kept as history: former" in done.stderr
    assert [line.split(",")[2] for line in table(config)] == [one, "former"]
    done = collector("import", file, "--tenant", "nobody", "--config", config)
    assert done.returncode == 1
    assert f"no point of nobody is in it; it has {', '.join(sorted(['former', one, other]))}" in done.stderr


def test_a_file_comes_through_a_pipe(simulated: Simulated, config: Path, tmp_path: Path) -> None:
    """By stdin or by a name, it is read twice all the same: what is wrong in its last line keeps the first out."""
    tenant, _ = simulated.tenants
    os.mkfifo(tmp_path / "pipe")
    options = ("--tenant", tenant, "--config", str(config))
    for text, code in ((PLAIN + "soon,5,\n", 1), (PLAIN, 0)):
        with Process("import", tmp_path / "pipe", *options) as command:
            (tmp_path / "pipe").write_text(text, encoding="utf-8")
            until(partial(_ended, command), what="its end")
            assert command.exit_code == code
        assert (tmp_path / "journal.db").exists() == (not code)
    assert len(table(config)) == 5
    done = subprocess.run(
        [*COMMAND, "import", "-", *options], input=PLAIN, env=environment(), capture_output=True, text=True, check=True
    )
    assert "-: 3 points" in done.stdout
    assert "3 there already" in done.stdout


def _ended(command: Process) -> bool:
    return command.exit_code is not None


def test_points_that_will_be_pruned_are_warned_of(simulated: Simulated, tmp_path: Path) -> None:
    """Older than `keep_days`: the service would delete them once every sink has them."""
    config = settings(tmp_path, simulated, "[journal]\nkeep_days = 7\n")
    done = collector("import", written(tmp_path, PLAIN), "--tenant", simulated.tenants[0], "--config", config)
    well(done)
    assert "older than journal.keep_days = 7" in done.stderr


def test_a_running_service_delivers_what_is_imported(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """Within seconds, once; what is imported again is not sent again, and no slot is missed meanwhile."""
    tenant, _ = simulated.tenants
    config = settings(tmp_path, simulated, poll(1), v1("main", influxd.url, database))

    def scores() -> list[float]:
        return [
            row["score"] for row in influxd.points("exposure_score", database, tenant=tenant) if row["time"] < 1_768e9
        ]

    with Process("run", "--config", config) as service:
        until(lambda: len(service.said("points.delivered")) >= 2, what="deliveries")
        file = written(tmp_path, PLAIN)
        assert counts(file, config, "--tenant", tenant) == (3, 0, 0)
        until(lambda: len(scores()) == 2, what="the imported scores in InfluxDB")
        assert counts(file, config, "--tenant", tenant) == (0, 0, 3)
        assert counts(written(tmp_path, PLAIN.replace("42", "43")), config, "--tenant", tenant) == (0, 1, 2)
        until(lambda: scores() == [41.5, 43.0], what="the corrected score in InfluxDB")
        assert service.end() == 0
        assert not [line for line in service.err if '"error"' in line]
    times = [row["time"] for row in influxd.points("exposure_score", database, tenant=tenant)][2:]
    assert times == list(range(times[0], times[-1] + 1, 1000)), "no slot was missed"
