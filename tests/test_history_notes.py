"""Notes and breaks, as a real journal gives them back, and on which cards they stand."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import group, score
from hypothesis import given, settings
from hypothesis import strategies as st
from journals import DAY, HOUR, MIDNIGHT

from collector.history import Note, notes, read
from collector.history.reading import names
from collector.journal import Journal
from collector.point import Point, Series

NOW = MIDNIGHT + 13 * HOUR
TENANTS = ("contoso", "fabrikam")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """An empty journal whose clock stands at noon, and a bit."""
    with Journal(tmp_path / "journal.db", clock=lambda: NOW / 1000) as journal:
        yield journal


def note(id_: str, at: int = NOW, *, group: str | None = None, kind: str = "note", tenant: str = "contoso") -> Note:
    """Return a note whose title is its id."""
    return Note(id=id_, at=at, kind=kind, tenant=tenant, group=group, title=id_, text="of\nlines")


def write(journal: Journal, *written: Note) -> None:
    """Append notes."""
    journal.append([one.point() for one in written])


def shown(journal: Journal, *, days: int = 30, of: str | None = None, now: int = NOW) -> list[str]:
    """Return the titles on the card of contoso."""
    (card,) = read(journal, ["contoso"], now=now, late_ms=HOUR, days=days, group=of)
    return [one.title for one in card.notes]


_NOTES = st.builds(
    Note,
    id=st.sampled_from("abc"),
    at=st.integers(-3, 3).map(lambda n: NOW + n * 7 * HOUR),
    kind=st.sampled_from(["note", "break"]),
    tenant=st.sampled_from([*TENANTS, "left"]),
    group=st.sampled_from([None, "Servers"]),
    title=st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    text=st.sampled_from(["", "a\nb"]),
    withdrawn=st.booleans(),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(_NOTES, max_size=25), st.sampled_from([TENANTS, TENANTS[:1]]), st.integers(-21, 21), st.integers(0, 42))
def test_what_was_written_last_counts_until_it_is_taken_back(
    tmp_path_factory: pytest.TempPathFactory, written: list[Note], tenants: tuple[str, ...], first: int, hours: int
) -> None:
    """Of each identity the last word stands; of the tenants and the time that are asked for, all, in order."""
    with Journal(tmp_path_factory.mktemp("notes") / "journal.db") as journal:
        for one in written:
            write(journal, one)
        since, until = NOW + first * HOUR, NOW + (first + hours) * HOUR
        found = notes(journal, tenants, since, until)
        whole = notes(journal, tenants, since, until, withdrawn=True)
    last = {(one.id, one.at, one.kind, one.tenant, one.group): one for one in written}
    asked = [one for one in last.values() if one.tenant in tenants and since <= one.at < until]
    for expected, given_back in ((asked, whole), ([one for one in asked if not one.withdrawn], found)):
        assert len(given_back) == len(expected)
        assert set(given_back) == set(expected)
        assert [one.at for one in given_back] == sorted(one.at for one in expected)


def test_a_point_that_lacks_a_field_is_read_all_the_same(journal: Journal) -> None:
    """What came from a file that was cut by hand ends no command."""
    point = note("a").point()
    journal.append([Point(point.series, point.time, {"title": "a"})])
    assert notes(journal, ["contoso"], 0, NOW + 1) == [replace(note("a"), text="")]


def test_all_groups_are_a_reserved_name() -> None:
    """What is said of all groups has the tag that no group's name becomes."""
    point = note("a").point()
    assert point.series == Series(
        "exposure_annotation", (("tenant", "contoso"), ("rbacGroupName", "(all)"), ("kind", "note"), ("id", "a"))
    )
    assert point.fields == {"title": "a", "text": "of\nlines", "withdrawn": 0}
    assert replace(note("a"), withdrawn=True).point().fields["withdrawn"] == 1


def test_a_card_has_the_notes_of_its_days_up_to_now(journal: Journal) -> None:
    """What lies ahead of the clock is shown once its time has come; what is older than the days asked for is not."""
    journal.append([score("contoso", NOW)])
    write(journal, note("now"), note("ahead", NOW + 1), note("old", NOW - 31 * DAY), note("edge", NOW - 30 * DAY))
    assert shown(journal) == ["edge", "now"]
    assert shown(journal, days=31) == ["old", "edge", "now"]
    assert shown(journal, now=NOW + 1) == ["now", "ahead"]


def test_a_group_has_its_own_notes_and_those_of_all(journal: Journal) -> None:
    """Under a name that it has or once had; the card of all has every note."""
    journal.append([group("contoso", "Büro", NOW - DAY, id_="7"), group("contoso", "Servers", NOW, id_="8")])
    journal.append([group("contoso", "Office", NOW, id_="7")])
    said = [note("all"), note("b", group="Büro"), note("o", group="Office"), note("s", group="Servers")]
    write(journal, *said, note("elsewhere", tenant="fabrikam"))
    assert sorted(shown(journal)) == ["all", "b", "o", "s"]
    assert sorted(shown(journal, of="Office")) == sorted(shown(journal, of="Büro")) == ["all", "b", "o"]
    assert sorted(shown(journal, of="8")) == ["all", "s"]


def test_a_group_is_called_by_its_newest_name(journal: Journal) -> None:
    """Whatever names it, of each tenant that has it; tenants may differ in what they call it by now."""
    journal.append([group("contoso", "Büro", NOW - DAY, id_="7"), group("contoso", "Office", NOW, id_="7")])
    journal.append([group("fabrikam", "Büro", NOW, id_="3"), score("tailspin", NOW)])
    asked = ["contoso", "fabrikam", "tailspin"]
    assert names(journal, asked, "Büro") == {"contoso": {"Office"}, "fabrikam": {"Büro"}}
    assert names(journal, asked, "7") == names(journal, asked, "Office") == {"contoso": {"Office"}}
    assert names(journal, asked, "nothing") == {}
