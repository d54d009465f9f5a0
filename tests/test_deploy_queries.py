"""Every query of the dashboards is answered by a real InfluxDB 1.x with what its panel needs, whoever asks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import deployed
import httpx
import pytest
import quarter
from deployed import ALL, BOARDS, RULES, Asked, Chosen, asked, expanded
from leaks import know
from quarter import NAMES, PLAIN, SINCE, UNTIL
from servers import ADMIN, INFLUXD, Influxd, need

from collector.http import Http
from collector.influx import V1
from collector.settings import Influx, Secret

DATABASE = "exposure"
READER = ("reader", know("the password of whoever only reads"))
SPAN = quarter.UNTIL - quarter.SINCE
HOURS, DAYS = SPAN // quarter.HOUR, SPAN // quarter.DAY
EVERYTHING: Chosen = {"tenant": PLAIN, "group": ALL, "collector": ALL}

CHANGES = ("1 day", "7 days", "30 days")
GROUPED = ("time", "rbacGroupName", "rbacGroupId")
POLLED = ("time", "tenant", "subject")
MARKED = ("time", "title", "text", "rbacGroupName")
NEEDS: Mapping[str, tuple[Sequence[str], int]] = {
    "exposure-score/Score now/A": (("time", "Score"), DAYS),
    "exposure-score/Change/A": (("time", *CHANGES), 1),
    "exposure-score/Above what was usual/A": (("time", "Rise"), 1),
    "exposure-score/Trend/A": (("time", "Score"), DAYS),
    "exposure-score/Trend/B": (("time", "Usual"), DAYS - 3),
    "exposure-score/Where the groups stand/A": ((*GROUPED, "Score", "Level", *CHANGES), 7),
    "exposure-score/Rose most in 7 days/A": ((*GROUPED, "7 days"), 7),
    "exposure-score/Fell most in 7 days/A": ((*GROUPED, "7 days"), 7),
    "exposure-score/Trends of the groups/A": (("time", "rbacGroupName", "max"), 7 * DAYS),
    "exposure-score/Levels of the groups/A": (("time", "rbacGroupName", "max"), 7 * DAYS),
    "exposure-score/Spikes/A": (("time", "rbacGroupName", "State", "Usual", "Peak", "Rise", "text"), 3),
    "exposure-score/Notes and breaks/A": (("time", "Kind", "rbacGroupName", "Title", "Text"), 2),
    "exposure-score/The last five years, by day/A": (("time", "Lowest", "Mean", "Highest"), DAYS),
    "exposure-score/annotation/Spikes": ((*MARKED, "end_time"), 1),
    "exposure-score/annotation/Spikes of groups": ((*MARKED, "end_time"), 2),
    "exposure-score/annotation/Notes": (MARKED, 1),
    "exposure-score/annotation/Breaks": (MARKED, 1),
    "exposure-score/variable/tenant": (("key", "value"), 1 + len(NAMES)),
    "exposure-score/variable/group": (("key", "value"), 7),
    "exposure-tenants/Tenants/A": (("time", "Tenants"), 1),
    "exposure-tenants/On a high level/A": ((), 0),
    "exposure-tenants/Open spikes of tenants/A": (("time", "Spikes"), 1),
    "exposure-tenants/Open spikes of groups/A": (("time", "Spikes"), 1),
    "exposure-tenants/Mean score/A": (("time", "Score"), DAYS),
    "exposure-tenants/Ranking/A": (("time", "tenant", "Score", "Level", *CHANGES), 1 + len(NAMES)),
    "exposure-tenants/Rose most in 7 days/A": (("time", "tenant", "7 days", "Score"), 1 + len(NAMES)),
    "exposure-tenants/Fell most in 7 days/A": (("time", "tenant", "7 days", "Score"), 1 + len(NAMES)),
    "exposure-tenants/Trends/A": (("time", "tenant", "max"), (1 + len(NAMES)) * DAYS),
    "exposure-tenants/Oldest scores/A": (("time", "tenant", "Score"), 1 + len(NAMES)),
    "exposure-tenants/Last polls that failed/A": ((*POLLED, "Error", "Tries"), 1 + len(NAMES)),
    "exposure-tenants/variable/tenant": (("key", "value"), 1 + len(NAMES)),
    "exposure-collector/Polls that succeeded/A": (("time", "ok"), 1),
    "exposure-collector/Polls that failed/A": (("time", "failed"), 1),
    "exposure-collector/Points/A": (("time", "points"), 1),
    "exposure-collector/Throttled answers/A": (("time", "throttled"), 1),
    "exposure-collector/Longest poll/A": (("time", "seconds"), 1),
    "exposure-collector/Outcome of each poll/A": ((*POLLED, "min"), 2 * DAYS),
    "exposure-collector/Failures by error/A": (("time", "count"), 3),
    "exposure-collector/Failures by error/B": (("time", "count"), 3),
    "exposure-collector/Failures by error/C": (("time", "count"), 3),
    "exposure-collector/Failures by error/D": (("time", "count"), 3),
    "exposure-collector/Failures by subject/A": (("time", "subject", "count_sum"), 2 * DAYS),
    "exposure-collector/Newest failures/A": ((*POLLED, "collector", "Error", "Tries", "Seconds"), 30),
    "exposure-collector/Seconds/A": ((*POLLED, "max"), 2 * DAYS),
    "exposure-collector/Tries/A": ((*POLLED, "max"), 2 * DAYS),
    "exposure-collector/Answers that were throttled/A": ((*POLLED, "sum"), 2 * DAYS),
    "exposure-collector/variable/tenant": (("key", "value"), 1 + len(NAMES)),
    "exposure-collector/variable/collector": (("key", "value"), 1),
}
"""The columns, and the least number of rows, that each query has to have answered."""
EVERY = [query for uid in BOARDS for query in asked(uid)]


@dataclass(frozen=True, slots=True)
class Asking:
    """A server that has the quarter, and who asks it: one who may do everything, or one who only reads."""

    server: Influxd

    def as_root(self, query: str) -> list[dict[str, Any]]:
        """Return the rows that the administrator gets."""
        return self.server.query(query, DATABASE)

    def as_reader(self, query: str) -> list[dict[str, Any]]:
        """Return the rows that a user gets who may read this database and nothing else."""
        self.server.client.auth = httpx.BasicAuth(*READER)
        try:
            return self.server.query(query, DATABASE)
        finally:
            self.server.client.auth = httpx.BasicAuth(*ADMIN)


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    """A server of its own, with the quarter."""
    need(INFLUXD)
    http = Http()
    with Influxd(tmp_path_factory.mktemp("quarter"), auth=True) as server:
        server.query(f"CREATE DATABASE {DATABASE}")
        server.query("CREATE USER {} WITH PASSWORD '{}'".format(*READER))
        server.query(f"GRANT READ ON {DATABASE} TO {READER[0]}")
        user, password = ADMIN
        settings = Influx(
            api="v1", url=server.url, database=DATABASE, username=user, password=Secret("password", inline=password)
        )
        quarter.write(V1("main", settings, http), tmp_path_factory.mktemp("journal"))
        yield Asking(server)
    http.close()


def chosen(tenant: str, *groups: str) -> Chosen:
    """Return what a reader has chosen: a tenant and groups, or all groups."""
    return {"tenant": tenant, "group": list(groups) or ALL, "collector": ALL}


def for_board(query: Asked, what: Chosen) -> Chosen:
    """Return what is chosen on the dashboard of a query: only *Exposure score* is about one tenant."""
    return what if query.where.startswith("exposure-score/") or what["tenant"] != PLAIN else {**what, "tenant": ALL}


def test_each_query_is_known() -> None:
    """The table of needs has every query of every dashboard, and no other."""
    assert sorted(query.where for query in EVERY) == sorted(NEEDS)


@pytest.mark.parametrize("query", EVERY, ids=lambda query: query.where)
def test_each_query_answers_what_its_panel_needs(asking: Asking, query: Asked) -> None:
    """The columns are there, and rows enough, by hour and by day, whether root asks or one who may only read."""
    columns, least = NEEDS[query.where]
    hourly, daily = (expanded(query.text, SINCE, UNTIL, step, for_board(query, EVERYTHING)) for step in ("1h", "1d"))
    for rows in (asking.as_root(hourly), by_day := asking.as_root(daily)):
        assert len(rows) >= least
        for row in rows:
            assert set(row) == set(columns)
    assert asking.as_reader(daily) == by_day


@pytest.mark.parametrize("query", EVERY, ids=lambda query: query.where)
def test_all_written_out_is_all(asking: Asking, query: Asked) -> None:
    """The list of all values finds what the pattern for all of them finds."""
    what = for_board(query, EVERYTHING)
    listed: Chosen = {
        "tenant": [PLAIN, *NAMES] if what["tenant"] == ALL else what["tenant"],
        "group": [
            "(organization)",
            *(
                row["value"]
                for row in asking.as_root('SHOW TAG VALUES FROM "exposure_score_by_group" WITH KEY = "rbacGroupName"')
            ),
        ],
        "collector": ["host-1"],
    }
    by_pattern, by_list = (
        asking.as_root(expanded(query.text, SINCE, UNTIL, "1d", choice)) for choice in (what, listed)
    )
    assert by_list == by_pattern


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_whatever_characters_is_found_and_no_other(asking: Asking, name: str) -> None:
    """A tenant and a group of that name are shown alone: no query breaks, and no pattern takes in a neighbour."""
    for query in EVERY:
        rows = asking.as_root(expanded(query.text, SINCE, UNTIL, "1d", chosen(name, name)))
        if query.where == "exposure-score/variable/group":
            assert {row["value"] for row in rows} == set(NAMES)
            continue
        if "/variable/" in query.where:
            continue
        assert {row["tenant"] for row in rows if "tenant" in row} <= {name}
        whose = {row["rbacGroupName"] for row in rows if "rbacGroupName" in row}
        if query.where == "exposure-score/Spikes/A":
            assert whose == {"(organization)", *NAMES}
        elif query.where == "exposure-score/annotation/Spikes":
            assert whose == {"(organization)"}
        else:
            assert whose <= {name}
        _, least = NEEDS[query.where]
        # Of these tenants there are no breaks; all else has something to show.
        assert rows or not least or query.where == "exposure-score/annotation/Breaks", query.where


@pytest.mark.parametrize("pair", [NAMES[:2], NAMES[2:4], NAMES[4:6], NAMES[6:8], (NAMES[5], NAMES[8])], ids=str)
def test_two_groups_are_the_two_of_them(asking: Asking, pair: tuple[str, str]) -> None:
    """Several chosen groups are shown, and no other."""
    (query,) = (query for query in EVERY if query.where == "exposure-score/Where the groups stand/A")
    rows = asking.as_root(expanded(query.text, SINCE, UNTIL, "1h", chosen(PLAIN, *pair)))
    assert rows == []
    for tenant in pair:
        rows = asking.as_root(expanded(query.text, SINCE, UNTIL, "1h", chosen(tenant, *pair)))
        assert {row["rbacGroupName"] for row in rows} == set(pair)


def test_whoever_reads_the_dashboards_needs_no_right_to_write(asking: Asking) -> None:
    """The user by whom they were read can't write a point."""
    answer = asking.server.client.post("/write", params={"db": DATABASE}, content="a b=1", auth=READER)
    assert answer.status_code == 403


@pytest.mark.parametrize("uid", RULES)
def test_each_alert_rule_asks_what_the_database_answers(asking: Asking, uid: str) -> None:
    """Every series that a rule gets is of one tenant, whoever asks."""
    asks = RULES[uid]["data"][0]
    since = UNTIL - asks["relativeTimeRange"]["from"] * 1000
    text = expanded(asks["model"]["query"], since, UNTIL)
    rows = asking.as_root(text)
    assert asking.as_reader(text) == rows
    for row in rows:
        assert len(row) == 3
        assert row["tenant"] in (PLAIN, *NAMES)


def test_nothing_is_asked_that_is_not_in_the_schema() -> None:
    """Each measurement that a query names is one that the collector writes."""
    named = {
        word
        for text in [query.text for query in EVERY] + [rule["data"][0]["model"]["query"] for rule in RULES.values()]
        for word in deployed.measurements(text)
    }
    assert named <= set(deployed.MEASUREMENTS)
    assert len(named) > 7
