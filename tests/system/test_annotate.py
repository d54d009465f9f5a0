"""`annotate` from outside: what a person notes is kept, shown and delivered, and taken back by a value."""

import calendar
import re
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from servers import Influxd
from system.blackbox import Process, Simulated, collector, document, poll, settings, until, v1, well
from system.test_hostile import ESCAPES, harmless
from system.test_trend import on_terminal

SCHEMA = tomllib.loads((Path(__file__).parents[2] / "config" / "measurements.toml").read_text())["exposure_annotation"]
TYPES = {"string": "string", "int": "integer"}
KEYS = {"id", "time", "kind", "tenants", "rbacGroupName", "title", "text", "withdrawn"}


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    """Two tenants of two groups each."""
    with Simulated(tmp_path_factory.mktemp("simulated"), "--groups", "2", "--tenants", "2") as simulated:
        yield simulated


@pytest.fixture(scope="module")
def polled(simulated: Simulated, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Settings of these tenants, which were polled once."""
    config = settings(tmp_path_factory.mktemp("polled"), simulated)
    well(collector("once", "--config", config))
    return config


@pytest.fixture(name="config")
def _config(polled: Path, simulated: Simulated, tmp_path: Path) -> Path:
    """Settings whose journal is a copy of that one, with nothing noted in it."""
    well(collector("backup", tmp_path / "journal.db", "--config", polled))
    return settings(tmp_path, simulated)


def noted(config: Path, *arguments: str) -> dict[str, Any]:
    """Note something, and return the document of it."""
    done = collector("annotate", *arguments, "--config", config, "--json")
    well(done)
    return document(done)


def listed(config: Path, *arguments: str) -> list[dict[str, Any]]:
    """Return what is noted, as it is listed."""
    found: list[dict[str, Any]] = noted(config, "--list", *arguments)["annotations"]
    return found


def test_a_note_beside_a_running_service_is_in_influxdb_within_10_s(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """A point for each tenant, with the schema's tags, fields and types; taken back it is the same point, withdrawn."""
    config = settings(tmp_path, simulated, poll(3600), v1("main", influxd.url, database))
    title, text = 'New "model" \\ of 5 %, ünï=1', "two\nlines \\"
    with Process("run", "--config", config) as service:
        until(lambda: service.said("points.delivered"), what="a delivery")
        made = noted(config, title, "--kind", "break", "--at", "2026-03-01T06:00:00Z", "--text", text)
        rows = until(lambda: influxd.points("exposure_annotation", database), 10, "the note")
        same = {"time": 1_772_344_800_000, "rbacGroupName": "(all)", "kind": "break", "id": made["id"]}
        fields = {"title": title, "text": text, "withdrawn": 0}
        by_tenant = sorted(rows, key=lambda row: row["tenant"])
        assert by_tenant == [{**same, **fields, "tenant": name} for name in sorted(simulated.tenants)]
        well(collector("annotate", "--remove", made["id"], "--config", config))

        def gone() -> bool:
            found = influxd.points("exposure_annotation", database)
            assert len(found) == 2
            return {row["withdrawn"] for row in found} == {1}

        until(gone, 10, "that it is withdrawn")
        shown = 'SELECT "title" FROM "exposure_annotation" WHERE "withdrawn" = 0'
        assert influxd.query(shown, database) == [], "the query of the README"
        assert service.end() == 0
        assert not [line for line in service.err if '"error"' in line]
    tags = {row["tagKey"] for row in influxd.query('SHOW TAG KEYS FROM "exposure_annotation"', database)}
    assert tags == set(SCHEMA["tags"])
    kinds = influxd.query('SHOW FIELD KEYS FROM "exposure_annotation"', database)
    assert {row["fieldKey"]: row["fieldType"] for row in kinds} == {k: TYPES[v] for k, v in SCHEMA["fields"].items()}


def test_the_longest_text_reaches_influxdb_whole(
    simulated: Simulated, influxd: Influxd, database: str, tmp_path: Path
) -> None:
    """65,535 bytes are kept and delivered, whatever they are; one more is refused."""
    config = settings(tmp_path, simulated, poll(3600), v1("main", influxd.url, database))
    well(collector("once", "--config", config))
    longest = '"\\ä\n' * (65_535 // 5)
    noted(config, longest, "--text", longest, "--tenant", simulated.tenants[0])
    well(collector("once", "--config", config))
    (row,) = influxd.points("exposure_annotation", database)
    assert (row["title"], row["text"]) == (longest, longest)
    done = collector("annotate", "short", "--text", f"{longest}.", "--config", config)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--text: 65,536 bytes" in done.stderr


def test_it_is_said_what_was_noted_and_how_it_is_taken_back(config: Path, simulated: Simulated) -> None:
    """The line that is shown takes it back when it is typed; a second time that is said, and nothing is wrong."""
    said = well(collector("annotate", "Gateways\npatched", "--kind", "break", "--at", "2d", "--config", config))
    found = re.match(
        r"([bcdfghjkmnpqrstvwxz]{7})  \d{4}-\d\d-\d\d \d\d:\d\d UTC  break  all 2 tenants: all groups\n", said
    )
    assert found is not None, said
    assert "\n  Gateways patched\n" in said
    (typed,) = re.findall(r"`.* (annotate --remove .*)`", said)
    assert typed == f"annotate --remove {found[1]} --config {config}"
    assert "taken back" in well(collector(*typed.split()))
    assert "before" in well(collector(*typed.split()))
    assert noted(config, "--remove", found[1])["withdrawn"]
    assert listed(config) == []
    assert "nothing is noted" in well(collector("annotate", "--list", "--config", config))
    assert noted(config, "Again")["tenants"] == simulated.tenants


def test_what_is_noted_is_listed_the_newest_first(config: Path, simulated: Simulated) -> None:
    """With id, time, kind, tenants, group, title and text; of one tenant where it is named."""
    first, second = simulated.tenants
    card = document(collector("trend", "--config", config, "--json", "--tenant", second))
    group = card["groups"][0]["rbacGroupName"]
    before = int(time.time())
    made = [
        noted(config, "old", "--at", "2026-01-31", "--tenant", first),
        noted(config, "now", "--group", group[:-1].lower(), "--text", "a\nb"),
        noted(config, "ahead", "--kind", "break", "--at", "2100-01-01T01:00:00+01:00", "-t", second, "-t", second),
    ]
    assert all(set(each) == KEYS for each in made)
    assert listed(config) == made[::-1]
    assert listed(config, "--tenant", second) == made[:0:-1]
    old, now, ahead = made
    assert (old["time"], old["tenants"], old["rbacGroupName"], old["kind"]) == (
        "2026-01-31T00:00:00Z",
        [first],
        "(all)",
        "note",
    )
    assert (now["rbacGroupName"], now["tenants"], now["text"]) == (group, [second], "a\nb")
    at = time.strptime(now["time"], "%Y-%m-%dT%H:%M:%SZ")
    assert before <= calendar.timegm(at) <= time.time()
    assert (ahead["time"], ahead["kind"], ahead["tenants"]) == ("2100-01-01T00:00:00Z", "break", [second])
    text = well(collector("annotate", "--list", "--config", config))
    assert [line.split()[0] for line in text.splitlines() if "UTC" in line] == [each["id"] for each in made[::-1]]
    assert f"  {second}: {group}\n  now\n  a b\n" in text
    assert max(map(len, text.splitlines())) <= 80
    assert document(collector("status", "--config", config, "--json"))["tenants"][0]["ok"], "a time ahead harms nothing"


def test_trend_shows_what_is_noted_of_its_days(config: Path, simulated: Simulated) -> None:
    """On the chart, below it and in the document, the newest first; not what is older, ahead, or of another tenant."""
    first, second = simulated.tenants
    groups = document(collector("trend", "--config", config, "--json", "--tenant", first))["groups"]
    one, other = (group["rbacGroupName"] for group in groups)
    made = [
        noted(config, "A new model", "--kind", "break", "--at", "3d", "--text", "why"),
        noted(config, "Patched", "--at", "12h", "--group", one, "--tenant", first),
    ]
    noted(config, "Another", "--at", "1d", "--group", other, "--tenant", first)
    for hidden in (("old", "--at", "31d"), ("ahead", "--at", "2100-01-01"), ("elsewhere", "--tenant", second)):
        noted(config, *hidden)
    card = document(collector("trend", "--config", config, "--json", "--tenant", first, "--group", one))
    keys = ("id", "time", "kind", "rbacGroupName", "title", "text")
    assert card["annotations"] == [{key: each[key] for key in keys} for each in made[::-1]]
    both = document(collector("trend", "--config", config, "--json"))["tenants"]
    titles = {each["tenant"]: [note["title"] for note in each["annotations"]] for each in both}
    assert titles == {first: ["Patched", "Another", "A new model"], second: ["elsewhere", "A new model"]}
    text = well(collector("trend", "--config", config, "--tenant", first))
    times = [each["time"][:16].replace("T", " ") for each in made]
    assert f"\n  ▲ {times[1]}  note   Patched ({one})\n" in text
    assert f"\n  ▲ {times[0]}  break  A new model\n" in text
    (floor,) = [line for line in text.splitlines() if "└" in line]
    assert floor.count("▲") == 3
    assert "╎" in text
    well(collector("annotate", "--remove", made[0]["id"], "--config", config))
    assert "A new model" not in well(collector("trend", "--config", config))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give one of the three"),
        (("x", "--list"), "give one of the three"),
        (("x", "--remove", "y"), "give one of the three"),
        (("--remove", "x", "--kind", "break", "--text", ""), "--kind, --text: only with a TITLE"),
        (("--list", "--at", "1d"), "--at: only with a TITLE"),
        (("",), "TITLE: "),
        ((" \n\u202e",), "TITLE: "),
        (("\udcff\udcfe",), "TITLE: it has bytes that are no UTF-8"),
        (("x", "--text", "\udce4"), "--text: it has bytes that are no UTF-8"),
        (("x", "--kind", "brake"), "'note', 'break'"),
        (("x", "--at", "tomorrow"), "2026-03-01T06:00:00Z"),
        (("x", "--at", "1969-12-31"), "times from 1970-01-01 to 2262-04-11 are taken"),
        (("Gateways", "patched"), 'needs quotes, as in annotate "Gateways patched"'),
        (("x", "--tenant", "contos"), "there are contoso"),
        (("x", "--group", "nobody"), "no device group of that name or id; there are "),
        (("--remove", "nobody"), "nothing is noted under nobody; there is none"),
    ],
)
def test_a_wrong_command_line_notes_nothing(config: Path, arguments: tuple[Any, ...], said: str) -> None:
    """It is exit code 2, with what would be right; nothing is written."""
    done = collector("annotate", *arguments, "--config", config)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert listed(config) == []


