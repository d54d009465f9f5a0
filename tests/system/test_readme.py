"""The README says nothing that isn't so: its commands run, its settings load, its names are the code's."""

import re
import shlex
import tomllib
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from servers import Influxd
from system.blackbox import Process, Simulated, collector, settings, until, v1, well

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
MAKE = {"make demo", "make test"}
"""Typed by a person in a fresh clone: the first is the test of `demo`, the second is this suite."""


def blocks(language: str) -> list[str]:
    """Return the fenced blocks of a language, without their indent."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", README, re.DOTALL | re.MULTILINE)
    return ["\n".join(line.removeprefix(indent) for line in text.splitlines()) for indent, text in found]


def test_every_command_of_the_readme_runs(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """Each line of each shell block runs as it stands, in one folder, or is one of the two make targets."""
    settings(tmp_path, simulated, v1("main", influxd.url, database))
    (kept,) = blocks("csv")
    (tmp_path / "scores.csv").write_text(kept, encoding="utf-8")
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    assert set(lines) >= MAKE
    targets = (ROOT / "Makefile").read_text()
    for line in lines:
        program, *arguments = shlex.split(line)
        if line in MAKE:
            assert f"\n{arguments[0]}: " in targets
            continue
        assert program == "exposure-collector", line
        if arguments[0] == "run":
            with Process(*_placed(arguments, tmp_path)) as service:
                until(partial(service.said, "service.started"), what=line)
                assert service.end() == 0
        elif arguments[0] == "simulate" and "--folder" in arguments:
            with Process(*_placed(arguments, tmp_path)) as simulator:
                until(partial(_said, simulator, "serving on"), what=line)
                assert simulator.end() == 0
        else:
            well(collector(*arguments, cwd=tmp_path))


def _said(process: Process, words: str) -> bool:
    return any(words in line for line in process.err)


def _placed(arguments: Sequence[str], folder: Path) -> list[str]:
    return [str(folder / word) if word in ("collector.toml", "tried") else word for word in arguments]


def test_the_queries_of_the_readme_have_answers(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """Each query of the page finds the scores that were delivered."""
    well(collector("once", "--config", settings(tmp_path, simulated, v1("main", influxd.url, database))))
    (queries,) = blocks("sql")
    found = [influxd.query(query, database) for query in queries.splitlines()]
    assert [len(series) for series in found] == [1, 2]


def test_the_settings_of_the_readme_load(tmp_path: Path) -> None:
    """The TOML that a reader copies is accepted as it is: all that is missing is the journal."""
    tenant, *others = blocks("toml")
    assert len(others) == 4
    (tmp_path / "customers").mkdir()
    (customer,) = re.findall(r"line will do: `(.*)`", README)
    (tmp_path / "customers" / "fabrikam.toml").write_text(customer)
    for other in ("", *others):
        # Keys that belong to no table come before all tables.
        first, last = (tenant, other) if other.startswith("[") else (other, tenant)
        (tmp_path / "collector.toml").write_text(f"{first}\n{last}")
        done = collector("status", "--config", tmp_path / "collector.toml")
        assert done.returncode == 1
        assert "no journal yet" in done.stderr or "journal.db: its folder does not exist" in done.stderr


def test_each_way_to_sign_in_of_the_readme_is_accepted(tmp_path: Path) -> None:
    """The table has every kind of credential, each as it can stand in the settings."""
    (tenant, *_) = blocks("toml")
    ways = re.findall(r"^\| `(\{ kind = .*?\})`", README, re.MULTILINE)
    kinds = [tomllib.loads(f"way = {way}")["way"]["kind"] for way in ways]
    assert kinds == ["client_secret", "certificate", "workload_identity", "managed_identity", "device_code"]
    for way in ways:
        (tmp_path / "collector.toml").write_text(re.sub(r"credential = .*", f"credential = {way}", tenant))
        assert "no journal yet" in collector("status", "--config", tmp_path / "collector.toml").stderr


def test_check_says_what_the_readme_shows(simulated: Simulated, tmp_path: Path) -> None:
    """What `check` says of a wrong secret is what a reader was shown, but for the host, the path and the id."""
    config = settings(tmp_path, simulated)
    (tmp_path / "wrong.secret").write_text("wrong")
    config.write_text(config.read_text().replace(str(simulated.folder / "simulator.secret"), "wrong.secret"))
    said = collector("check", "--config", config, env={"COLUMNS": "200"}).stdout
    said = said.replace(simulated.url.removeprefix("https://"), "login.microsoftonline.com")
    said = re.sub(r"(?<=correlation id )[^)]*", "…", said).replace(str(tmp_path / "wrong.secret"), "…")
    (shown,) = blocks("text")
    assert said.startswith(shown)


def test_the_measurements_of_the_readme_are_the_schema() -> None:
    """Each measurement stands in the table with its tags and fields."""
    schema = tomllib.loads((ROOT / "config" / "measurements.toml").read_text())
    for measurement, entry in schema.items():
        (row,) = re.findall(rf"^\| [^|]*`{measurement}`[^|]*\| `tenant`.*$", README, re.MULTILINE)
        named = re.findall(r"`(\w+)`", row)
        assert set(named) >= {measurement, *entry["tags"], *entry["fields"]}, row


def test_the_commands_of_the_readme_are_those_of_the_help() -> None:
    """The table has each command of `--help`, and no other."""
    table = README.split("## Commands")[1].split("## ")[0]
    listed = re.findall(r"^\| `(\w+)`", table, re.MULTILINE)
    shown = re.findall(r"^  (\w+)  +\S", well(collector("--help")).split("Commands:")[1], re.MULTILINE)
    assert listed == shown


def test_every_link_of_the_readme_leads_somewhere() -> None:
    """Files that are linked are there."""
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
