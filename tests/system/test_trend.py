"""`trend` from outside: against a journal that the collector wrote, on a terminal, in a pipe, and as JSON."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from system.blackbox import COMMAND, Process, Simulated, collector, document, environment, poll, settings, until, well

CHANGES = {"change_1d", "change_7d", "change_30d"}
STANDING = {"score", "level", "at", "across_break"} | CHANGES


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    """One tenant of four groups."""
    with Simulated(tmp_path_factory.mktemp("one"), "--groups", "4") as simulated:
        yield simulated


@pytest.fixture(scope="module")
def polled(one: Simulated, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Settings of that tenant, which was polled once."""
    config = settings(tmp_path_factory.mktemp("polled"), one)
    well(collector("once", "--config", config))
    return config


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Settings of five tenants, of which four were polled."""
    folder = tmp_path_factory.mktemp("several")
    with Simulated(folder / "simulated", "--groups", "2", "--tenants", "5") as simulated:
        config = settings(folder, simulated)
        for tenant in simulated.tenants[:4]:
            well(collector("once", "--config", config, "--tenant", tenant))
    return config


def on_terminal(*arguments: str | Path, columns: int, env: Mapping[str, str]) -> str:
    """Return what a command writes to a terminal of a width."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    with subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        env={**environment(), "TERM": "xterm-256color", **env},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        written = b""
        try:
            while part := os.read(ours, 65536):
                written += part
        except OSError:
            pass  # the other end is closed: that is how a terminal ends
        finally:
            os.close(ours)
        assert process.wait(30) == 0, written
    return written.decode()


def test_the_json_is_what_the_api_answered(one: Simulated, polled: Path) -> None:
    """One document with the documented keys; scores are the API's, to the last digit, groups worst first."""
    done = collector("trend", "--config", polled, "--json")
    card = document(done)
    assert (done.returncode, done.stderr, done.stdout.count("\n")) == (0, "", 1)
    assert set(card) == {"tenant", "groups", "annotations"} | STANDING
    assert card["tenant"] == "contoso"
    answers = one.world()
    assert card["score"] == answers["organization"]["score"]
    rows = answers["device_groups"]["value"]
    assert len(rows) == len(card["groups"]) == 4
    for group in card["groups"]:
        assert set(group) == {"rbacGroupName", "rbacGroupId"} | STANDING
        assert {group[key] for key in CHANGES} == {None}
    assert {(each["rbacGroupName"], each["score"]) for each in card["groups"]} == {
        (row["rbacGroupName"], row["score"]) for row in rows
    }
    scores = [group["score"] for group in card["groups"]]
    assert scores == sorted(scores, reverse=True)
    for each in (card, *card["groups"]):
        level = "low" if each["score"] < 30 else "medium" if each["score"] < 70 else "high"
        assert each["level"] == level
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", each["at"])


def test_a_pipe_gets_plain_text(polled: Path) -> None:
    """In a pipe: no escape codes, no line over 80 columns, every group, the level in words, and where - stands."""
    text = well(collector("trend", "--config", polled, env={"FORCE_COLOR": "1"}))
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 80
    card = document(collector("trend", "--config", polled, "--json"))
    for group in card["groups"]:
        assert group["rbacGroupName"] in text
    assert f"{card['level']} (" in text
    assert "- is not known. Times are UTC." in text


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_a_terminal_gets_its_width_and_its_colours(polled: Path, columns: int) -> None:
    """On a terminal lines are as wide as it is and coloured; with NO_COLOR nothing is, and nothing is lost."""
    coloured = on_terminal("trend", "--config", polled, columns=columns, env={})
    assert re.search(r"\x1b\[(\d;)?3[123]m", coloured)
    plain = on_terminal("trend", "--config", polled, columns=columns, env={"NO_COLOR": "1"})
    assert not re.search(r"\x1b\[[\d;]*[34]\dm", plain)
    without = [re.sub(r"\x1b\[[\d;]*m", "", text).replace("\r\n", "\n") for text in (coloured, plain)]
    assert without[0] == without[1]
    assert max(map(len, without[0].splitlines())) <= columns


def test_a_terminal_without_unicode_gets_ascii(polled: Path) -> None:
    """Where only ASCII can be written the chart is drawn with it."""
    text = well(collector("trend", "--config", polled, env={"PYTHONIOENCODING": "ascii"}))
    assert text.isascii()
    assert "|" in text
    assert "+---" in text


def test_several_tenants_are_ranked(several: Path) -> None:
    """The ranking comes first and has all; the cards of the worst three follow; the JSON has all, worst first."""
    found = document(collector("trend", "--config", several, "--json"))
    assert set(found) == {"tenants"}
    scores = [card["score"] for card in found["tenants"]]
    known = [score for score in scores if score is not None]
    assert scores == [*sorted(known, reverse=True), None]
    never = found["tenants"][-1]
    assert never.pop("across_break") == []
    nothing = dict.fromkeys(STANDING - {"across_break"})
    assert never == {"tenant": never["tenant"], "groups": [], "annotations": [], **nothing}
    ranking, _, cards = well(collector("trend", "--config", several)).partition("\n\n")
    assert [line.split()[-1] for line in ranking.splitlines()[1:]] == [card["tenant"] for card in found["tenants"]]
    assert "never polled" in ranking
    headed = re.findall(r"^([\w-]+)$", cards, re.MULTILINE)
    assert headed == [card["tenant"] for card in found["tenants"][:3]]