def test_an_unknown_id_names_those_that_are_most_like_it(config: Path) -> None:
    """The nearest first, and how all are shown; none that was taken back."""
    made = [noted(config, f"n{n}")["id"] for n in range(3)]
    noted(config, "--remove", made[0])
    done = collector("annotate", "--remove", made[2][:-1], "--config", config)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"there are {made[2]}; {made[1]}; `" in done.stderr
    assert f" annotate --list --config {config}`" in done.stderr


def test_a_group_that_a_named_tenant_has_not_is_refused(config: Path, simulated: Simulated, tmp_path: Path) -> None:
    """Where no tenant is named, it is noted of those that have the group."""
    first, second = simulated.tenants
    world = simulated.world(first)["device_groups"]["value"]
    simulated.fault(
        "body", tenant=first, body='{"value": [{"score": 1.5, "rbacGroupName": "Only", "rbacGroupId": 77}]}'
    )
    later = settings(tmp_path, simulated, poll(1), name="later.toml")
    collector("once", "--config", later)
    assert world
    assert noted(config, "x", "--group", "Only")["tenants"] == [first]
    assert noted(config, "x", "--group", "77", "--tenant", first)["rbacGroupName"] == "Only"
    done = collector("annotate", "x", "--group", "Only", "-t", first, "-t", second, "--config", config)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"--group: {second}: no such device group there" in done.stderr


