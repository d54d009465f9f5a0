"""`export`, and that `import` brings back what it wrote: files, journals and databases are compared."""

import csv
import io
import os
import re
import stat
from pathlib import Path

import pytest
from servers import Influxd
from system.blackbox import collector, v1, well

HEADER = "measurement,time,tenant,rbacGroupName,rbacGroupId,field,value"
NOTE = "exposure_annotation,2026-01-01T00:00:00Z,contoso,(all),,"
NASTY = (
    f"{HEADER}\r\n"
    f"{NOTE}tag:kind,break\r\n{NOTE}tag:id,a1\r\n"
    f'{NOTE}title,"=HYPERLINK(""http://x"")"\r\n{NOTE}text,"two\r\nlines, a comma; ""quotes"""\r\n{NOTE}withdrawn,0\r\n'
    f"{NOTE}tag:kind,note\r\n{NOTE}tag:id,-2\r\n"
    f"{NOTE}title,''+1\r\n{NOTE}text,\r\n{NOTE}withdrawn,1\r\n"
    "exposure_score_by_group,2026-01-01T00:00:00Z,contoso,@Büro,7,score,5.0\r\n"
    "exposure_score_by_group,2026-01-01T00:00:00.25Z,contoso,+49,none,score,1e-07\r\n"
    "device_secure_score,2026-01-01T00:00:00Z,contoso,,,score,812.25\r\n"
    "exposure_score_by_group,2026-01-02T00:00:00Z,fabrikam,Finance,1,score,7.0\r\n"
    + "".join(
        f"exposure_score_daily,2026-01-01T00:00:00Z,contoso,,,{field}\r\n"
        for field in ("min,-5.0", "mean,5.5", "max,6.0", "last,6.0", "samples,24")
    )
)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Settings of a demo, with 90 days of history, and polls of some seconds."""
    folder = tmp_path_factory.mktemp("demo") / "demo"
    well(collector("demo", "--seconds", "6", "--folder", folder, timeout=90))
    return folder / "demo.toml"


@pytest.fixture(name="empty")
def _empty(demo: Path, tmp_path: Path) -> Path:
    """Settings of the same tenant, whose journal isn't there yet."""
    text = demo.read_text(encoding="utf-8")
    for file in demo.parent.iterdir():
        text = text.replace(f'"{file.name}"', f'"{file}"')
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "collector.toml").write_text(text, encoding="utf-8")
    return tmp_path / "empty" / "collector.toml"


def exported(config: Path, *options: str) -> bytes:
    """Return what `export` writes to a file; it says so, and nothing else."""
    file = config.parent / "exported.csv"
    said = well(collector("export", "--output", file, *options, "--config", config))
    assert re.fullmatch(rf"{re.escape(str(file))}: [\d,]+ points? in [\d,]+ lines?\n", said)
    assert [path for path in config.parent.iterdir() if path.suffix == ".part"] == []
    return file.read_bytes()


def rows(content: bytes) -> list[dict[str, str]]:
    """Return the lines of a table."""
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def stored(influxd: Influxd, database: str) -> dict[str, list[dict[str, object]]]:
    """Return all that a database has: points, tags, and the type of each field."""
    names = [row["name"] for row in influxd.query("SHOW MEASUREMENTS", database)]
    types = {name: influxd.query(f'SHOW FIELD KEYS FROM "{name}"', database) for name in names}
    return {name: influxd.query(f'SELECT * FROM "{name}"', database) + types[name] for name in names}  # noqa: S608


def test_a_history_goes_out_and_comes_back_the_same_also_in_influxdb(
    demo: Path, empty: Path, tmp_path: Path, influxd: Influxd
) -> None:
    """The journal that was imported exports the same bytes, and fills a database with the same points and types."""
    table = exported(demo)
    assert table.startswith(f"{HEADER}\r\n".encode())
    names = {row["measurement"] for row in rows(table)}
    assert names >= {"exposure_score", "exposure_score_by_group", "collector_poll"}
    assert not [name for name in names if "trend" in name or "spike" in name or "daily" in name], "what is derived"
    (tmp_path / "table.csv").write_bytes(table)
    assert " 0 changed, 0 there already" in well(collector("import", tmp_path / "table.csv", "--config", empty))
    assert exported(empty) == table

    found = []
    for config in (demo, empty):
        database = influxd.database()
        sink = config.with_name("sink.toml")
        sink.write_text(f"{config.read_text(encoding='utf-8')}\n{v1('main', influxd.url, database)}", encoding="utf-8")
        well(collector("replay", "main", "--all", "--config", sink, timeout=120))
        found.append({name: points for name, points in stored(influxd, database).items() if name in names})
    assert found[0] == found[1]
    assert sum(len(points) for points in found[0].values()) > 17_000