def test_one_tenant_of_several_has_its_own_document(several: Path) -> None:
    """`--tenant` gives that tenant's object alone; one that was never polled is exit code 1, in words, with nulls."""
    tenants = [card["tenant"] for card in document(collector("trend", "--config", several, "--json"))["tenants"]]
    assert document(collector("trend", "--config", several, "--json", "--tenant", tenants[1]))["tenant"] == tenants[1]
    done = collector("trend", "--config", several, "--json", "--tenant", tenants[-1])
    assert done.returncode == 1
    assert document(done)["score"] is None
    assert f"no score of {tenants[-1]} yet" in done.stderr
    assert "status" in done.stderr


def test_one_group_is_shown_with_a_chart_of_its_own(polled: Path) -> None:
    """`--group` takes a name or an id; the document has that group alone, the text draws it."""
    group = document(collector("trend", "--config", polled, "--json"))["groups"][2]
    for what in (group["rbacGroupName"], group["rbacGroupId"]):
        assert document(collector("trend", "--config", polled, "--json", "--group", what))["groups"] == [group]
    text = well(collector("trend", "--config", polled, "--group", group["rbacGroupName"], env={"COLUMNS": "120"}))
    assert f"The last 30 days of {group['rbacGroupName']}" in text
    assert "of the organization" not in text


def test_a_wrong_name_is_exit_code_2_and_names_the_right_ones(polled: Path) -> None:
    """An unknown tenant or group names those that there are; so does a number of days that can't be."""
    group = document(collector("trend", "--config", polled, "--json"))["groups"][0]["rbacGroupName"]
    for arguments, word in (
        (("--tenant", "nobody"), "contoso"),
        (("--group", "nobody"), group),
        (("--days", "0"), "not a whole number from 1 to 3650"),
    ):
        done = collector("trend", "--config", polled, *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert word in done.stderr
        assert "Traceback" not in done.stderr


def test_of_many_names_the_nearest_are_named(tmp_path: Path) -> None:
    """Where there are too many groups to name them all, those are named that are most like what was typed."""
    with Simulated(tmp_path / "simulated", "--groups", "12", "--tenants", "2") as simulated:
        config = settings(tmp_path, simulated)
        well(collector("once", "--config", config))
    group = document(collector("trend", "--config", config, "--json"))["tenants"][0]["groups"][5]["rbacGroupName"]
    done = collector("trend", "--config", config, "--group", f"{group}s")
    assert done.returncode == 2
    named = done.stderr.partition("; there are ")[2].strip()
    first, *others, more = named.split("; ")
    assert first == group
    assert len(others) == 7
    assert re.fullmatch(r"and \d+ more", more)
    assert not any(other.isdecimal() for other in others), "ids are no names"
    for word in (group.upper(), group[:-1].lower()):
        found = document(collector("trend", "--config", config, "--group", word, "--json"))["tenants"]
        assert [each["rbacGroupName"] for each in found[0]["groups"]] == [group]
    found = document(collector("trend", "--config", config, "--group", group, "--json"))["tenants"]
    assert all([each["rbacGroupName"] for each in card["groups"]] == [group] for card in found)
    assert "Each that has a score:" in well(collector("trend", "--config", config))


def test_a_former_customer_keeps_its_card(polled: Path, tmp_path: Path) -> None:
    """A tenant that is in the journal and no longer in the settings is shown when it is asked for by name."""
    config = tmp_path / "collector.toml"
    text = polled.read_text(encoding="utf-8").replace("[tenants.contoso]", "[tenants.another]")
    config.write_text(f'{text}\n[journal]\npath = "{polled.parent / "journal.db"}"\n', encoding="utf-8")
    shown = well(collector("trend", "--config", config, "--tenant", "contoso"))
    assert "no longer in the settings" in shown
    done = collector("trend", "--config", config)
    assert done.returncode == 1
    assert "no score of any tenant yet" in done.stderr


def test_without_a_journal_it_says_how_to_begin(one: Simulated, tmp_path: Path) -> None:
    """Before the first poll there is no card, and no file is made."""
    config = settings(tmp_path, one)
    for options in ((), ("--json",)):
        done = collector("trend", "--config", config, *options)
        assert done.returncode == 1
        assert "no journal yet" in done.stderr
        assert "once" in done.stderr
    assert not (tmp_path / "journal.db").exists()


def test_it_reads_beside_a_running_service(one: Simulated, tmp_path: Path) -> None:
    """While `run` polls, `trend` answers and sees what comes, without the secret and without the API."""
    config = settings(tmp_path, one, poll(1))
    with Process("run", "--config", config) as service:
        until(lambda: len(service.said("poll.settled")) >= 4, what="two polls")
        text = config.read_text(encoding="utf-8").replace("simulator.secret", "gone.secret")
        other = tmp_path / "other.toml"
        other.write_text(text.replace(one.url, "https://127.0.0.1:9"), encoding="utf-8")
        first = document(collector("trend", "--config", other, "--json"))["at"]
        until(
            lambda: document(collector("trend", "--config", other, "--json"))["at"] > first,
            what="a later score",
        )
        assert service.exit_code is None
        assert service.end() == 0