def test_a_former_customer_can_be_noted_of(config: Path, simulated: Simulated) -> None:
    """A tenant that is in the journal and no longer in the settings is meant when it is named, and not else."""
    gone, kept = simulated.tenants
    text = config.read_text()
    start = text.index(f"[tenants.{gone}]")
    end = min(at for at in (text.find("\n[", start), len(text)) if at > 0)
    config.write_text(text[:start] + text[end:])
    assert noted(config, "left", "--tenant", gone)["tenants"] == [gone]
    assert noted(config, "all")["tenants"] == [kept]
    assert [each["tenants"] for each in listed(config)] == [[kept], [gone]]
    well(collector("forget", "--tenant", gone, "--yes", "--config", config))
    assert [each["tenants"] for each in listed(config)] == [[kept]]


def test_without_a_journal_nothing_can_be_noted(simulated: Simulated, tmp_path: Path) -> None:
    """Before the first poll that is said, and no file is made."""
    config = settings(tmp_path, simulated)
    for arguments in (("x",), ("--list",), ("--remove", "x")):
        done = collector("annotate", *arguments, "--config", config)
        assert (done.returncode, done.stdout) == (1, "")
        assert "no journal yet" in done.stderr
    assert not (tmp_path / "journal.db").exists()


def test_no_title_reaches_a_terminal_as_commands(config: Path, simulated: Simulated) -> None:
    """What was noted with escape codes is kept as it was, and shown in print."""
    first = simulated.tenants[0]
    shown = [on_terminal("annotate", ESCAPES, "--text", ESCAPES, "-t", first, "--config", config, columns=100, env={})]
    shown.append(on_terminal("annotate", "--list", "--config", config, columns=100, env={}))
    shown.append(on_terminal("trend", "--tenant", first, "--config", config, columns=100, env={}))
    assert all("all is well" in said for said in shown)
    assert all(harmless(said.replace("\r\n", "\n")) for said in shown)
    assert [each["title"] for each in listed(config)] == [ESCAPES]
