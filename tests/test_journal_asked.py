"""Names that are asked for without all being learnt: by who only reads, and of the first few series."""

from pathlib import Path

import pytest
from journals import DAY, HOUR, MIDNIGHT, group, look, org

from collector.journal import Journal, learnt
from collector.point import Series

NOW = MIDNIGHT + DAY
GROUPS = "exposure_score_by_group"


def opened(path: Path, *, readonly: bool = False) -> Journal:
    """Return the journal at a fixed time."""
    return Journal(path, readonly=readonly, clock=lambda: NOW / 1000)


def looks(journal: Journal) -> list[str]:
    """Return a list that grows by each look at names that this journal takes in its file, by what it looks for."""
    asked: list[str] = []
    journal._database._connection.set_trace_callback(
        lambda sql: asked.append(sql.partition(" WHERE ")[2]) if "tags, crc FROM series" in sql else None
    )
    return asked


@pytest.mark.parametrize("most", [1, 2, 3, 4, 5, 100])
def test_the_first_of_a_measurement_are_those_that_came_first(tmp_path: Path, most: int) -> None:
    """As many as were asked for, by when they first came: not who has nothing since, nor whose name is damaged."""
    path = tmp_path / "journal.db"
    with opened(path) as journal:
        journal.append([group("old", MIDNIGHT - DAY), group("e"), org()])
        journal.append([group(name) for name in "dxba"])
        journal.append([group("e", MIDNIGHT + HOUR), group("a", MIDNIGHT + HOUR)])
    look(path, "UPDATE series SET crc = crc + 1 WHERE id = 5")
    wanted = [group("e", MIDNIGHT + HOUR), group("d"), group("b"), group("a", MIDNIGHT + HOUR)]
    for readonly in (False, True):
        with opened(path, readonly=readonly) as journal:
            assert journal.first_of(GROUPS, MIDNIGHT, most) == wanted[:most]
            assert journal.first_of("exposure_trend", MIDNIGHT, most) == []


def test_the_first_of_many_cost_a_look_at_few(tmp_path: Path) -> None:
    """Of twenty groups a card of two looks at two names."""
    with opened(tmp_path / "journal.db") as journal:
        journal.append([group(f"g{n}") for n in range(20)])
        with opened(journal.path, readonly=True) as reader:
            asked = looks(reader)
            assert reader.first_of(GROUPS, MIDNIGHT, 2) == [group("g0"), group("g1")]
            assert asked == [f"measurement = '{GROUPS}' AND id > 0 ORDER BY id LIMIT 2"]


def test_who_asks_of_a_tenant_learns_its_names_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each of a few measurements once, also of a series that nobody has; of more of them all names together."""
    monkeypatch.setattr(learnt, "_FAMILIES", 3)
    points = [group("a"), group("b"), org(), group("a", tenant="fabrikam"), org(tenant="fabrikam")]
    with opened(tmp_path / "journal.db") as journal:
        journal.append(points)
        with opened(journal.path, readonly=True) as reader:
            asked = looks(reader)
            for one in (*points[:3], group("nobody"), org(), points[3]):
                found = reader.history(one.series, 0, NOW)
                assert found == ([one] if one in points else [])
            assert [what for what in asked if "measurement" in what] == [
                f"measurement = '{GROUPS}' AND tenant = 'contoso'",
                "measurement = 'exposure_score' AND tenant = 'contoso'",
                f"measurement = '{GROUPS}' AND tenant = 'fabrikam'",
            ]
            assert not any("id > " in what for what in asked)
            asked.clear()
            for one in (*points[4:], *points, group("nobody"), group("nobody", tenant="northwind")):
                assert reader.history(one.series, 0, NOW) == ([one] if one in points else [])
            assert [what for what in asked if "measurement" in what] == []
            assert asked[0] == "id > 0 ORDER BY id"


def test_who_asks_of_many_series_looks_at_names_once(tmp_path: Path) -> None:
    """Who only reads, at those of their measurement and tenant; who knows all names, at what came since."""
    with opened(tmp_path / "journal.db") as service, opened(service.path, readonly=True) as reader:
        service.append([group("a"), group("b"), org(), org(tenant="fabrikam")])
        every = [group(name).series for name in ("a", "nobody", "b", "no one", "none")]
        for journal, names in ((reader, f"measurement = '{GROUPS}' AND tenant = 'contoso'"), (service, "id > 4")):
            asked = looks(journal)
            assert list(journal.across.named(every)) == [every[0], every[2]]
            assert [what.removesuffix(" ORDER BY id") for what in asked] == [names]


def test_a_series_that_was_asked_for_in_vain_is_there_once_it_has_come(tmp_path: Path) -> None:
    """From another process, of a tenant and measurement of which nothing was there before."""
    with opened(tmp_path / "journal.db") as service, opened(service.path) as beside:
        service.append([org()])
        assert service.history(group("theirs").series, 0, NOW) == []
        beside.append([group("theirs")])
        assert service.history(group("theirs").series, 0, NOW) == [group("theirs")]


def test_who_writes_and_who_reads_know_the_same_names(tmp_path: Path) -> None:
    """What another process has brought is there for both, and what it has forgotten for neither."""
    path = tmp_path / "journal.db"
    every: list[Series] = [group("a").series, org().series, group("theirs", tenant="fabrikam").series]
    with opened(path) as service, opened(path) as beside, opened(path, readonly=True) as reader:
        service.append([group("a"), org()])
        for journal in (service, reader):
            assert list(journal.across.named(every)) == every[:2]
        beside.append([group("theirs", tenant="fabrikam")])
        for journal in (service, reader):
            assert list(journal.across.named(every)) == every
            assert list(journal.across.begun(every, NOW)) == every
            assert journal.across.newest(every) == [group("a"), org(), group("theirs", tenant="fabrikam")]
        beside.forget("fabrikam")
        for journal in (service, reader):
            assert list(journal.across.named(every)) == every[:2]
            assert journal.across.earlier(every, [MIDNIGHT]) == [[(MIDNIGHT, 33.25), (MIDNIGHT, 41.5), None]]
            assert journal.first(every[2], NOW) is None