def test_every_text_and_every_measurement_comes_back(empty: Path, tmp_path: Path) -> None:
    """Quotes, lines, formulas, milliseconds, tags without a column: what `import` took `export` gives, byte by byte."""
    (tmp_path / "nasty.csv").write_text(NASTY, encoding="utf-8", newline="")
    well(collector("import", tmp_path / "nasty.csv", "--config", empty))
    assert exported(empty, "--all").decode() == NASTY.replace(".25Z", ".250Z")
    assert "exposure_score_daily" not in exported(empty).decode()


def test_for_a_spreadsheet_no_cell_is_a_formula_and_nothing_is_lost(empty: Path, tmp_path: Path) -> None:
    """Each that would be run has a single quote before it, numbers stay numbers, and `import` takes it all back."""
    (tmp_path / "nasty.csv").write_text(NASTY, encoding="utf-8", newline="")
    well(collector("import", tmp_path / "nasty.csv", "--config", empty))
    before, table = exported(empty, "--all"), exported(empty, "--all", "--spreadsheet")
    assert table.startswith(b"\xef\xbb\xbfmeasurement,")
    risky = {cell for row in rows(table) for cell in row.values() if cell[:1] in {*"=+-@\t\r"}}
    assert risky == {"-5.0"}
    assert {"'@Büro", "'+49", "'-2", '\'=HYPERLINK("http://x")'} <= {
        cell for row in rows(table) for cell in row.values()
    }
    (tmp_path / "sheet.csv").write_bytes(table)
    said = well(collector("import", tmp_path / "sheet.csv", "--config", empty))
    assert " 0 new, 0 changed, " in said
    empty.with_name("journal.db").unlink()
    well(collector("import", tmp_path / "sheet.csv", "--config", empty))
    assert exported(empty, "--all") == before


def test_a_tenant_and_a_time_choose_what_is_written(empty: Path, tmp_path: Path) -> None:
    """A tenant that isn't in the settings any more too; one that nobody knows is a wrong command line."""
    (tmp_path / "nasty.csv").write_text(NASTY, encoding="utf-8", newline="")
    well(collector("import", tmp_path / "nasty.csv", "--config", empty))
    assert {row["tenant"] for row in rows(exported(empty, "--tenant", "fabrikam"))} == {"fabrikam"}
    assert {row["tenant"] for row in rows(exported(empty, "--tenant", "contoso"))} == {"contoso"}
    since = rows(exported(empty, "--since", "2026-01-01T00:00:00.001Z"))
    assert [row["time"] for row in since] == ["2026-01-01T00:00:00.250Z", "2026-01-02T00:00:00Z"]
    assert rows(exported(empty, "--since", "2026-01-03")) == []
    done = collector("export", "--tenant", "nobody", "--config", empty)
    assert (done.returncode, done.stdout) == (2, "")
    assert "contoso, fabrikam" in done.stderr


def test_stdout_is_the_file_whatever_the_terminal_is(demo: Path) -> None:
    """The same bytes, UTF-8 also where the terminal is not, and not a word beside them."""
    env = {"PYTHONIOENCODING": "latin-1"}
    for options in ((), ("--output", "-")):
        done = collector("export", "--since", "2d", *options, "--config", demo, env=env)
        assert well(done).encode() == exported(demo, "--since", "2d").replace(b"\r\n", b"\n")
        assert done.stderr == ""


def test_only_an_earlier_table_is_written_over(demo: Path, tmp_path: Path) -> None:
    """The journal, the settings or any other file is left as it is; a table is for its user alone."""
    journal = demo.with_name("journal.db")
    (tmp_path / "none.csv").write_text("anything else")
    before = journal.read_bytes(), demo.read_bytes()
    for name, said in (
        (journal, "is no table"),
        (demo, "is no table"),
        (tmp_path / "none.csv", "is no table"),
        (tmp_path, "is a folder"),
        (tmp_path / "none" / "t.csv", "its folder does not exist"),
    ):
        done = collector("export", "--output", name, "--config", demo)
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert before == (journal.read_bytes(), demo.read_bytes())
    mask = os.umask(0)
    try:
        well(collector("export", "--output", tmp_path / "t.csv", "--config", demo))
    finally:
        os.umask(mask)
    first = (tmp_path / "t.csv").read_bytes()
    assert stat.S_IMODE((tmp_path / "t.csv").stat().st_mode) == 0o600
    well(collector("export", "--output", tmp_path / "t.csv", "--since", "1d", "--config", demo))
    assert 0 < (tmp_path / "t.csv").stat().st_size < len(first)


def test_without_a_journal_there_is_nothing_to_export(empty: Path) -> None:
    """It is said, with exit code 1, and no file is made."""
    done = collector("export", "--output", empty.with_name("t.csv"), "--config", empty)
    assert (done.returncode, "there is no journal yet" in done.stderr) == (1, True)
    assert not empty.with_name("t.csv").exists()
